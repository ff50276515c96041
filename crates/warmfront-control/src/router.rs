use std::error::Error;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract;
use http::{Request, Response};
use warmfront_wire::{Routed, route};

use crate::answer::{Answer, Speech, error_response};
use crate::authentication::authenticate;
use crate::authorization::authorize;
use crate::call::Call;
use crate::error::ApiError;
use crate::naming;
use crate::operation::{self, Context};
use crate::own::{self, OwnOperation};
use crate::state::State;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new().fallback(handle).with_state(state)
}

async fn handle(extract::State(state): extract::State<Arc<State>>, request: Request<Body>) -> Response<Body> {
    let request_id = naming::request_id();
    let speech = if own::is_own(request.uri().path()) {
        Speech::Json
    } else {
        Speech::Xml
    };
    match answer(&state, request).await {
        Ok(answer) => answer.into_response(&request_id),
        Err(error) => {
            log(&error, &request_id);
            error_response(&error, speech, &request_id)
        }
    }
}

/// Read, who, what, may they, do it.
async fn answer(state: &State, request: Request<Body>) -> Result<Answer, ApiError> {
    let call = Call::receive(request, &state.options).await?;
    let identity = authenticate(&call, &state.options)?;
    if own::is_own(&call.path) {
        let operation = OwnOperation::of(&call).ok_or_else(|| unknown(&call))?;
        authorize(&identity, &operation.action(), &operation.resource(state, &call))?;
        return own::perform(operation, state, &call).await;
    }
    match route(&call.method, &call.path, &call.query) {
        Routed::Implemented { operation, labels } => {
            let context = Context {
                state,
                call: &call,
                caller: &identity,
                labels: &labels,
            };
            for (action, resource) in operation::permissions(operation, &context) {
                authorize(&identity, &action, &resource)?;
            }
            operation::perform(operation, &context).await
        }
        Routed::NotImplemented { name } => Err(ApiError::NotImplemented(name)),
        Routed::Unknown => Err(unknown(&call)),
    }
}

fn unknown(call: &Call) -> ApiError {
    ApiError::UnknownOperation {
        method: call.method.clone(),
        path: call.path.chars().take(200).collect(),
    }
}

/// A client gets a fixed text for what is no fault of its own; the log gets the reason.
fn log(error: &ApiError, request_id: &str) {
    match error.source() {
        Some(source) if error.code().status() >= 500 => {
            tracing::error!(request_id, reason = %source, "a request failed");
        }
        _ => tracing::debug!(request_id, code = error.code().code(), %error, "a request was refused"),
    }
}
