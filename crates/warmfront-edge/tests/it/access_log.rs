//! CloudFront's standard access log, as the Developer Guide's "Standard logging reference" has it.

use std::fs::{File, read_dir};
use std::io::Read;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use warmfront_clock::Clock;
use warmfront_edge::{AccessLog, AccessLogOptions, EdgeOptions};
use warmfront_model::Timestamp;
use warmfront_testkit::{Ask, Origin, Reply, Site, Testbed, edge_options};

const FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) \
    cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes \
    time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status \
    fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len \
    sc-range-start sc-range-end";

/// A testbed whose edge logs into `options.folder` at 2026-01-01 10:59:59 UTC.
async fn logging(options: AccessLogOptions) -> (Testbed, AccessLog) {
    let clock = Clock::manual(Timestamp::from_unix_secs(1_767_265_199));
    let log = AccessLog::start(options, clock.clone()).unwrap();
    let bed = Testbed::start(EdgeOptions {
        access_log: Some(log.clone()),
        clock,
        ..edge_options()
    })
    .await;
    (bed, log)
}

/// The fields of the lines of the only file in `folder`.
fn lines(folder: &Path) -> Vec<Vec<String>> {
    let files: Vec<_> = read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let mut text = String::new();
    let file = File::open(&files[0]).unwrap();
    MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    let header = format!("#Version: 1.0\n#Fields: {FIELDS}\n");
    let lines = text.strip_prefix(&header).unwrap().lines();
    lines
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

/// The values of one field, line by line.
fn values<'a>(lines: &'a [Vec<String>], field: &str) -> Vec<&'a str> {
    let place = FIELDS.split(' ').position(|name| name == field).unwrap();
    lines.iter().map(|line| line[place].as_str()).collect()
}

#[tokio::test]
async fn every_request_has_a_line_of_33_fields_with_the_words_of_its_answer() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await;
    origin.reply(
        "/a%20b",
        Reply::ok("one").max_age(60).header("content-type", "text/a;b=\"c\""),
    );
    origin.reply("/gone", Reply::status(404));
    let (bed, log) = logging(AccessLogOptions::in_folder(folder.path().to_owned())).await;
    bed.write(&Site::new(&origin)).await;
    let ask = Ask::get("/a%20b?q=%7Ex")
        .header("user-agent", "a browser\t{1}")
        .header("referer", "http://r/")
        .header("x-forwarded-for", "192.0.2.1")
        .header("cookie", "secret=1");
    let mut viewer = bed.viewer().await;
    let answers = [
        viewer.ask(&ask).await,
        viewer.ask(&ask).await,
        viewer.ask(&Ask::get("/gone")).await,
    ];
    drop(viewer);
    bed.shutdown().await;
    log.close();

    let lines = lines(folder.path());
    assert!(lines.iter().all(|line| line.len() == 33), "{lines:?}");
    assert_eq!(lines.len(), 3);

    let words: Vec<&str> = answers.iter().map(|answer| answer.x_cache()).collect();
    assert_eq!(words, ["Miss", "Hit", "Error"]);
    for field in [
        "x-edge-result-type",
        "x-edge-response-result-type",
        "x-edge-detailed-result-type",
    ] {
        assert_eq!(values(&lines, field), words, "{field}");
    }
    let ids: Vec<String> = answers
        .iter()
        .map(|answer| answer.header("x-amz-cf-id").replace('~', "%7E"))
        .collect();
    assert_eq!(values(&lines, "x-edge-request-id"), ids);
    assert_eq!(values(&lines, "sc-status"), ["200", "200", "404"]);
    let of_first = [
        ("date", "2026-01-01"),
        ("time", "10:59:59"),
        ("x-edge-location", "IAD89-P3"),
        ("c-ip", "127.0.0.1"),
        ("cs-method", "GET"),
        ("cs-uri-stem", "/a%2520b"),
        ("cs-uri-query", "q=%257Ex"),
        ("cs(Referer)", "http://r/"),
        ("cs(User-Agent)", "a%20browser%09%7B1%7D"),
        ("cs(Cookie)", "-"),
        ("cs-protocol", "http"),
        ("x-forwarded-for", "192.0.2.1"),
        ("ssl-protocol", "-"),
        ("ssl-cipher", "-"),
        ("cs-protocol-version", "HTTP/1.1"),
        ("fle-status", "-"),
        ("fle-encrypted-fields", "-"),
        ("sc-content-type", "text/a;b=%22c%22"),
        ("sc-content-len", "3"),
        ("sc-range-start", "-"),
        ("sc-range-end", "-"),
    ];
    for (field, value) in of_first {
        assert_eq!(values(&lines, field)[0], value, "{field}");
    }
    assert!(values(&lines, "cs(Host)")[0].ends_with(".cloudfront.net"));
    let of_last = "GET /gone HTTP/1.1\r\nhost: localhost\r\n\r\n";
    assert_eq!(values(&lines, "cs-bytes")[2], of_last.len().to_string());
    for field in ["sc-bytes", "c-port"] {
        let is_there = |value: &&str| value.parse::<u64>().unwrap() > 100;
        assert!(values(&lines, field).iter().all(is_there), "{field}");
    }
    for field in ["time-taken", "time-to-first-byte"] {
        let has_millis = |value: &&str| value.split_once('.').is_some_and(|(_, millis)| millis.len() == 3);
        assert!(values(&lines, field).iter().all(has_millis), "{field}");
    }
}

