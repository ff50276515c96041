use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::ApiError;
use crate::state::State;

/// A hundred years, the longest TTL.
const MS_MAX: u64 = 3_153_600_000 * 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

#[derive(Serialize)]
struct Advanced {
    now_ms: i64,
}

/// Turns a manual clock forward.
pub(super) fn advance_clock(state: &State, call: &Call) -> Result<Answer, ApiError> {
    let advance: Advance = serde_json::from_slice(&call.body).map_err(|error| ApiError::Json(error.to_string()))?;
    if advance.ms > MS_MAX {
        return Err(ApiError::argument(format!(
            "ms is at most {MS_MAX}, not {}.",
            advance.ms
        )));
    }
    let now = state
        .options
        .clock
        .advance(Duration::from_millis(advance.ms))
        .map_err(|_| ApiError::ClockNotManual)?;
    Ok(Answer::json(&Advanced { now_ms: now.0 }))
}
