//! `api`: answers HTTP requests.

use std::{sync::Arc, time::Instant};

use lambda_http::{Adapter, Body, Error, LambdaEvent, Service, http::Response as HttpResponse};
use lambda_http::{request::LambdaRequest, service_fn};
use wm_core::api::{self as contract, Request, Response};
use wm_service::ports::Provider;

use super::{Application, start::start};
use crate::{
    config::Function,
    http::{Target, request, response},
    metrics::emit,
};

/// Runs the function.
///
/// # Errors
/// When it cannot be configured.
pub async fn api() -> Result<(), Error> {
    let service = Arc::new(start(Function::Api, |aws, _, _| aws).await?);
    lambda_runtime::run(service_fn(move |event| {
        let service = Arc::clone(&service);
        async move { answer(service, event).await }
    }))
    .await
}

async fn answer(
    service: Arc<Application>,
    mut event: LambdaEvent<LambdaRequest>,
) -> Result<impl serde::Serialize, Error> {
    let target = Target::take(&mut event.payload);
    let context = event.context.clone();
    let mut adapter = Adapter::from(service_fn(move |received: lambda_http::Request| {
        let (service, target, context) = (Arc::clone(&service), target.clone(), context.clone());
        async move {
            let request = request(received, target, &context);
            let answered = answer_request(&service, request, &context.request_id).await;
            Ok::<HttpResponse<Body>, Error>(response(answered))
        }
    }));
    adapter.call(event).await
}

/// The service's answer, measured.
async fn answer_request(service: &Application, request: Request, invocation: &str) -> Response {
    let operation = contract::find(&request).map_or("none", |(route, _)| route.operation);
    let begun = Instant::now();
    // Counts only what this request takes.
    let _ = service.provider().records().meter().take();
    let answered = service.handle(request).await;
    let consumed = service.provider().records().meter().take();
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    let fault = if answered.status >= 500 { 1.0 } else { 0.0 };
    emit(
        &[("Function", "api")],
        &[
            ("requestId", invocation),
            ("operation", operation),
            ("status", &answered.status.to_string()),
        ],
        &[
            ("Duration", "Milliseconds", milliseconds),
            ("Faults", "Count", fault),
            ("DatabaseCalls", "Count", consumed.calls_as_metric()),
            ("ReadUnits", "Count", consumed.read_units),
            ("WriteUnits", "Count", consumed.write_units),
        ],
    );
    answered
}
