use crate::ErrorCode;
use crate::xml::{NAMESPACE, Writer};

/// The body of an answer that is an error. `Type` is `Receiver` from status 500 on, else `Sender`.
///
/// Source: CloudFront API Reference, "REST error responses".
pub fn error_document(code: ErrorCode, message: &str, request_id: &str) -> Vec<u8> {
    let culprit = if code.status() >= 500 { "Receiver" } else { "Sender" };
    let mut out = Writer::document("ErrorResponse", NAMESPACE);
    out.element("Error", |out| {
        out.required("Type", &culprit.to_owned());
        out.required("Code", &code.code().to_owned());
        out.required("Message", &message.to_owned());
    });
    out.required("RequestId", &request_id.to_owned());
    out.finish("ErrorResponse")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: ErrorCode, message: &str, expected: &str) {
        let document =
            String::from_utf8(error_document(code, message, "410c2a4b-e435-49c9-8382-3770d80d7d4c")).unwrap();
        assert_eq!(document, expected);
    }

    #[test]
    fn the_client_is_the_sender() {
        check(
            ErrorCode::NoSuchDistribution,
            "The specified distribution does not exist.",
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error>\
             <Type>Sender</Type><Code>NoSuchDistribution</Code><Message>The specified distribution does not exist.</Message>\
             </Error><RequestId>410c2a4b-e435-49c9-8382-3770d80d7d4c</RequestId></ErrorResponse>",
        );
    }

    #[test]
    fn the_service_is_the_receiver_and_text_is_escaped() {
        check(
            ErrorCode::NotImplemented,
            "a < b & c",
            "<?xml version=\"1.0\"?>\n<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error>\
             <Type>Receiver</Type><Code>NotImplemented</Code><Message>a &lt; b &amp; c</Message></Error>\
             <RequestId>410c2a4b-e435-49c9-8382-3770d80d7d4c</RequestId></ErrorResponse>",
        );
    }

    #[test]
    fn statuses_are_those_of_the_model_and_of_the_common_errors() {
        for (code, text, status) in [
            (ErrorCode::AccessDenied, "AccessDenied", 403),
            (ErrorCode::BatchTooLarge, "BatchTooLarge", 413),
            (ErrorCode::CNAMEAlreadyExists, "CNAMEAlreadyExists", 409),
            (ErrorCode::DistributionAlreadyExists, "DistributionAlreadyExists", 409),
            (ErrorCode::DistributionNotDisabled, "DistributionNotDisabled", 409),
            (ErrorCode::InvalidIfMatchVersion, "InvalidIfMatchVersion", 400),
            (ErrorCode::MalformedXML, "MalformedXML", 400),
            (ErrorCode::NoSuchCachePolicy, "NoSuchCachePolicy", 404),
            (ErrorCode::NoSuchOrigin, "NoSuchOrigin", 404),
            (ErrorCode::NotImplemented, "NotImplemented", 501),
            (ErrorCode::PreconditionFailed, "PreconditionFailed", 412),
            (ErrorCode::SignatureDoesNotMatch, "SignatureDoesNotMatch", 403),
            (
                ErrorCode::TooManyInvalidationsInProgress,
                "TooManyInvalidationsInProgress",
                400,
            ),
            (ErrorCode::UnknownOperationException, "UnknownOperationException", 404),
        ] {
            assert_eq!((code.code(), code.status()), (text, status));
        }
    }
}
