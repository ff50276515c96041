use super::*;

fn ids() -> RequestId {
    RequestId {
        id: "656C76696E6727732072657175657374".to_owned(),
        host_id: "host".to_owned(),
    }
}

#[test]
fn an_error_document_names_the_resource_and_the_request() {
    let document = "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>gone</Message></Error>";
    assert_eq!(
        complete_document(document, "/bucket/a&b", &ids()),
        "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>gone</Message><Resource>/bucket/a&amp;b</Resource>\
         <RequestId>656C76696E6727732072657175657374</RequestId><HostId>host</HostId></Error>"
    );
}

#[test]
fn a_code_without_words_gets_them() {
    let completed = complete_document("<Error><Code>KeyTooLongError</Code></Error>", "/", &ids());
    assert!(
        completed.contains("<Message>Your key is too long</Message>"),
        "{completed}"
    );
}

#[test]
fn an_error_to_a_head_request_and_a_304_have_no_body() {
    for (status, method) in [(404, Method::HEAD), (304, Method::GET)] {
        let mut response = HttpResponse::new(Body::from("<Error></Error>".to_owned()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        complete(&mut response, &method, "/", &ids());
        assert_eq!(response.body().bytes().unwrap().len(), 0);
        assert_eq!(
            response.headers()["x-amz-request-id"],
            "656C76696E6727732072657175657374"
        );
    }
}
