use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;

use super::call::{Api, api_of};
use super::front::Kind;
use crate::duration;
use crate::outcome::Complaint;

/// The answers that a script can give, each with its status and message.
///
/// Source: CloudFront API Reference, "Common Errors" and CreateInvalidation; S3 API reference, "Error responses".
const ANSWERS: &[(&str, u16, &str)] = &[
    ("AccessDenied", 403, "Access Denied"),
    (
        "InternalError",
        500,
        "We encountered an internal error. Please try again.",
    ),
    (
        "ServiceUnavailable",
        503,
        "CloudFront encountered an internal error. Please try again.",
    ),
    ("SlowDown", 503, "Please reduce your request rate."),
    ("Throttling", 400, "Rate exceeded"),
    (
        "TooManyInvalidationsInProgress",
        400,
        "Processing your request will cause you to exceed the maximum number of in-progress invalidations.",
    ),
];

/// The answer that is none: the call takes effect, and the connection ends.
const LOST: &str = "Lost";

/// What goes wrong, and when.
#[derive(Debug)]
pub struct Script {
    faults: Mutex<Vec<Fault>>,
    edge: Option<SlowPop>,
}

/// POPs that answer viewers over plain HTTP late.
#[derive(Debug)]
struct SlowPop {
    /// `None`: all of them.
    name: Option<String>,
    delay: Duration,
}

#[derive(Debug)]
struct Fault {
    call: String,
    after: u32,
    times: u32,
    stroke: Stroke,
}

