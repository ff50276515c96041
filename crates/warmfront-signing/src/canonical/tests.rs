use super::*;

#[track_caller]
fn check_path(sent: &str, once: &str, twice: &str) {
    assert_eq!(canonical_path(sent, PathForm::Once), once, "{sent} for S3");
    assert_eq!(canonical_path(sent, PathForm::Twice), twice, "{sent} for others");
}

#[track_caller]
fn check_query(sent: &str, canonical: &str) {
    assert_eq!(canonical_query(sent), canonical, "{sent}");
}

#[test]
fn paths_without_escapes() {
    check_path("", "/", "/");
    check_path("/", "/", "/");
    check_path("//", "//", "/");
    check_path("/./", "/./", "/");
    check_path("/example/..", "/example/..", "/");
    check_path("/example1/example2/../..", "/example1/example2/../..", "/");
    check_path("/../../etc", "/../../etc", "/etc");
    check_path("//example//", "//example//", "/example/");
    check_path("/-._~09AZaz", "/-._~09AZaz", "/-._~09AZaz");
    check_path(
        "/a b*'()@:+",
        "/a%20b%2A%27%28%29%40%3A%2B",
        "/a%20b%2A%27%28%29%40%3A%2B",
    );
    check_path("/\u{1234}", "/%E1%88%B4", "/%E1%88%B4");
}

/// The escaped function ARN and the API Gateway path are the examples AWS ships with its Rust signer.
#[test]
fn paths_with_escapes() {
    check_path("/a%20b", "/a%20b", "/a%2520b");
    check_path("/%7euser", "/~user", "/%257euser");
    check_path("/a%2fb", "/a%2Fb", "/a%252fb");
    check_path("/%zz%4", "/%25zz%254", "/%25zz%254");
    check_path("/%ff%00", "/%FF%00", "/%25ff%2500");
    check_path(
        "/functions/arn%3Aaws%3Alambda%3Aus-west-2%3A892717189312%3Afunction%3Amy-rusty-fun/invocations",
        "/functions/arn%3Aaws%3Alambda%3Aus-west-2%3A892717189312%3Afunction%3Amy-rusty-fun/invocations",
        "/functions/arn%253Aaws%253Alambda%253Aus-west-2%253A892717189312%253Afunction%253Amy-rusty-fun/invocations",
    );
    check_path(
        "/@connections/JBDvjfGEIAMCERw%3D",
        "/%40connections/JBDvjfGEIAMCERw%3D",
        "/%40connections/JBDvjfGEIAMCERw%253D",
    );
}

#[test]
fn queries() {
    check_query("", "");
    check_query("&&", "");
    check_query("Param2=value2&Param1=value1", "Param1=value1&Param2=value2");
    check_query("a=2&a=1&A=3", "A=3&a=1&a=2");
    check_query("acl", "acl=");
    check_query("a==b", "a=%3Db");
    check_query("a=b+c%2Bd", "a=b%20c%2Bd");
    check_query(
        "%E1%88%B4=Value1&Param=Value2&Param-3=Value3",
        "%E1%88%B4=Value1&Param=Value2&Param-3=Value3",
    );
    check_query("\u{1234}=bar", "%E1%88%B4=bar");
    check_query("a=%ff", "a=%FF");
    check_query("a=1&X-Amz-Signature=00&b=2", "a=1&b=2");
    check_query(
        "Resource=arn%3Aaws%3Acloudfront%3A%3A123456789012%3Adistribution%2FE1&Operation=Tag",
        "Operation=Tag&Resource=arn%3Aaws%3Acloudfront%3A%3A123456789012%3Adistribution%2FE1",
    );
    check_query("Resource=arn:aws:s3:::a", "Resource=arn%3Aaws%3As3%3A%3A%3Aa");
}

#[test]
fn header_values_are_joined_and_folded() {
    let mut headers = HeaderMap::new();
    for value in ["value4", " value1 ", "value3", "\"a \t  b   c\""] {
        headers.append("my-header1", value.parse().unwrap());
    }
    let mut out = Vec::new();
    push_header(&mut out, "my-header1", &headers);
    push_header(&mut out, "absent", &headers);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "my-header1:value4,value1,value3,\"a b c\"\nabsent:\n"
    );
}