/// API Reference, LoggingConfig: Prefix and IncludeCookies count where Enabled does.
#[tokio::test]
async fn a_distributions_logging_says_where_and_whether_with_cookies() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    for (n, include_cookies, expected) in [(1, true, "a=1;%20b=2"), (2, false, "-")] {
        let (bed, log) = logging(AccessLogOptions::in_folder(folder.path().to_owned())).await;
        let prefix = format!("sites/{n}");
        bed.write(&Site::new(&origin).logging(&prefix, include_cookies)).await;
        bed.ask(&Ask::get("/a").header("cookie", "a=1; b=2")).await;
        bed.shutdown().await;
        log.close();
        let lines = lines(&folder.path().join(prefix));
        assert_eq!(values(&lines, "cs(Cookie)"), [expected]);
    }
}

#[tokio::test]
async fn lines_without_room_are_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await;
    let (bed, log) = logging(AccessLogOptions {
        queue_bytes_max: 0,
        ..AccessLogOptions::in_folder(folder.path().to_owned())
    })
    .await;
    bed.write(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    // The line of each is finished before the next one begins.
    for _ in 0..3 {
        viewer.ask(&Ask::get("/a")).await;
    }
    let shown = "warmfront_access_log_lines_dropped_total{pop=\"IAD89-P3\"} ";
    let metrics = bed.metrics();
    let dropped = metrics.lines().find_map(|line| line.strip_prefix(shown)).unwrap();
    assert!(["2", "3"].contains(&dropped), "{dropped}");
    log.close();
    assert_eq!(read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn closing_fetches_the_lines_that_cores_still_hold() {
    let folder = tempfile::tempdir().unwrap();
    let origin = Origin::start().await;
    let (bed, log) = logging(AccessLogOptions::in_folder(folder.path().to_owned())).await;
    bed.write(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    // The line of the first is finished before the second begins.
    for path in ["/a", "/b"] {
        viewer.ask(&Ask::get(path)).await;
    }
    log.close();
    let files: Vec<_> = read_dir(folder.path()).unwrap().collect();
    let mut text = String::new();
    let file = File::open(files[0].as_ref().unwrap().path()).unwrap();
    MultiGzDecoder::new(file).read_to_string(&mut text).unwrap();
    assert!(text.contains("\t/a\t"), "{text}");
}
