//! Compares what happened with what a scenario says.

use std::collections::HashSet;

use http::HeaderMap;
use warmfront_testkit::{Answer as Got, OriginRequest};

use crate::scenario::{Answer, Asked, Exchange, Expected, Outcome};
use crate::script::{Spoken, UNSCRIPTED};

/// One exchange, as it went.
pub(crate) struct Seen<'a> {
    pub(crate) exchange: &'a Exchange,
    pub(crate) expected: &'a Answer,
    pub(crate) got: &'a Got,
    pub(crate) requests: &'a [OriginRequest],
    pub(crate) spoken: &'a [Spoken],
    pub(crate) earlier: &'a HashSet<String>,
    pub(crate) target: &'a dyn Fn(&str) -> String,
    pub(crate) date: &'a dyn Fn(&str) -> Result<String, String>,
    pub(crate) slack_secs: u64,
}

/// The first thing that is not as written.
pub(crate) fn exchange(seen: &Seen<'_>) -> Result<(), String> {
    let Seen { expected, got, .. } = seen;
    let as_expected = match expected.status {
        0 => true,
        5 => (500..=599).contains(&got.status),
        status => got.status == status,
    };
    if !as_expected {
        return Err(format!("status {} instead of {}", got.status, expected.status));
    }
    outcome(seen)?;
    if let Some(body) = &expected.body
        && got.text() != *body
    {
        return Err(format!("body {:?} instead of {body:?}", got.text()));
    }
    fields("the answer", &got.headers, &expected.headers, seen)?;
    for (asked, request) in seen.exchange.asked.iter().zip(seen.requests) {
        at_origin(asked, request, seen)?;
    }
    if seen.exchange.asked.len() > seen.requests.len() {
        return Err(format!("the origin was asked {} times only", seen.requests.len()));
    }
    Ok(())
}

/// Whether the body can be told from others: there is one, and the scenario does not make it up itself.
fn has_telling_body(seen: &Seen<'_>) -> bool {
    let bodiless = seen.exchange.request.method == "HEAD" || matches!(seen.got.status, 204 | 304);
    !bodiless && seen.expected.body.is_none()
}

fn outcome(seen: &Seen<'_>) -> Result<(), String> {
    let n_asked = seen.requests.len();
    let behind = usize::from(seen.exchange.refresh.is_some());
    let was_asked = n_asked > behind;
    let text = seen.got.text();
    let of_now = || match seen.spoken.last() {
        Some(spoken) if has_telling_body(seen) && spoken.body != text => {
            Err(format!("body {text:?} instead of the origin's {:?}", spoken.body))
        }
        _ => Ok(()),
    };
    let of_earlier = || match has_telling_body(seen) && (!seen.earlier.contains(&text) || text == UNSCRIPTED) {
        true => Err(format!("body {text:?}, which is none of an earlier reply")),
        false => Ok(()),
    };
    match seen.expected.outcome {
        Outcome::Any => Ok(()),
        Outcome::Hit | Outcome::Own if was_asked => Err("the origin was asked".to_owned()),
        Outcome::Miss | Outcome::Revalidated | Outcome::Asked if !was_asked => {
            Err("the origin was not asked".to_owned())
        }
        Outcome::Hit | Outcome::Stale => of_earlier(),
        Outcome::Own | Outcome::Asked => Ok(()),
        Outcome::Miss => of_now(),
        Outcome::Revalidated => {
            let conditional = |request: &OriginRequest| {
                ["if-none-match", "if-modified-since"]
                    .iter()
                    .any(|name| request.headers.contains_key(*name))
            };
            if !seen.requests.iter().any(conditional) {
                return Err("the origin was asked without a condition".to_owned());
            }
            of_earlier()
        }
    }
}

fn at_origin(asked: &Asked, request: &OriginRequest, seen: &Seen<'_>) -> Result<(), String> {
    let target = (seen.target)(&request.target);
    if (request.method.as_str(), target.as_str()) != (asked.method.as_str(), asked.target.as_str()) {
        return Err(format!(
            "the origin saw {} {target} instead of {} {}",
            request.method, asked.method, asked.target
        ));
    }
    if let Some(body) = &asked.body
        && request.body != body.as_bytes()
    {
        return Err(format!(
            "the origin got the body {:?}",
            String::from_utf8_lossy(&request.body)
        ));
    }
    fields("the request to the origin", &request.headers, &asked.headers, seen)
}

fn fields(what: &str, headers: &HeaderMap, expected: &[Expected], seen: &Seen<'_>) -> Result<(), String> {
    for expected in expected {
        match expected {
            Expected::Is(name, value) => {
                let value = (seen.date)(value)?;
                let there = joined(headers, name);
                if there.as_deref() != Some(&*value) && !is_close(name, there.as_deref(), &value, seen.slack_secs) {
                    return Err(format!("{what} has {name}: {there:?} instead of {value:?}"));
                }
            }
            Expected::Has(name, part) => {
                let there = joined(headers, name);
                let part = (seen.date)(part)?;
                if !there.as_deref().is_some_and(|value| value.contains(&part)) {
                    return Err(format!("{what} has {name}: {there:?}, without {part:?} in it"));
                }
            }
            Expected::Without(name) => {
                if let Some(value) = joined(headers, name) {
                    return Err(format!("{what} has {name}: {value:?}, which should not be there"));
                }
            }
        }
    }
    Ok(())
}

fn joined(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines: Vec<String> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .collect();
    (!lines.is_empty()).then(|| lines.join(", "))
}

/// In real time an age may have grown by a second or two.
fn is_close(name: &str, there: Option<&str>, expected: &str, slack_secs: u64) -> bool {
    let secs = |text: &str| text.parse::<u64>().ok();
    match (there.and_then(secs), secs(expected)) {
        (Some(there), Some(expected)) if name.eq_ignore_ascii_case("age") => {
            (expected..=expected.saturating_add(slack_secs)).contains(&there)
        }
        _ => false,
    }
}
