use crate::server::{Answer, Server};

async fn with_keys(keys: &[&str]) -> Server {
    let server = Server::start().await;
    server.create_bucket("site").await;
    for key in keys {
        assert_eq!(server.root("PUT", &format!("/site/{key}"), "x").await.status, 200);
    }
    server
}

async fn list(server: &Server, query: &str) -> Answer {
    let answer = server.root("GET", &format!("/site?{query}"), "").await;
    assert_eq!(answer.status, 200, "{query}: {answer:?}");
    answer
}

/// The common prefixes; `Prefix` stands for the query's own as well, outside `CommonPrefixes`.
fn prefixes(answer: &Answer) -> Vec<&str> {
    let inner = |element: &str| {
        element
            .strip_prefix("<Prefix>")
            .and_then(|rest| rest.strip_suffix("</Prefix>"))
            .map(str::len)
    };
    answer
        .elements("CommonPrefixes")
        .into_iter()
        .map(|element| &element[8..8 + inner(element).unwrap()])
        .collect()
}

#[tokio::test]
async fn pages_of_any_size_make_the_whole() {
    let keys = ["a", "a/1", "a/2", "b", "b/1/x", "b/1/y", "b/2", "c!", "c/1", "d"];
    let server = with_keys(&keys).await;
    for (delimiter, expected_keys, expected_prefixes) in [
        ("", keys.to_vec(), vec![]),
        ("/", vec!["a", "b", "c!", "d"], vec!["a/", "b/", "c/"]),
    ] {
        for page in 1..=11 {
            let (mut found, mut rolled_up, mut token) = (Vec::new(), Vec::new(), String::new());
            loop {
                let mut query = format!("list-type=2&max-keys={page}&delimiter={delimiter}");
                if !token.is_empty() {
                    query.push_str(&format!(
                        "&continuation-token={}",
                        token.replace('=', "%3D").replace('+', "%2B")
                    ));
                }
                let answer = list(&server, &query).await;
                found.extend(answer.elements("Key").into_iter().map(str::to_owned));
                rolled_up.extend(prefixes(&answer).into_iter().map(str::to_owned));
                match answer.element("NextContinuationToken") {
                    Some(next) => token = next.to_owned(),
                    None => break assert_eq!(answer.element("IsTruncated"), Some("false")),
                }
            }
            assert_eq!(
                (&found, &rolled_up),
                (&to_owned(&expected_keys), &to_owned(&expected_prefixes)),
                "page {page}"
            );
        }
    }
}

fn to_owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn prefix_start_after_and_marker_narrow_a_listing() {
    let server = with_keys(&["a/1", "a/2", "a/3/x", "b"]).await;
    let answer = list(&server, "list-type=2&prefix=a/&delimiter=/").await;
    assert_eq!(
        (answer.elements("Key"), prefixes(&answer)),
        (vec!["a/1", "a/2"], vec!["a/3/"])
    );
    assert_eq!(
        list(&server, "list-type=2&start-after=a/1").await.elements("Key"),
        ["a/2", "a/3/x", "b"]
    );
    assert_eq!(list(&server, "marker=a/2").await.elements("Key"), ["a/3/x", "b"]);
    let answer = list(&server, "delimiter=/&max-keys=1").await;
    assert_eq!(
        (prefixes(&answer), answer.element("NextMarker")),
        (vec!["a/"], Some("a/"))
    );
    assert_eq!(list(&server, "delimiter=/&marker=a/").await.elements("Key"), ["b"]);
    assert_eq!(
        list(&server, "list-type=2&max-keys=0").await.element("IsTruncated"),
        Some("false")
    );
    assert_eq!(
        list(&server, "list-type=2&prefix=zz").await.element("KeyCount"),
        Some("0")
    );
    server
        .root("GET", "/site?list-type=2&max-keys=-1", "")
        .await
        .assert_error(400, "InvalidArgument");
    server
        .root("GET", "/site?list-type=2&continuation-token=%21", "")
        .await
        .assert_error(400, "InvalidArgument");
}

#[tokio::test]
async fn names_are_encoded_when_asked_for() {
    let server = with_keys(&["a%20b%2Bc/%C3%BC", "a%0Ab"]).await;
    let answer = list(&server, "list-type=2&encoding-type=url").await;
    assert_eq!(answer.elements("Key"), ["a%0Ab", "a%20b%2Bc/%C3%BC"]);
}

#[tokio::test]
async fn a_listing_ends_with_its_bucket() {
    let server = with_keys(&["a"]).await;
    server.create_bucket("site-2").await;
    server.root("PUT", "/site-2/b", "x").await;
    assert_eq!(list(&server, "list-type=2").await.elements("Key"), ["a"]);
}
