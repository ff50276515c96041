use super::*;

fn entry(content: &str, cache_control: &str) -> Entry {
    Entry {
        digest: Digest::of(content.as_bytes()),
        size: content.len() as u64,
        class: Class::Page,
        headers: headers(cache_control),
        etag: None,
        distrusted: false,
    }
}

fn headers(cache_control: &str) -> Headers {
    Headers {
        content_type: "text/html; charset=utf-8".into(),
        cache_control: cache_control.into(),
        tags: Vec::new(),
    }
}

fn manifest(files: &[(&str, &str, &str)]) -> Manifest {
    let files = files
        .iter()
        .map(|(key, content, cache)| ((*key).to_owned(), entry(content, cache)));
    Manifest { files: files.collect() }
}

fn live(files: &[(&str, Option<&str>, &str)]) -> BTreeMap<String, Live> {
    files
        .iter()
        .map(|(key, content, cache)| {
            let digest = content.map(|content| Digest::of(content.as_bytes()));
            (
                (*key).to_owned(),
                Live {
                    digest,
                    headers: headers(cache),
                },
            )
        })
        .collect()
}

fn check(
    live_files: &[(&str, Option<&str>, &str)],
    finished: Option<&Manifest>,
    unfinished: &[Manifest],
    target: &Manifest,
    expected: &[(&str, Kind)],
) {
    let live = live(live_files);
    let changes = diff(
        Before {
            live: &live,
            finished,
            unfinished,
        },
        target,
    );
    let found: Vec<(&str, Kind)> = changes.iter().map(|change| (&*change.key, change.kind)).collect();
    assert_eq!(found, expected);
}

#[test]
fn nothing_is_done_twice() {
    let same = manifest(&[("a", "1", "x")]);
    check(&[("a", Some("1"), "x")], Some(&same), &[], &same, &[]);
    check(&[("a", Some("1"), "x")], None, &[], &same, &[]);
}

#[test]
fn bytes_and_headers_are_told_apart() {
    let old = manifest(&[("a", "1", "x"), ("b", "1", "x"), ("c", "1", "x")]);
    let new = manifest(&[("a", "2", "x"), ("b", "1", "y"), ("d", "1", "x")]);
    let bucket = [("a", Some("1"), "x"), ("b", Some("1"), "x"), ("c", Some("1"), "x")];
    let expected = [
        ("a", Kind::Replaced),
        ("b", Kind::HeadersOnly),
        ("c", Kind::Removed),
        ("d", Kind::New),
    ];
    check(&bucket, Some(&old), &[], &new, &expected);
}

#[test]
fn another_tools_object_of_the_same_length_is_replaced_and_strangers_stay() {
    let new = manifest(&[("a", "1", "x")]);
    check(
        &[("a", None, "x"), ("stranger", None, "x")],
        None,
        &[],
        &new,
        &[("a", Kind::Replaced)],
    );
}

#[test]
fn what_somebody_deleted_is_put_back() {
    let same = manifest(&[("a", "1", "x")]);
    check(&[], Some(&same), &[], &same, &[("a", Kind::Replaced)]);
}

#[test]
fn an_interrupted_release_is_not_forgotten() {
    // Release 2 uploaded "2" and died before its invalidation; the same build again must still invalidate.
    let first = manifest(&[("a", "1", "x")]);
    let second = manifest(&[("a", "2", "x")]);
    check(
        &[("a", Some("2"), "x")],
        Some(&first),
        std::slice::from_ref(&second),
        &second,
        &[("a", Kind::Replaced)],
    );
    // Going back to 1 instead: viewers may have been shown 2.
    check(
        &[("a", Some("1"), "x")],
        Some(&first),
        std::slice::from_ref(&second),
        &first,
        &[("a", Kind::Replaced)],
    );
    // A file that only the interrupted release had is removed again.
    let third = manifest(&[("a", "1", "x"), ("b", "1", "x")]);
    check(
        &[("a", Some("1"), "x"), ("b", Some("1"), "x")],
        Some(&first),
        &[third],
        &first,
        &[("b", Kind::Removed)],
    );
}

#[test]
fn all_headers_that_viewers_may_have_seen_are_remembered() {
    let first = manifest(&[("a", "1", "x")]);
    let second = manifest(&[("a", "2", "y")]);
    let live = live(&[("a", Some("2"), "y")]);
    let before = Before {
        live: &live,
        finished: Some(&first),
        unfinished: &[second],
    };
    let changes = diff(before, &manifest(&[("a", "3", "z")]));
    assert_eq!(changes[0].seen_headers, [headers("y"), headers("x")]);
}

#[test]
fn a_fingerprinted_name_with_other_bytes_is_found() {
    let earlier = manifest(&[
        ("a.8f3a21bc.js", "1", "x"),
        ("b.0e8a2f1b.js", "1", "x"),
        ("plain.js", "1", "x"),
    ]);
    let now = [
        ("a.8f3a21bc.js", Digest::of(b"2")),
        ("b.0e8a2f1b.js", Digest::of(b"1")),
        ("plain.js", Digest::of(b"2")),
        ("new.0e8a2f1b.js", Digest::of(b"2")),
    ];
    assert_eq!(changed_under_their_names(now, &[&earlier]), ["a.8f3a21bc.js"]);
}

#[test]
fn what_pages_load_stays_for_open_tabs() {
    for (class, content_type, expected) in [
        (Class::Fingerprinted, "application/json", true),
        (Class::Other, "text/javascript; charset=utf-8", true),
        (Class::Other, "image/png", true),
        (Class::Other, "application/pdf", false),
        (Class::Other, "text/plain; charset=utf-8", false),
        (Class::Page, "text/html; charset=utf-8", false),
        (Class::Page, "text/javascript; charset=utf-8", false),
    ] {
        let headers = Headers {
            content_type: content_type.into(),
            ..headers("x")
        };
        let entry = Entry {
            class,
            headers,
            ..entry("1", "x")
        };
        assert_eq!(stays_for_open_tabs(&entry), expected, "{class:?} {content_type}");
    }
}
