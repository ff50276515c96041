use http::request::Parts;
use warmfront_wire::{Operation, Routed, query_parameter, route};

/// Which of the two APIs a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// CloudFront's.
    CloudFront,
    /// S3's.
    S3,
}

/// The calls of S3 that a script can name. Source: S3 API reference.
const S3_CALLS: &[&str] = &[
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateMultipartUpload",
    "DeleteObject",
    "DeleteObjects",
    "GetObject",
    "HeadObject",
    "ListObjectsV2",
    "PutObject",
    "UploadPart",
];

/// Which API a call belongs to, if a script can name it.
pub fn api_of(call: &str) -> Option<Api> {
    if S3_CALLS.contains(&call) {
        Some(Api::S3)
    } else {
        let named = Operation::ALL.iter().any(|operation| operation.name() == call);
        named.then_some(Api::CloudFront)
    }
}

/// The name of the call that a request is; empty if it has none that a script can name.
pub fn name_of(api: Api, request: &Parts) -> &'static str {
    let query = request.uri.query().unwrap_or_default();
    match api {
        Api::CloudFront => match route(request.method.as_str(), request.uri.path(), query) {
            Routed::Implemented { operation, .. } => operation.name(),
            Routed::NotImplemented { name } => name,
            Routed::Unknown => "",
        },
        Api::S3 => s3_name(request, query),
    }
}

fn s3_name(request: &Parts, query: &str) -> &'static str {
    let has = |name: &str| query_parameter(query, name).is_some();
    let path = request.uri.path().trim_start_matches('/');
    let names_key = path.split_once('/').is_some_and(|(_, key)| !key.is_empty());
    match (request.method.as_str(), names_key) {
        ("PUT", true) if has("partNumber") => "UploadPart",
        ("PUT", true) if request.headers.contains_key("x-amz-copy-source") => "CopyObject",
        ("PUT", true) => "PutObject",
        ("GET", true) => "GetObject",
        ("HEAD", true) => "HeadObject",
        ("POST", true) if has("uploads") => "CreateMultipartUpload",
        ("POST", true) if has("uploadId") => "CompleteMultipartUpload",
        ("DELETE", true) if has("uploadId") => "AbortMultipartUpload",
        ("DELETE", true) => "DeleteObject",
        ("GET", false) if has("list-type") => "ListObjectsV2",
        ("POST", false) if has("delete") => "DeleteObjects",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn calls_are_told_apart() {
        for (api, method, uri, expected) in [
            (
                Api::CloudFront,
                "POST",
                "/2020-05-31/distribution/E1/invalidation",
                "CreateInvalidation",
            ),
            (
                Api::CloudFront,
                "GET",
                "/2020-05-31/distribution/E1/invalidation/I1",
                "GetInvalidation",
            ),
            (Api::S3, "PUT", "/site/a/b.html", "PutObject"),
            (Api::S3, "PUT", "/site/a?partNumber=1&uploadId=u", "UploadPart"),
            (Api::S3, "POST", "/site/a?uploads", "CreateMultipartUpload"),
            (Api::S3, "GET", "/site/?list-type=2&prefix=x/y", "ListObjectsV2"),
            (Api::S3, "GET", "/site?list-type=2", "ListObjectsV2"),
            (Api::S3, "POST", "/site/?delete", "DeleteObjects"),
            (Api::S3, "PUT", "/site", ""),
            (Api::S3, "PUT", "/site/", ""),
        ] {
            let request = Request::builder().method(method).uri(uri).body(()).unwrap();
            assert_eq!(name_of(api, &request.into_parts().0), expected, "{method} {uri}");
            assert!(expected.is_empty() || api_of(expected) == Some(api), "{expected}");
        }
        assert_eq!(api_of("PutBanana"), None);
    }
}
