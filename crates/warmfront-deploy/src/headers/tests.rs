use super::*;

fn rules(configs: &[(&str, Option<&str>)]) -> Rules {
    let config = |(pattern, cache_control): &(&str, Option<&str>)| RuleConfig {
        r#match: (*pattern).into(),
        cache_control: cache_control.map(str::to_owned),
        ..RuleConfig::default()
    };
    Rules::new(configs.iter().map(config).collect()).unwrap()
}

#[test]
fn classes_have_their_headers() {
    let rules = Rules::default();
    for (path, class, cache_control) in [
        ("index.html", Class::Page, "no-cache"),
        ("docs/a.HTM", Class::Page, "no-cache"),
        ("sw.js", Class::Page, "no-cache"),
        (
            "assets/app.8f3a21bc.js",
            Class::Fingerprinted,
            "public, max-age=31536000, immutable",
        ),
        ("logo.png", Class::Other, "public, max-age=60, s-maxage=86400"),
    ] {
        let decision = rules.decide(path, false);
        assert_eq!(
            (decision.class, &*decision.headers.cache_control),
            (class, cache_control),
            "{path}"
        );
    }
}

#[test]
fn the_first_match_wins_and_says_so() {
    let rules = rules(&[
        ("blog/**", Some("max-age=1")),
        ("*.html", Some("max-age=2")),
        ("*", Some("max-age=3")),
    ]);
    for (path, expected) in [
        ("blog/2026/a.html", "max-age=1"),
        ("a.html", "max-age=2"),
        ("x/y/a.html", "max-age=2"),
        ("x/logo.png", "max-age=3"),
    ] {
        assert_eq!(rules.decide(path, false).headers.cache_control, expected, "{path}");
    }
    let reasons = rules.decide("a.html", false).reasons;
    assert!(
        reasons[0].contains("rule 2") && reasons[0].contains("*.html"),
        "{reasons:?}"
    );
}

#[test]
fn a_star_stays_within_a_folder() {
    let rules = rules(&[("img/*.png", Some("max-age=1"))]);
    assert_eq!(rules.decide("img/a.png", false).headers.cache_control, "max-age=1");
    assert_ne!(rules.decide("img/deep/a.png", false).headers.cache_control, "max-age=1");
}

#[test]
fn what_changed_under_its_name_is_never_immutable() {
    let plain = Rules::default().decide("app.8f3a21bc.js", true);
    assert_eq!(
        (plain.class, &*plain.headers.cache_control),
        (Class::Other, "public, max-age=60, s-maxage=86400")
    );
    let ruled = rules(&[("*.js", Some("max-age=31536000, Immutable, public"))]).decide("app.8f3a21bc.js", true);
    assert_eq!(ruled.headers.cache_control, "max-age=31536000, public");
}

#[test]
fn a_bad_rule_is_named() {
    let refused = |config: RuleConfig| {
        Rules::new(vec![
            RuleConfig {
                r#match: "*".into(),
                ..Default::default()
            },
            config,
        ])
    };
    let bad_glob = refused(RuleConfig {
        r#match: "a[".into(),
        ..Default::default()
    })
    .unwrap_err();
    assert!(bad_glob.to_string().starts_with("rule 2: match = \"a[\""), "{bad_glob}");
    let bad_tag = RuleConfig {
        r#match: "*".into(),
        tags: vec!["two words".into()],
        ..Default::default()
    };
    assert!(refused(bad_tag).unwrap_err().to_string().contains("two words"));
}
