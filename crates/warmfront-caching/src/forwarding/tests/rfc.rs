use super::*;

/// RFC 9110 section 7.7: a proxy leaves alone what is said of the ends of the chain.
#[test]
fn what_is_said_of_the_viewer_passes_by_the_rfc_but_not_against_a_policy() {
    let viewer = "accept: text/html\naccept-language: de\nreferer: https://b.example\nuser-agent: curl\nx-http-method-override: PUT";
    let sent = |behavior| sent_by(Switches::EDGE, &Method::GET, viewer, &behavior, Purpose::Fill);
    let all = [
        "accept-language: de",
        "accept: text/html",
        "referer: https://b.example",
        "user-agent: curl",
        "x-forwarded-for: 192.0.2.7",
    ];
    assert_eq!(sent(legacy()), all);
    assert_eq!(sent(behavior()), ALWAYS);
}
