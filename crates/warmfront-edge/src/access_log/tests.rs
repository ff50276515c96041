use std::fs;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use flate2::read::MultiGzDecoder;
use warmfront_clock::Clock;
use warmfront_model::Timestamp;

use super::AccessLogOptions;
use super::files::Files;

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
    files.write("E1", clock.now(), b"one\n").unwrap();
    files.write("E2", clock.now(), b"other\n").unwrap();
    files.close_past(clock.now()).unwrap();
    assert!(names(folder.path()).iter().all(|name| name.ends_with(".gz.part")));
    clock.advance(Duration::from_secs(1)).unwrap();
    files.write("E1", clock.now(), b"two\n").unwrap();
    files.close_past(clock.now()).unwrap();
    files.close_all().unwrap();

    let names = names(folder.path());
    let starts = ["E1.2026-01-01-10.", "E1.2026-01-01-11.", "E2.2026-01-01-10."];
    assert_eq!(names.len(), 3, "{names:?}");
    for ((name, start), line) in names.iter().zip(starts).zip(["one", "two", "other"]) {
        assert!(name.starts_with(start) && name.ends_with(".gz"), "{name}");
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
        files.write("E1", at, b"line\n").unwrap();
    }
    files.close_all().unwrap();
    let names = names(folder.path());
    assert!(names.contains(&"notes.gz".to_owned()));
    let ours = names.iter().filter(|name| name.starts_with("E1."));
    let bytes: u64 = ours
        .clone()
        .map(|name| folder.path().join(name).metadata().unwrap().len())
        .sum();
    assert!(ours.count() > 1 && bytes <= 2_000, "{bytes} {names:?}");
}

#[test]
fn what_a_crash_left_gets_its_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("E1.2026-01-01-10.00c0ffee.gz.part"), b"").unwrap();
    Files::open(AccessLogOptions::in_folder(folder.path().to_owned())).unwrap();
    assert_eq!(names(folder.path()), ["E1.2026-01-01-10.00c0ffee.gz"]);
}
