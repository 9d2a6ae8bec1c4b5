//! What the surface tells about itself.

pub mod show;

use alloc::{collections::BTreeMap, string::String};

use schemars::JsonSchema;
use serde_json::Value;

use crate::{
    catalog::Catalog,
    operation::{Method, PublicHandler, Route, schema},
};

/// The routes.
pub const ROUTES: &[&Route] = &[&LIVE, &READY, &OPENAPI, &CATALOG, &show::ROUTE];

/// Whether the process runs.
pub const LIVE: Route = Route::public(
    Method::Get,
    "/health/live",
    "health_live",
    "Tells that the process runs",
    PublicHandler::Live,
)
.answers(&[(200, Some(schema::<LiveView>))]);

/// Whether the dependencies answer.
pub const READY: Route = Route::public(
    Method::Get,
    "/health/ready",
    "health_ready",
    "Tells whether each dependency answers",
    PublicHandler::Ready,
)
.answers(&[
    (200, Some(schema::<ReadyView>)),
    (503, Some(schema::<ReadyView>)),
]);

/// The document that describes this contract.
pub const OPENAPI: Route = Route::public(
    Method::Get,
    "/openapi.json",
    "openapi",
    "Shows this contract as an OpenAPI 3.1 document",
    PublicHandler::OpenApi,
)
.answers(&[(200, Some(schema::<Value>))]);

/// The services of each provider, with their defaults.
pub const CATALOG: Route = Route::public(
    Method::Get,
    "/v1/catalog",
    "show_catalog",
    "Shows what each provider is made of, with defaults",
    PublicHandler::Catalog,
)
.answers(&[(200, Some(schema::<Catalog>))]);

/// The process runs; for the OpenAPI document.
#[derive(JsonSchema)]
#[schemars(rename = "Live")]
#[expect(dead_code, reason = "describes what the service layer answers")]
struct LiveView {
    status: String,
}

/// Which dependencies answer; for the OpenAPI document.
#[derive(JsonSchema)]
#[schemars(rename = "Ready")]
#[expect(dead_code, reason = "describes what the service layer answers")]
struct ReadyView {
    status: String,
    /// `up` or `down` by dependency.
    dependencies: BTreeMap<String, String>,
}
