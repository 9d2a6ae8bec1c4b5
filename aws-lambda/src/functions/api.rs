//! `api`: answers HTTP requests.

use std::{sync::Arc, time::Instant};

use lambda_http::{Adapter, Body, Error, LambdaEvent, Service, http::Response as HttpResponse};
use lambda_http::{request::LambdaRequest, service_fn};
use wm_core::http::{Request, Response};
use wm_service::{Handled, Service as Application, meter::Meter, ports::Provider};

use crate::{
    http::{Target, request, response},
    metrics::emit,
};

/// Runs the function. The meter counts the calls to its database.
///
/// # Errors
/// If the runtime interface of Lambda does not answer.
pub async fn api<P: Provider>(service: Application<P>, meter: Meter) -> Result<(), Error> {
    let service = Arc::new(service);
    lambda_runtime::run(service_fn(move |event| {
        let (service, meter) = (Arc::clone(&service), meter.clone());
        async move { answer(service, meter, event).await }
    }))
    .await
}

async fn answer(
    service: Arc<Application<impl Provider>>,
    meter: Meter,
    mut event: LambdaEvent<LambdaRequest>,
) -> Result<impl serde::Serialize, Error> {
    let target = Target::take(&mut event.payload);
    let context = event.context.clone();
    let mut adapter = Adapter::from(service_fn(move |received: lambda_http::Request| {
        let (service, meter) = (Arc::clone(&service), meter.clone());
        let (target, context) = (target.clone(), context.clone());
        async move {
            let request = request(received, target, &context);
            let answered = answer_request(&service, &meter, request, &context.request_id).await;
            Ok::<HttpResponse<Body>, Error>(response(answered))
        }
    }));
    adapter.call(event).await
}

/// The answer of the service, with metrics.
async fn answer_request(
    service: &Application<impl Provider>,
    meter: &Meter,
    request: Request,
    invocation: &str,
) -> Response {
    let begun = Instant::now();
    // Resets the counts, so that they cover this request only.
    let _ = meter.take();
    let Handled {
        response,
        operation,
    } = service.handle(request).await;
    let consumed = meter.take();
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    let fault = if response.status >= 500 { 1.0 } else { 0.0 };
    emit(
        &[("Function", "api")],
        &[
            ("requestId", invocation),
            ("operation", operation),
            ("status", &response.status.to_string()),
        ],
        &[
            ("Duration", "Milliseconds", milliseconds),
            ("Faults", "Count", fault),
            ("DatabaseCalls", "Count", consumed.calls_as_metric()),
            ("ReadUnits", "Count", consumed.read_units),
            ("WriteUnits", "Count", consumed.write_units),
        ],
    );
    response
}
