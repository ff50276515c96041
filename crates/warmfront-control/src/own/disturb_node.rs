use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::call::Call;
use crate::disturbance::{DisturbError, Disturbance};
use crate::error::ApiError;
use crate::state::State;

/// A delay beyond this is taken for a slip of the pen: a day.
const DELAY_MS_MAX: u64 = 24 * 60 * 60 * 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Delay {
    ms: u64,
}

#[derive(Serialize)]
struct Done<'a> {
    node: &'a str,
    done: &'a str,
}

/// Node and word of `POST /warmfront/nodes/NAME/WORD`.
pub(super) fn target(path: &str) -> Option<(&str, &str)> {
    let (name, word) = path.strip_prefix("/warmfront/nodes/")?.split_once('/')?;
    (!name.is_empty() && !word.contains('/')).then_some((name, word))
}

/// Pauses, resumes, delays, kills or starts a node, where the server was told to allow that.
pub(super) async fn disturb_node(state: &State, call: &Call) -> Result<Answer, ApiError> {
    let Some(disturber) = &state.options.disturber else {
        return Err(ApiError::argument(
            "Nodes are not disturbed here: start the server with --disturb-nodes, for tests alone.".to_owned(),
        ));
    };
    let (name, word) = target(&call.path).unwrap_or_default();
    let disturbance = match word {
        "pause" => Disturbance::Pause,
        "resume" => Disturbance::Resume,
        "kill" => Disturbance::Kill,
        "start" => Disturbance::Start,
        "delay" => {
            let delay: Delay = serde_json::from_slice(&call.body).map_err(|error| ApiError::Json(error.to_string()))?;
            if delay.ms > DELAY_MS_MAX {
                return Err(ApiError::argument(format!(
                    "ms is at most {DELAY_MS_MAX}, not {}.",
                    delay.ms
                )));
            }
            Disturbance::Delay(Duration::from_millis(delay.ms))
        }
        other => {
            return Err(ApiError::argument(format!(
                "a node is not told to {other:?}, but to pause, resume, delay, kill or start."
            )));
        }
    };
    tracing::warn!(node = name, ?disturbance, "a node is disturbed on purpose");
    match disturber.disturb(name, disturbance).await {
        Ok(()) => Ok(Answer::json(&Done { node: name, done: word })),
        Err(error @ (DisturbError::NoSuchNode | DisturbError::NotNow(_))) => {
            Err(ApiError::argument(format!("{name}: {error}")))
        }
    }
}
