//! `serve --access-log`: CloudFront's standard access log, as the Developer Guide's "Standard logging reference" has it.

use std::fs::{File, read_dir};
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::origin::{Origin, distribution_of, get};
use crate::program::{Server, check_refused, run};
use crate::tls;

/// The names of the files of a log in order, each with its lines as fields; the two lines of the header are checked.
fn files(folder: &Path) -> Vec<(String, Vec<Vec<String>>)> {
    let entries = read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries.map(|path| (name(&path), lines(&path))).collect();
    files.sort();
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn lines(path: &Path) -> Vec<Vec<String>> {
    let mut text = String::new();
    MultiGzDecoder::new(File::open(path).unwrap())
        .read_to_string(&mut text)
        .unwrap();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("#Version: 1.0"));
    let fields = lines
        .next()
        .unwrap()
        .strip_prefix("#Fields: ")
        .unwrap()
        .split(' ')
        .count();
    let lines: Vec<Vec<String>> = lines
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect();
    assert!(lines.iter().all(|line| (line.len(), fields) == (33, 33)), "{text}");
    lines
}

#[test]
fn each_hour_has_a_file_of_its_own_in_gzip() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (path, logs) = (data.path().to_str().unwrap(), folder.path().join("made/here"));
    let origin = Origin::start();
    let arguments = [
        "--clock",
        "manual",
        "--origin",
        &origin.url(),
        "--access-log",
        logs.to_str().unwrap(),
    ];
    let server = Server::start(data.path(), &arguments);
    let edge = server.address("edge");
    assert!(get(&edge, "/a?b=1").is_miss());
    assert!(run(&["clock", "advance", "1h", "--data", path]).status.success());
    assert!(!get(&edge, "/a?b=2").body.is_empty());
    let authority = data.path().join("ca/cert.pem");
    let over_tls = tls::get(&server.address("edge_https"), "localhost", &authority).unwrap();
    assert!(over_tls.starts_with("HTTP/1.1 200 "), "{over_tls}");
    let (status, _, log) = server.end("TERM");
    assert!(status.success(), "{log}");

    let id = distribution_of(&log);
    let files = files(&logs);
    let hours: Vec<&str> = files
        .iter()
        .map(|(name, _)| {
            let (hour, unique) = name.strip_prefix(&format!("{id}.")).unwrap().split_once('.').unwrap();
            assert!(unique.len() == 11 && unique.ends_with(".gz"), "{name}");
            hour
        })
        .collect();
    let [(_, first), (_, second)] = &files[..] else {
        panic!("{files:?}")
    };
    let of_hour = |line: &[String]| format!("{}-{}", line[0], &line[1][..2]);
    assert_eq!(hours, [of_hour(&first[0]), of_hour(&second[0])]);
    assert_eq!((first.len(), second.len()), (1, 2));

    // cs-method, cs-uri-stem, sc-status, cs-uri-query, x-edge-result-type, cs-protocol.
    let shown = |line: &[String]| [5, 7, 8, 11, 13, 16].map(|at| line[at].clone());
    assert_eq!(shown(&first[0]), ["GET", "/a", "200", "b=1", "Miss", "http"]);
    // ssl-protocol, ssl-cipher.
    assert_eq!([&first[0][20], &first[0][21]], ["-", "-"]);
    let secure = second.iter().find(|line| line[16] == "https").unwrap();
    assert_eq!([&secure[20], &secure[21]], ["TLSv1.3", "TLS_AES_256_GCM_SHA384"]);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("file");
    File::create(&file).unwrap();
    let path = file.to_str().unwrap();
    let refused = run(&["serve", "--ephemeral", "--edge", "0", "--access-log", path]);
    check_refused(&refused, 1, &["--access-log", path]);
}
