use http::header::{ACCEPT_ENCODING, ACCEPT_LANGUAGE};
use http::{HeaderMap, HeaderName, HeaderValue};
use warmfront_http::{Vary, ranked_list, spaceless_list};

use crate::rules::Rules;

/// The fields of a request that choose among the stored variants of a response, sorted: those that its Vary names and the
/// key does not distinguish anyway. Empty if there is but one variant.
///
/// Source: RFC 9111 section 4.1.
pub fn selecting_fields(response: &HeaderMap, rules: &Rules<'_>) -> Vec<HeaderName> {
    if !rules.switches.vary_selects {
        return Vec::new();
    }
    let mut names = match Vary::parse(response) {
        Vary::Any => Vec::new(),
        Vary::Fields(names) => names,
    };
    names.retain(|name| !rules.is_in_key(name));
    names.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    names
}

/// Appends to a cache key what tells one variant from another: the fields `names` of a request as the origin sees it.
///
/// What the origin does not see cannot make a difference. Lines are combined, blanks around commas dropped; the order of
/// codings and languages of the same weight, and their case, count for nothing. An absent field is a value of its own.
///
/// Source: RFC 9111 section 4.1; RFC 9110 sections 5.3, 12.5.3 and 12.5.4.
pub fn write_variant(names: &[HeaderName], sent: &HeaderMap, key: &mut Vec<u8>) {
    /// No other part of a key begins so.
    const VARIANT: u8 = b'v';
    key.push(VARIANT);
    for name in names {
        write(key, name.as_str().as_bytes());
        if !sent.contains_key(name) {
            key.extend_from_slice(&u32::MAX.to_be_bytes());
            continue;
        }
        let lines = sent.get_all(name).iter().map(HeaderValue::as_bytes);
        let value = if *name == ACCEPT_LANGUAGE || *name == ACCEPT_ENCODING {
            ranked_list(lines)
        } else {
            spaceless_list(lines)
        };
        write(key, &value);
    }
}

/// Values are far below 4 GiB: the listener bounds them.
fn write(key: &mut Vec<u8>, bytes: &[u8]) {
    key.extend_from_slice(&u32::try_from(bytes.len()).unwrap_or(u32::MAX - 1).to_be_bytes());
    key.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{edge_rules, headers, only, rules};

    fn variant(names: &[&str], sent: &str) -> Vec<u8> {
        let names: Vec<HeaderName> = names.iter().map(|name| name.parse().unwrap()).collect();
        let mut key = Vec::new();
        write_variant(&names, &headers(sent), &mut key);
        key
    }

    #[track_caller]
    fn check(name: &str, one: &str, other: &str, same: bool) {
        let of = |sent: &str| variant(&[name], sent);
        assert_eq!(of(one) == of(other), same, "{one} | {other}");
    }

    #[test]
    fn what_the_key_distinguishes_selects_nothing() {
        let origin = only(&["origin"]);
        let rules = Rules {
            headers: &origin,
            ..edge_rules()
        };
        let selecting = |vary: &str, rules: &Rules<'_>| -> Vec<String> {
            let names = selecting_fields(&headers(&format!("vary: {vary}")), rules);
            names.iter().map(|name| name.as_str().to_owned()).collect()
        };
        assert_eq!(selecting("X-B, Origin, x-a, X-B", &rules), ["x-a", "x-b"]);
        assert_eq!(selecting("Origin", &rules), [""; 0]);
        assert_eq!(selecting("X-A", &crate::testing::rules()), [""; 0]);
    }

    #[test]
    fn values_are_told_apart_and_absence_is_one() {
        check("foo", "foo: 1", "foo: 1", true);
        check("foo", "foo: 1", "foo: 2", false);
        check("foo", "foo: 1", "foo: 1\nbar: 1", true);
        check("foo", "foo: 1", "", false);
        check("foo", "foo:", "", false);
        check("foo", "foo: a", "foo: A", false);
        let two = |sent: &str| variant(&["a", "b"], sent);
        assert_ne!(two("a: 1\nb: 2"), two("a: 2\nb: 1"));
        assert_ne!(two("a: 1"), two("b: 1"));
    }

    #[test]
    fn lines_and_blanks_make_no_difference() {
        check("foo", "foo: 1, 2", "foo: 1\nfoo: 2", true);
        check("foo", "foo: 1,2", "foo: 1 , 2", true);
        check("foo", "foo: \"a, b\"", "foo: \"a,b\"", false);
        check("foo", "foo: 1 2", "foo: 12", false);
    }

    #[test]
    fn languages_are_compared_by_weight_and_without_case() {
        let name = "accept-language";
        check(name, "accept-language: en, de", "accept-language: de, en", true);
        check(name, "accept-language: en, de", "accept-language: eN , De;q=1.0", true);
        check(
            name,
            "accept-language: en, de;q=0.5",
            "accept-language: de;q=0.50, en",
            true,
        );
        check(
            name,
            "accept-language: en, de;q=0.5",
            "accept-language: de, en;q=0.5",
            false,
        );
        check(name, "accept-language: en, de;q=0", "accept-language: en", false);
        check(
            "accept-encoding",
            "accept-encoding: br,GZIP",
            "accept-encoding: gzip, br",
            true,
        );
    }

    #[test]
    fn cloudfronts_rules_have_no_variants() {
        assert!(selecting_fields(&headers("vary: x-a"), &rules()).is_empty());
    }
}
