use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use warmfront_clock::Clock;
use warmfront_model::{Distribution, DistributionId, Logging, Timestamp};

use super::AccessLogOptions;
use super::files::Files;

const ONE: &str = "E1U5RQF7T870K0";
const OTHER: &str = "E2U5RQF7T870K0";

fn distribution(id: &str, prefix: Option<&str>) -> Distribution {
    Distribution {
        id: DistributionId::parse(id).unwrap(),
        domain_name: "".into(),
        aliases: Vec::new(),
        enabled: true,
        default_root_object: None,
        origins: Vec::new(),
        behaviors: Vec::new(),
        error_caching: Vec::new(),
        cache_tag_header: None,
        logging: prefix.map(|prefix| Logging {
            prefix: prefix.into(),
            include_cookies: false,
        }),
    }
}

/// 2026-01-01 10:59:59 UTC.
const BEFORE_ELEVEN: i64 = 1_767_265_199;

fn names(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn text(path: &Path) -> String {
    let mut text = String::new();
    let file = fs::File::open(path).unwrap();
    MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn a_file_holds_the_lines_of_one_distribution_and_hour() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(Timestamp::from_unix_secs(BEFORE_ELEVEN));
    let mut files = Files::open(AccessLogOptions::in_folder(folder.path().to_owned())).unwrap();
    files.write(&distribution(ONE, None), clock.now(), b"one\n").unwrap();
    files
        .write(&distribution(OTHER, None), clock.now(), b"other\n")
        .unwrap();
    files.close_past(clock.now()).unwrap();
    assert!(names(folder.path()).iter().all(|name| name.ends_with(".gz.part")));
    clock.advance(Duration::from_secs(1)).unwrap();
    files.write(&distribution(ONE, None), clock.now(), b"two\n").unwrap();
    files.close_past(clock.now()).unwrap();
    let n_closed = names(folder.path()).iter().filter(|name| name.ends_with(".gz")).count();
    assert_eq!(n_closed, 2, "those of the last hour, of every distribution");
    files.close_all().unwrap();

    let names = names(folder.path());
    let starts = [(ONE, 10), (ONE, 11), (OTHER, 10)].map(|(id, hour)| format!("{id}.2026-01-01-{hour}."));
    assert_eq!(names.len(), 3, "{names:?}");
    for ((name, start), line) in names.iter().zip(starts).zip(["one", "two", "other"]) {
        assert!(name.starts_with(&start) && name.ends_with(".gz"), "{name}");
        let text = text(&folder.path().join(name));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[2], lines.len()), ("#Version: 1.0", line, 3));
        assert!(lines[1].starts_with("#Fields: date time "));
    }
}

#[test]
fn full_files_are_closed_and_the_oldest_removed_but_no_strangers() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.gz"), [0; 9_000]).unwrap();
    let options = AccessLogOptions {
        file_bytes_max: 1,
        folder_bytes_max: 2_000,
        ..AccessLogOptions::in_folder(folder.path().to_owned())
    };
    let mut files = Files::open(options).unwrap();
    let at = Timestamp::from_unix_secs(BEFORE_ELEVEN);
    for _ in 0..40 {
        files.write(&distribution(ONE, Some("p")), at, b"line\n").unwrap();
    }
    files.close_all().unwrap();
    assert!(names(folder.path()).contains(&"notes.gz".to_owned()));
    let ours = folder.path().join("p");
    let names = names(&ours);
    let bytes: u64 = names.iter().map(|name| ours.join(name).metadata().unwrap().len()).sum();
    assert!(names.len() > 1 && bytes <= 2_000, "{bytes} {names:?}");
}

#[test]
fn lines_that_come_late_go_to_their_hours_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Files::open(AccessLogOptions::in_folder(folder.path().to_owned())).unwrap();
    for at in [BEFORE_ELEVEN, BEFORE_ELEVEN + 1, BEFORE_ELEVEN] {
        let at = Timestamp::from_unix_secs(at);
        files.write(&distribution(ONE, None), at, b"line\n").unwrap();
    }
    files.close_all().unwrap();
    assert_eq!(names(folder.path()).len(), 2);
}

#[test]
fn a_prefix_is_a_folder_and_leads_nowhere_else() {
    for (prefix, expected) in [
        ("", ""),
        ("production", "production"),
        ("a/b.c/", "a/b.c"),
        ("/../../etc//x", "%2E%2E/%2E%2E/etc/x"),
        ("a b\u{e4}\\", "a%20b%C3%A4%5C"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Files::open(AccessLogOptions::in_folder(folder.path().to_owned())).unwrap();
        let at = Timestamp::from_unix_secs(BEFORE_ELEVEN);
        files.write(&distribution(ONE, Some(prefix)), at, b"line\n").unwrap();
        files.close_all().unwrap();
        let names = names(&folder.path().join(expected));
        assert!(names.len() == 1 && names[0].starts_with(ONE), "{prefix}: {names:?}");
    }
}

#[test]
fn a_prefix_that_changes_takes_the_next_line_along() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Files::open(AccessLogOptions::in_folder(folder.path().to_owned())).unwrap();
    let at = Timestamp::from_unix_secs(BEFORE_ELEVEN);
    for prefix in ["a", "b"] {
        files.write(&distribution(ONE, Some(prefix)), at, b"line\n").unwrap();
    }
    files.close_all().unwrap();
    assert_eq!(names(folder.path()), ["a", "b"]);
}

#[test]
fn what_a_crash_left_gets_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let below = folder.path().join("a/b");
    fs::create_dir_all(&below).unwrap();
    for folder in [folder.path(), &below] {
        fs::write(folder.join("E1.2026-01-01-10.00c0ffee.gz.part"), b"").unwrap();
    }
    Files::open(AccessLogOptions::in_folder(folder.path().to_owned())).unwrap();
    assert_eq!(names(folder.path()), ["E1.2026-01-01-10.00c0ffee.gz", "a"]);
    assert_eq!(names(&below), ["E1.2026-01-01-10.00c0ffee.gz"]);
}
