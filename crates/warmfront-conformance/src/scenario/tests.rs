use super::*;

const HEAD: &str = "rule: r\nsource: s\nlevel: required\n";

#[track_caller]
fn check(text: &str, expected: &str) {
    let error = Scenario::parse(text).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_scenario_reads_as_it_is_written() {
    let text = "# a comment\nrule: Fresh answers come from the cache\nsource: RFC 9111 4\nlevel: optional\n\
                ttl: 0 1 2\ndiffers aws: it is late\n\nviewer GET /a?b\n  X-A: 1\norigin 200 chunked\n  Age: 5\n  body: one\n\
                asked GET /a?b\n  without X-B\nanswer 200 miss\n  Age: 5\n  Via ~ 1.1\nanswer aws 503 own\nwait 2m\ninvalidate /a\n";
    let scenario = Scenario::parse(text).unwrap();
    assert_eq!(scenario.rule, "Fresh answers come from the cache");
    assert_eq!(scenario.level, Level::Optional);
    assert_eq!(scenario.difference(Profile::Aws), Some("it is late"));
    assert_eq!(scenario.settings, [(Setting::Ttl, "0 1 2".to_owned())]);
    assert_eq!(scenario.waits_secs(), 120);
    assert!(scenario.invalidates() && scenario.has_answers_of(Profile::Aws));
    let exchange = scenario.exchanges().next().unwrap();
    assert_eq!(exchange.request.headers, [("X-A".to_owned(), "1".to_owned())]);
    assert_eq!(exchange.replies[0].framing, Framing::Chunked);
    assert_eq!(exchange.replies[0].body.as_deref(), Some("one"));
    assert_eq!(exchange.asked[0].headers, [Expected::Without("X-B".to_owned())]);
    assert_eq!(
        exchange.answer.headers,
        [
            Expected::Is("Age".to_owned(), "5".to_owned()),
            Expected::Has("Via".to_owned(), "1.1".to_owned())
        ]
    );
    assert_eq!(
        (exchange.answer_of[0].1.status, exchange.answer_of[0].1.outcome),
        (503, Outcome::Own)
    );
}

#[test]
fn mistakes_are_named_with_their_line() {
    check(
        "rule: r\nlevel: sometimes\n",
        "line 2: \"sometimes\" is no level: write required",
    );
    check(
        "rule: r\nviewer GET /a\nanswer 200 hit",
        "line 0: the head has no `source:` line",
    );
    check(
        &format!("{HEAD}colour: red"),
        "line 4: \"colour: red\" is no line of the head",
    );
    check(&format!("{HEAD}differs aws:"), "line 4: say why the profile differs");
    check(&format!("{HEAD}viewer GET a"), "line 4: \"GET a\" is no request");
    check(
        &format!("{HEAD}viewer GET /a\nwait 1s"),
        "line 5: the request of line 4 has no `answer",
    );
    check(
        &format!("{HEAD}viewer GET /a\nanswer 200 warm"),
        "line 5: \"warm\" is no outcome",
    );
    check(
        &format!("{HEAD}viewer GET /a\nanswer 200 hit\nanswer 200 miss"),
        "line 6: there is an answer already",
    );
    check(
        &format!("{HEAD}viewer GET /a\n  X-A ~ b\nanswer 200 hit"),
        "line 5: `~` and `without` say what must hold",
    );
    check(&format!("{HEAD}wait 5 minutes"), "line 4: \"5 minutes\" is no time");
    check(
        &format!("{HEAD}wait 5s\norigin 200"),
        "line 5: `origin` belongs below a `viewer` line",
    );
    check(HEAD, "line 0: nothing happens");
}
