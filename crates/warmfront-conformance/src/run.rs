//! Acts a scenario out and says where it goes another way than written.

use std::collections::HashSet;
use std::time::Duration;

use warmfront_http::format_http_date;
use warmfront_model::Timestamp;
use warmfront_testkit::Answer as Got;

use crate::Profile;
use crate::check;
use crate::scenario::{Action, Answer, Exchange, Scenario};
use crate::script::{Script, Spoken};
use crate::subject::Subject;

/// How long something that happens behind an answer may take, in real time.
const PATIENCE: Duration = Duration::from_secs(20);

/// A run: what all steps share.
struct Run<'a, S> {
    subject: &'a S,
    /// Whose answers count where they differ.
    profile: Option<Profile>,
    start: Timestamp,
    n_replies: usize,
    /// Bodies of the replies of earlier exchanges.
    earlier: HashSet<String>,
}

/// Acts out `scenario`; with a `profile`, its own answers count where it has some.
///
/// # Errors
/// The line of the first step that went another way, and how.
pub(crate) async fn run<S: Subject>(scenario: &Scenario, profile: Option<Profile>, subject: &S) -> Result<(), String> {
    let mut run = Run {
        subject,
        profile,
        start: subject.now(),
        n_replies: 0,
        earlier: HashSet::new(),
    };
    for step in &scenario.steps {
        let outcome = match &step.action {
            Action::Wait(secs) => {
                subject.wait(*secs).await;
                Ok(())
            }
            Action::Invalidate(path) => subject.invalidate(path).await,
            Action::Exchange(exchange) => run.exchange(exchange).await,
        };
        outcome.map_err(|problem| format!("line {}: {problem}", step.line))?;
    }
    Ok(())
}

impl<S: Subject> Run<'_, S> {
    async fn exchange(&mut self, exchange: &Exchange) -> Result<(), String> {
        let expected = self.expected(exchange);
        if !expected.eventually {
            return self.once(exchange, expected).await;
        }
        let began = tokio::time::Instant::now();
        loop {
            match self.once(exchange, expected).await {
                Err(_) if began.elapsed() < PATIENCE => tokio::task::yield_now().await,
                outcome => return outcome,
            }
        }
    }

    fn expected<'e>(&self, exchange: &'e Exchange) -> &'e Answer {
        let own = self
            .profile
            .and_then(|profile| exchange.answer_of.iter().find(|(of, _)| *of == profile));
        own.map_or(&exchange.answer, |(_, answer)| answer)
    }

    async fn once(&mut self, exchange: &Exchange, expected: &Answer) -> Result<(), String> {
        let now = self.subject.now();
        let date = |text: &str| with_dates(text, self.start, now);
        let mut request = exchange.request.clone();
        for (_, value) in &mut request.headers {
            *value = date(value)?;
        }
        let mut replies = Vec::new();
        for reply in exchange.replies.iter().chain(&exchange.refresh) {
            self.n_replies += 1;
            replies.push(Spoken::of(reply, self.n_replies, &date)?);
        }
        let script = self.subject.script();
        script.begin(replies);
        let got = self.subject.ask(&request).await?;
        if exchange.refresh.is_some() {
            refreshed(script, exchange.replies.len() + 1).await?;
        }
        let (seen, spoken) = (script.seen(), script.spoken());
        let judged = check::exchange(&check::Seen {
            exchange,
            expected,
            got: &got,
            requests: &seen,
            spoken: &spoken,
            earlier: &self.earlier,
            target: &|target| self.subject.target_at_origin(target).to_owned(),
            date: &date,
            slack_secs: self.subject.slack_secs(),
        });
        self.earlier.extend(spoken.iter().map(|spoken| spoken.body.clone()));
        judged.map_err(|problem| format!("{problem}\n    answer: {}\n    origin: {}", summary(&got), asked(&seen)))
    }
}

async fn refreshed(script: &Script, n: usize) -> Result<(), String> {
    let waiting = tokio::time::timeout(PATIENCE, script.asked(n));
    waiting
        .await
        .map_err(|_| "the origin was not asked behind the answer".to_owned())
}

fn summary(got: &Got) -> String {
    let fields: Vec<String> = got
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let body: String = got.text().chars().take(60).collect();
    format!("{} {body:?} [{}]", got.status, fields.join("; "))
}

fn asked(seen: &[warmfront_testkit::OriginRequest]) -> String {
    if seen.is_empty() {
        return "not asked".to_owned();
    }
    let requests: Vec<String> = seen
        .iter()
        .map(|request| format!("{} {} {:?}", request.method, request.target, request.headers))
        .collect();
    requests.join(" | ")
}

/// Puts dates in place of `{now}`, `{now+60s}`, `{start-1d}`.
fn with_dates(text: &str, start: Timestamp, now: Timestamp) -> Result<String, String> {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| format!("{text:?} has no closing brace"))?;
        written.push_str(before);
        written.push_str(&date(name, start, now)?);
        rest = after;
    }
    Ok(written + rest)
}

fn date(name: &str, start: Timestamp, now: Timestamp) -> Result<String, String> {
    let wrong = || format!("{{{name}}} is no date: write {{now}} or {{start}}, with +60s or -1d if need be");
    let (base, offset) = match name.find(['+', '-']) {
        Some(at) => name.split_at(at),
        None => (name, "+0s"),
    };
    let base = match base {
        "now" => now,
        "start" => start,
        _ => return Err(wrong()),
    };
    let secs = crate::scenario::duration_secs(&offset[1..]).map_err(|_| wrong())?;
    let ms = i64::try_from(secs).map_err(|_| wrong())? * 1_000;
    let moment = Timestamp(if offset.starts_with('-') {
        base.0 - ms
    } else {
        base.0 + ms
    });
    let value = format_http_date(moment);
    value.to_str().map(str::to_owned).map_err(|_| wrong())
}
