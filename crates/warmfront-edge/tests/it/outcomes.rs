//! Every outcome has one word, and it is the same in the header, in the log and in the metric.

use std::io;
use std::sync::{Mutex, OnceLock};

use tracing_subscriber::EnvFilter;
use warmfront_edge::{EdgeOptions, ExplainToken, Limits, Metric};
use warmfront_facts::OriginAllow;
use warmfront_testkit::{Answer, Ask, Behavior, Gate, Origin, OriginSite, Reply, Site, Testbed, edge_options};

/// Everything that the edges of this process log about answers.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen_to_log() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(
                "warmfront_edge=warn,warmfront_edge::request::watch=debug",
            ))
            .with_ansi(false)
            .with_writer(|| Log)
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

fn log_line_with(text: &str) -> String {
    let log = String::from_utf8_lossy(&LOG.lock().unwrap()).into_owned();
    let line = log.lines().find(|line| line.contains(text));
    line.unwrap_or_else(|| panic!("no line has {text}")).to_owned()
}

/// The value of the metric whose name and labels, `pop` apart, are these; 0 if it is not shown.
fn metric(bed: &Testbed, name: &str, labels: &[(&str, &str)]) -> u64 {
    let labels: String = labels
        .iter()
        .map(|(name, value)| format!(",{name}=\"{value}\""))
        .collect();
    let start = format!("{name}{{pop=\"IAD89-P3\"{labels}}} ");
    let text = bed.metrics();
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |value| value.parse().unwrap())
}

type Fields<'a> = &'a [(&'a str, &'a str)];

/// What a request is expected to have come to: reason, result, and why it was fetched and kept.
struct Expected<'a> {
    reason: &'a str,
    result: &'a str,
    fetch: &'a str,
    kept: &'a str,
}

const fn expected<'a>(reason: &'a str, result: &'a str, fetch: &'a str, kept: &'a str) -> Expected<'a> {
    Expected {
        reason,
        result,
        fetch,
        kept,
    }
}

/// An answer of the edge's own.
const fn own<'a>(reason: &'a str, result: &'a str) -> Expected<'a> {
    expected(reason, result, "-", "-")
}

fn explained(ask: &Ask) -> Ask {
    ask.clone().header("x-warmfront-explain", "1")
}

/// Asks, and looks for the words at all places.
async fn check(bed: &Testbed, ask: Ask, expected: &Expected<'_>) {
    listen_to_log();
    let answer = bed.ask(&explained(&ask)).await;
    check_answer(bed, &answer, expected);
}

fn check_answer(bed: &Testbed, answer: &Answer, expected: &Expected<'_>) {
    let Expected {
        reason,
        result,
        fetch,
        kept,
    } = *expected;
    let mut header = format!("{reason}; result={result}");
    let mut words = format!("result=\"{result}\" reason=\"{reason}\" fetch=\"{fetch}\" kept=\"{kept}\"");
    if fetch != "-" {
        header.push_str(&format!("; fetch={fetch}"));
    }
    if kept != "-" {
        header.push_str(&format!("; kept={kept}"));
    }
    let shown = answer.header("x-warmfront-explain");
    assert!(
        shown == header || shown.starts_with(&format!("{header}; ")),
        "{shown}, expected {header}"
    );
    let x_cache = if result == "LimitExceeded" { "Error" } else { result };
    assert_eq!(answer.x_cache(), x_cache);
    assert!(answer.header("cache-status").ends_with(&format!("; detail={reason}")));

    let line = log_line_with(&format!("answered request_id=\"{}\"", answer.header("x-amz-cf-id")));
    words = format!("status={} {words}", answer.status);
    assert!(line.contains(&words), "{line}\nexpected {words}");

    let class = format!("{}xx", answer.status / 100);
    let labels = [("reason", reason), ("result", result), ("status", &class)];
    assert!(
        metric(bed, "warmfront_requests_total", &labels) > 0,
        "{labels:?}\n{}",
        bed.metrics()
    );
    if fetch != "-" {
        let labels = [("fetch", fetch), ("kept", kept)];
        assert!(
            metric(bed, "warmfront_fetched_requests_total", &labels) > 0,
            "{labels:?}"
        );
    }
}

