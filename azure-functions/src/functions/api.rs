//! `api`: answers HTTP requests.

use std::{sync::Arc, time::Instant};

use tracing::Instrument;
use wm_core::{
    http::{Request, Response},
    operation::Problem,
    value::Env,
};
use wm_service::{
    EnvSource, Handled, handle_liveness,
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
        let invocation = crate::http::invocation_of(&request).unwrap_or_default();
        if starting.borrow().is_none()
            && let Some(live) = handle_liveness(&env_of(&env, &request), &request)
        {
            return measured(&invocation, async { live }).await;
        }
        match ready(&starting).await {
            Some(application) => measured(&invocation, handle(&application, request)).await,
            None => not_ready(&env, &request),
        }
    }
    .instrument(span)
    .await
}

/// The answer of the service.
async fn handle(application: &Application<impl Provider>, mut request: Request) -> Handled {
    take_easy_auth_token(application.easy_auth, &mut request);
    application.service.handle(request).await
}

/// The response, with metrics.
async fn measured(invocation: &str, handled: impl Future<Output = Handled>) -> Response {
    let begun = Instant::now();
    let (handled, consumed) = metered(handled).await;
    let Handled {
        response,
        operation,
    } = handled;
    Line {
        function: "api",
        invocation,
        operation,
        status: response.status,
        duration: begun.elapsed(),
        consumed,
    }
    .emit();
    response
}

fn not_ready(env: &EnvSource, request: &Request) -> Response {
    tracing::warn!("the handler is not ready yet");
    let problem = Problem::unavailable("the handler is not ready yet");
    Response::from_problem(&problem, env_of(env, request).id("request"))
}

fn env_of(env: &EnvSource, request: &Request) -> Env {
    env.env(EntropyContext::Request(request))
}
