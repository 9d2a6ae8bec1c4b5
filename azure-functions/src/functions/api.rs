//! `api`: answers HTTP requests.

use std::{sync::Arc, time::Instant};

use tracing::Instrument;
use wm_core::{
    http::{Request, Response},
    operation::{Problem, Reply},
    value::RequestId,
};
use wm_service::{
    EnvSource, Handled,
    ports::{EntropyContext, Provider},
};

use super::start::{Application, Starting, ready};
use crate::{
    http::span_of,
    identity::take_easy_auth_token,
    metrics::{Line, metered},
};

/// The answer of the application. Until it is ready, the liveness route answers, and other requests
/// get 503.
pub(super) async fn answer<P: Provider>(
    starting: Starting<P>,
    env: Arc<EnvSource>,
    request: Request,
) -> Response {
    let span = span_of("api", &request);
    async {
        if request.path == "/health/live" && starting.borrow().is_none() {
            return alive(&env, &request);
        }
        match ready(&starting).await {
            Some(application) => measured(&application, request).await,
            None => not_ready(&env, &request),
        }
    }
    .instrument(span)
    .await
}

/// The answer of the service, with metrics.
async fn measured(application: &Application<impl Provider>, mut request: Request) -> Response {
    let invocation = crate::http::invocation_of(&request).unwrap_or_default();
    take_easy_auth_token(application.easy_auth, &mut request);
    let begun = Instant::now();
    let (handled, consumed) = metered(application.service.handle(request)).await;
    let Handled {
        response,
        operation,
    } = handled;
    Line {
        function: "api",
        invocation: &invocation,
        operation,
        status: response.status,
        duration: begun.elapsed(),
        consumed,
    }
    .emit();
    response
}

/// Liveness must not depend on other services: a restart would not repair them.
fn alive(env: &EnvSource, request: &Request) -> Response {
    let live = Reply::ok(serde_json::json!({ "status": "live" }));
    Response::from_reply(live, request_id(env, request))
}

fn not_ready(env: &EnvSource, request: &Request) -> Response {
    tracing::warn!("the handler is not ready yet");
    let problem = Problem::unavailable("the handler is not ready yet");
    Response::from_problem(&problem, request_id(env, request))
}

fn request_id(env: &EnvSource, request: &Request) -> RequestId {
    env.env(EntropyContext::Request(request)).id("request")
}