#[tokio::test]
async fn what_the_cache_answers() {
    let origin = Origin::start().await;
    origin.replies("/a", [Reply::ok("one").max_age(60), Reply::status(400)]);
    let windows = "max-age=60, stale-while-revalidate=30";
    origin.reply("/swr", Reply::ok("one").header("cache-control", windows));
    let etag = Reply::ok("one").max_age(60).header("etag", "\"1\"");
    origin.replies("/etag", [etag, Reply::status(304).max_age(60).header("etag", "\"1\"")]);
    origin.replies("/down", [Reply::ok("one").max_age(60), Reply::status(503)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    for path in ["/a", "/swr", "/etag", "/down"] {
        check(&bed, Ask::get(path), &expected("fetched", "Miss", "absent", "max-age")).await;
    }
    check(&bed, Ask::get("/a"), &expected("fresh", "Hit", "-", "max-age")).await;
    bed.advance(60);
    check(
        &bed,
        Ask::get("/swr"),
        &expected("stale-while-revalidate", "Hit", "-", "max-age"),
    )
    .await;
    check(
        &bed,
        Ask::get("/etag"),
        &expected("revalidated", "RefreshHit", "expired", "max-age"),
    )
    .await;
    check(
        &bed,
        Ask::get("/down"),
        &expected("stale-if-error", "RefreshHit", "expired", "max-age"),
    )
    .await;
    check(
        &bed,
        Ask::get("/down"),
        &expected("origin-left-alone", "Hit", "-", "max-age"),
    )
    .await;
    check(&bed, Ask::get("/a"), &expected("fetched", "Error", "expired", "status")).await;
    // A sweep may remove what is covered before it is asked for; but not every time, as it pauses between two.
    loop {
        bed.invalidate(&["/swr"]).await;
        let answer = bed.ask(&explained(&Ask::get("/swr"))).await;
        if !answer.header("x-warmfront-explain").contains("; fetch=absent; ") {
            check_answer(&bed, &answer, &expected("fetched", "Miss", "covered", "max-age"));
            break;
        }
    }
}

#[tokio::test]
async fn why_a_response_is_kept_or_not() {
    let origin = Origin::start().await;
    let cases: [(&str, u16, Fields<'_>, &str); 10] = [
        (
            "/s-maxage",
            200,
            &[("cache-control", "s-maxage=9, max-age=5")],
            "s-maxage",
        ),
        (
            "/expires",
            200,
            &[("expires", "Thu, 01 Jan 2026 00:01:00 GMT")],
            "expires",
        ),
        (
            "/no-cache",
            200,
            &[("cache-control", "no-cache"), ("etag", "\"1\"")],
            "no-cache",
        ),
        ("/default", 200, &[], "default-ttl"),
        ("/long", 200, &[("cache-control", "max-age=99999999")], "max-ttl"),
        ("/gone", 404, &[], "error-caching-min-ttl"),
        ("/no-store", 200, &[("cache-control", "no-store")], "no-store"),
        ("/private", 200, &[("cache-control", "private")], "private"),
        ("/part", 206, &[("cache-control", "max-age=60")], "partial-content"),
        ("/never", 200, &[("cache-control", "max-age=0")], "never-usable"),
    ];
    for (path, status, fields, _) in cases {
        let reply = fields
            .iter()
            .fold(Reply::status(status), |reply, (name, value)| reply.header(name, value));
        origin.reply(path, reply);
    }
    let bed = Testbed::with(&Site::new(&origin)).await;
    for (path, status, _, kept) in cases {
        let result = if status >= 400 { "Error" } else { "Miss" };
        check(&bed, Ask::get(path), &expected("fetched", result, "absent", kept)).await;
    }
}

#[tokio::test]
async fn what_goes_past_the_cache() {
    const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
    let origin = Origin::start().await;
    for path in ["/a", "/off/a", "/all/a"] {
        origin.reply(path, Reply::ok("one").max_age(60));
    }
    let site = Site::new(&origin)
        .default_behavior(Behavior::to("web").all_methods())
        .behavior("/off/*", Behavior::to("web").cache_policy(CACHING_DISABLED))
        .behavior("/all/*", Behavior::to("web").forwards(false, &["*"], &[]));
    let bed = Testbed::with(&site).await;
    let check = async |ask: Ask, kept| check(&bed, ask, &expected("passed", "Miss", "uncached", kept)).await;
    check(Ask::with_method("POST", "/a").body("x"), "method").await;
    check(Ask::get("/off/a"), "caching-disabled").await;
    check(Ask::get("/all/a"), "all-headers-forwarded").await;
}

#[tokio::test]
async fn what_others_fetched() {
    listen_to_log();
    let origin = Origin::start().await;
    let (head, rest) = (Gate::new(), Gate::new());
    let reply = Reply::ok("o").then_wait(&rest).then("ne").max_age(60).held(&head);
    origin.replies("/a", [reply, Reply::status(400)]);
    let bed = Testbed::with(&Site::new(&origin)).await;
    let (mut first, mut second) = (bed.viewer().await, bed.viewer().await);
    first.send(&explained(&Ask::get("/a"))).await;
    head.reached().await;
    second.send(&explained(&Ask::get("/a"))).await;
    // The second waits once its connection has been told so: a third request on it would be answered after it.
    while metric(&bed, "warmfront_fetch_waiters", &[]) < 2 {
        tokio::task::yield_now().await;
    }
    head.open();
    let heads = [first.head().await.unwrap(), second.head().await.unwrap()];
    let mut third = bed.viewer().await;
    third.send(&explained(&Ask::get("/a"))).await;
    let third_head = third.head().await.unwrap();
    rest.open();
    let reasons = heads.map(|head| head.headers["x-warmfront-explain"].to_str().unwrap().to_owned());
    assert!(
        reasons[0].starts_with("fetched; result=Miss; fetch=absent; kept=max-age; "),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("joined; result=Miss; fetch=absent; kept=max-age; "),
        "{reasons:?}"
    );
    let (body, truncated) = third.body(&third_head).await;
    let answer = Answer {
        status: third_head.status,
        headers: third_head.headers,
        body,
        truncated,
    };
    check_answer(&bed, &answer, &expected("arriving", "Hit", "-", "max-age"));
}

#[tokio::test]
async fn what_the_edge_refuses() {
    let origin = Origin::start().await;
    let secure = |policy: &str| Behavior::to("web").viewer_protocol_policy(policy);
    let site = Site::new(&origin)
        .behavior("/https/*", secure("https-only"))
        .behavior("/to-https/*", secure("redirect-to-https"));
    let bed = Testbed::with(&site).await;
    let check = async |ask: Ask, reason, result| check(&bed, ask, &own(reason, result)).await;
    let long = format!("/{}", "a".repeat(8_200));
    check(Ask::get(&long), "url-too-long", "Error").await;
    check(
        Ask::get("/a").header("x-a", &"a".repeat(33_000)),
        "headers-too-large",
        "Error",
    )
    .await;
    check(Ask::with_method("OPTIONS", "*"), "no-path", "Error").await;
    check(Ask::get("/a").body("x"), "unexpected-body", "Error").await;
    check(Ask::get("/a").no_host(), "no-host", "Error").await;
    check(Ask::get("/a").header("host", "b"), "several-hosts", "Error").await;
    check(Ask::get("/a").host("elsewhere.test"), "unknown-host", "Error").await;
    check(Ask::with_method("DELETE", "/a"), "method-not-allowed", "Error").await;
    check(Ask::get("/https/a"), "https-required", "Error").await;
    check(Ask::get("/to-https/a"), "redirect-to-https", "Redirect").await;
    assert_eq!(origin.n_requests(), 0);
    bed.write(&site.disabled()).await;
    check(Ask::get("/a"), "distribution-disabled", "Error").await;
}

#[tokio::test]
async fn what_origins_fail_to_answer() {
    let origin = Origin::start().await;
    origin.reply("/garbage", Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"));
    origin.reply("/silence", Reply::silence());
    let closed = Origin::start().await.port();
    let site = Site::new(&origin)
        .origin(OriginSite::custom("closed", closed))
        .behavior("/closed", Behavior::to("closed"));
    let bed = Testbed::with(&site).await;
    check(&bed, Ask::get("/garbage"), &own("origin-invalid", "Error")).await;
    check(&bed, Ask::get("/closed"), &own("origin-connect", "Error")).await;
    assert_eq!(
        metric(&bed, "warmfront_origin_fetches_total", &[("result", "origin-connect")]),
        1
    );

    let strict = Testbed::start(EdgeOptions {
        origin_allow: OriginAllow::default(),
        ..edge_options()
    })
    .await;
    strict.write(&Site::new(&origin)).await;
    check(&strict, Ask::get("/a"), &own("origin-not-allowed", "Error")).await;

    let full = Testbed::start(EdgeOptions {
        limits: Limits {
            fetches_max: 0,
            ..Limits::default()
        },
        ..edge_options()
    })
    .await;
    full.write(&Site::new(&origin)).await;
    check(&full, Ask::get("/a"), &own("too-many-fetches", "LimitExceeded")).await;
}

#[tokio::test]
async fn a_viewer_who_leaves_before_the_answer_is_counted() {
    let origin = Origin::start().await;
    let gate = Gate::new();
    origin.reply("/a", Reply::ok("one").held(&gate));
    let bed = Testbed::with(&Site::new(&origin)).await;
    let mut viewer = bed.viewer().await;
    viewer.send(&Ask::get("/a")).await;
    gate.reached().await;
    drop(viewer);
    let labels = [("reason", "viewer-left"), ("result", "Error"), ("status", "none")];
    while metric(&bed, "warmfront_requests_total", &labels) == 0 {
        tokio::task::yield_now().await;
    }
    gate.open();
}

#[tokio::test]
async fn whatever_fails_for_a_request_is_logged_with_its_id() {
    listen_to_log();
    let origin = Origin::start().await;
    origin.reply("/none", Reply::hang_up());
    origin.reply("/cut", Reply::ok("one").content_length(100).then_close());
    let bed = Testbed::with(&Site::new(&origin)).await;
    for (path, said) in [("/none", "no answer from the origin"), ("/cut", "a body broke off")] {
        let answer = bed.get(path).await;
        let id = answer.header("x-amz-cf-id");
        assert_eq!(origin.last_request().header("x-amz-cf-id"), id);
        let span = format!("request{{id=\"{id}\"}}");
        let has_both = |line: &str| line.contains(&span) && line.contains(said);
        while !String::from_utf8_lossy(&LOG.lock().unwrap()).lines().any(has_both) {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_explanation_says_what_it_was_decided_by() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::with(&Site::new(&origin)).await;
    bed.get("/a").await;
    let as_of = bed.applied_now().0;
    let covering = bed.invalidate(&["/b"]).await.0;
    bed.advance(7);
    let hit = bed.ask(&explained(&Ask::get("/a"))).await;
    let shown = hit.header("x-warmfront-explain");
    let start = "fresh; result=Hit; kept=max-age; distribution=E1U5RQF7T870K0; behavior=\"*\"; key=\"";
    assert!(shown.starts_with(start), "{shown}");
    // The check has raised the as-of to the revision that it was made at; a sweep may have raised the floor as well.
    assert!(covering > as_of);
    let end = |required: u64| format!("\"; applied={covering}; required={required}; as-of={covering}; age=7; ttl=53");
    assert!(shown.ends_with(&end(0)) || shown.ends_with(&end(covering)), "{shown}");
    assert!(hit.header("cache-status").starts_with("warmfront; hit; ttl=53; key=\""));
    bed.advance(53);
    let miss = bed.ask(&explained(&Ask::get("/a"))).await;
    assert!(
        miss.header("cache-status")
            .starts_with("warmfront; fwd=stale; fwd-status=200; stored; ttl=60"),
        "{}",
        miss.header("cache-status")
    );
}

#[tokio::test]
async fn explanations_are_for_those_who_may_ask_and_never_reach_an_origin_or_the_cache() {
    let origin = Origin::start().await;
    origin.reply("/a", Reply::ok("one").max_age(60));
    let bed = Testbed::start(EdgeOptions {
        explain_token: ExplainToken::new("a-token-of-some-length"),
        ..edge_options()
    })
    .await;
    bed.write(&Site::new(&origin).default_behavior(Behavior::to("web").forwards(false, &["X-Warmfront-Explain"], &[])))
        .await;
    let explains = async |ask: Ask| {
        let answer = bed.ask(&ask).await;
        let shown = answer.headers.contains_key("x-warmfront-explain");
        assert_eq!(answer.headers.contains_key("cache-status"), shown);
        shown
    };
    let question = |value: &str| Ask::get("/a").header("x-warmfront-explain", value);
    assert!(explains(question("1")).await, "from loopback");
    assert!(!explains(Ask::get("/a")).await, "nobody asked");
    // Whoever comes through a proxy on this machine may be anywhere.
    let forwarded = |value| question(value).header("x-forwarded-for", "203.0.113.9");
    assert!(!explains(forwarded("1")).await);
    assert!(!explains(forwarded("a-token-of-some-lengtH")).await);
    assert!(explains(forwarded("a-token-of-some-length")).await);
    let seen = origin.only_request();
    assert_eq!(seen.header("x-warmfront-explain"), "");
}

/// Metrics and words are promises: what the table for operators says is what there is.
#[test]
fn the_operators_table_names_every_metric_and_every_word() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operating/metrics.md");
    let table = std::fs::read_to_string(path).unwrap();
    let rows = |heading: &str| -> Vec<String> {
        let section = table
            .split("\n## ")
            .find(|section| section.starts_with(heading))
            .expect(heading);
        let row = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
        section.lines().filter_map(row).collect()
    };
    let metrics: Vec<&str> = warmfront_edge::EdgeMetrics::all()
        .map(|Metric { name, .. }| name)
        .collect();
    assert_eq!(rows("Metrics"), metrics);
    let words = |all: &[&'static str]| all.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let reasons: Vec<&str> = warmfront_edge::Reason::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(rows("Reasons"), words(&reasons));
    let fetch: Vec<&str> = warmfront_edge::FetchReason::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(rows("Why an origin was asked"), words(&fetch));
    let kept: Vec<&str> = warmfront_edge::Kept::all().map(warmfront_edge::Kept::as_str).collect();
    assert_eq!(rows("Why a response is kept or not"), words(&kept));
}