/// What is done to one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stroke {
    /// How long it is kept waiting first.
    pub delay: Duration,
    /// What becomes of it then.
    pub end: End,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    /// It works.
    #[default]
    Works,
    /// It is refused, and has no effect.
    Refused {
        /// The status.
        status: u16,
        /// AWS's code.
        code: &'static str,
        /// AWS's words.
        message: &'static str,
    },
    /// It works, and nobody hears of it.
    Lost,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    fault: Vec<FaultConfig>,
    #[serde(default)]
    edge: EdgeConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgeConfig {
    pop: Option<String>,
    delay: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultConfig {
    call: String,
    answer: Option<String>,
    delay: Option<String>,
    #[serde(default = "once")]
    times: u32,
    #[serde(default)]
    after: u32,
}

fn once() -> u32 {
    1
}

impl Script {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// Names the file and what in it makes no sense.
    pub fn load(path: &Path) -> Result<Script, Complaint> {
        let refuse = |reason: String| Complaint::usage(format!("--faults {}: {reason}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| refuse(error.to_string()))?;
        Script::parse(&text).map_err(refuse)
    }

    fn parse(text: &str) -> Result<Script, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        let faults = file.fault.into_iter().map(Fault::new).collect::<Result<_, _>>()?;
        let slow = file.edge.delay.as_deref().map(delay).transpose()?;
        Ok(Script {
            faults: Mutex::new(faults),
            edge: slow.map(|delay| SlowPop {
                name: file.edge.pop,
                delay,
            }),
        })
    }

    /// What is done to the next call with this name. Of several faults for it the first that is not used up decides.
    pub fn next(&self, call: &str) -> Stroke {
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        for fault in faults.iter_mut().filter(|fault| fault.call == call) {
            if fault.after > 0 {
                fault.after -= 1;
                return Stroke::default();
            }
            if fault.times > 0 {
                fault.times -= 1;
                return fault.stroke.clone();
            }
        }
        Stroke::default()
    }

    /// Whether the POP with this name answers late.
    pub fn delays(&self, pop: &str) -> bool {
        let edge = self.edge.as_ref();
        edge.is_some_and(|slow| slow.name.as_deref().is_none_or(|name| name == pop))
    }

    /// How late.
    pub fn pop_delay(&self) -> Duration {
        self.edge.as_ref().map(|slow| slow.delay).unwrap_or_default()
    }

    /// Whether any fault concerns this API.
    pub fn concerns(&self, kind: Kind) -> bool {
        let api = match kind {
            Kind::CloudFront => Api::CloudFront,
            Kind::S3 => Api::S3,
            Kind::Pop(_) => return self.edge.is_some(),
        };
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter().any(|fault| api_of(&fault.call) == Some(api))
    }

    /// What the script holds, a line for each fault.
    pub fn lines(&self) -> Vec<String> {
        let faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |fault: &Fault| {
            let end = match fault.stroke.end {
                End::Works => "works".to_owned(),
                End::Refused { status, code, .. } => format!("answers {status} {code}"),
                End::Lost => "works, and its answer is lost".to_owned(),
            };
            format!(
                "{} {end}, {} times after {} that work, {} ms late",
                fault.call,
                fault.times,
                fault.after,
                fault.stroke.delay.as_millis()
            )
        };
        let slow = |slow: &SlowPop| {
            let pops = slow.name.as_deref().unwrap_or("every POP");
            format!("viewers of {pops} over plain HTTP wait {} ms", slow.delay.as_millis())
        };
        let edge = self.edge.as_ref().map(slow);
        faults.iter().map(line).chain(edge).collect()
    }
}

impl Fault {
    fn new(config: FaultConfig) -> Result<Fault, String> {
        if api_of(&config.call).is_none() {
            return Err(format!(
                "call = {:?}: write an operation of CloudFront or S3 that is here, like CreateInvalidation or PutObject",
                config.call
            ));
        }
        let end = match config.answer.as_deref() {
            None => End::Works,
            Some(LOST) => End::Lost,
            Some(answer) => refusal(answer)?,
        };
        let wait = config.delay.as_deref().map(delay).transpose()?.unwrap_or_default();
        if end == End::Works && wait.is_zero() {
            return Err(format!("call = {:?}: give it an answer, a delay, or both", config.call));
        }
        Ok(Fault {
            call: config.call,
            after: config.after,
            times: config.times,
            stroke: Stroke { delay: wait, end },
        })
    }
}

fn refusal(answer: &str) -> Result<End, String> {
    let known = ANSWERS.iter().find(|(code, ..)| *code == answer);
    let Some((code, status, message)) = known else {
        let codes: Vec<&str> = ANSWERS.iter().map(|(code, ..)| *code).chain([LOST]).collect();
        return Err(format!("answer = {answer:?}: write one of {}", codes.join(", ")));
    };
    Ok(End::Refused {
        status: *status,
        code,
        message,
    })
}

fn delay(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(|error| format!("delay = {text:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_come_in_their_order_and_end() {
        let script = Script::parse(
            "[[fault]]\ncall = 'CreateInvalidation'\nanswer = 'ServiceUnavailable'\ntimes = 2\nafter = 1\n\
             [[fault]]\ncall = 'CreateInvalidation'\nanswer = 'Lost'\ndelay = '5ms'\n\
             [[fault]]\ncall = 'PutObject'\nanswer = 'SlowDown'\n[edge]\ndelay = '10ms'\n",
        )
        .unwrap();
        let codes: Vec<String> = (0..5)
            .map(|_| match script.next("CreateInvalidation").end {
                End::Works => "-".into(),
                End::Lost => "lost".into(),
                End::Refused { status, code, .. } => format!("{status} {code}"),
            })
            .collect();
        let unavailable = "503 ServiceUnavailable";
        assert_eq!(codes, ["-", unavailable, unavailable, "lost", "-"]);
        assert_eq!(script.next("GetObject"), Stroke::default());
        assert!(matches!(script.next("PutObject").end, End::Refused { status: 503, .. }));
        assert_eq!(script.pop_delay(), Duration::from_millis(10));
        assert!(script.delays("IAD89-P3"));
        assert!(script.concerns(Kind::S3) && script.concerns(Kind::CloudFront));
        assert_eq!(script.lines().len(), 4);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        for (text, word) in [
            ("[[fault]]\ncall = 'PutBanana'\nanswer = 'SlowDown'", "PutBanana"),
            ("[[fault]]\ncall = 'PutObject'\nanswer = 'Sleepy'", "SlowDown"),
            ("[[fault]]\ncall = 'PutObject'", "delay"),
            ("[[fault]]\ncall = 'PutObject'\ndelay = '5'", "250ms"),
            ("[[faults]]\ncall = 'PutObject'", "faults"),
        ] {
            let error = Script::parse(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
