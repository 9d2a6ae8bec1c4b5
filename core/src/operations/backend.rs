//! Properties and health of the surface.

mod show;

use alloc::{collections::BTreeMap, string::String};

use schemars::JsonSchema;
use serde_json::Value;

use crate::{
    catalog::{Catalog, catalog},
    operation::{Budget, Example, Method, PublicHandler, Route, Success, schema},
    value::canonical,
};

pub(super) const ROUTES: &[&Route] = &[&LIVE, &READY, &OPENAPI, &CATALOG, &show::ROUTE];

pub(super) const LIVE: Route = Route::public(
    Method::Get,
    "/health/live",
    "health_live",
    "Check that the process runs",
    PublicHandler::Live,
)
.describes("For load balancers and supervisors. The answer depends on no other service.")
.answers(&[Success::ok(
    schema::<LiveView>,
    Example::Text(r#"{ "status": "live" }"#),
)]);

pub(super) const READY: Route = Route::public(
    Method::Get,
    "/health/ready",
    "health_ready",
    "Check that every dependency answers",
    PublicHandler::Ready,
)
.describes(
    "Answers 503 with the same body if a dependency is down, or if a newer release wrote the \
     stored data.",
)
.budget(Budget::READ)
.answers(&[
    Success::ok(schema::<ReadyView>, Example::Text(READY_EXAMPLE)),
    Success::with(503, schema::<ReadyView>, Example::Text(READY_EXAMPLE)),
]);

pub(super) const OPENAPI: Route = Route::public(
    Method::Get,
    "/openapi.json",
    "openapi",
    "Show this contract as an OpenAPI 3.1 document",
    PublicHandler::OpenApi,
)
.describes("The document describes every operation of this version of the program, with examples.")
.answers(&[Success::ok(
    schema::<Value>,
    Example::Text(r#"{ "openapi": "3.1.0" }"#),
)]);

pub(super) const CATALOG: Route = Route::public(
    Method::Get,
    "/v1/catalog",
    "show_catalog",
    "Show the services of each provider, with default names",
    PublicHandler::Catalog,
)
.describes(
    "For tools that prepare a deployment: which service answers which concern, and the name \
     of each resource for the default prefix and environment.",
)
.answers(&[Success::ok(
    schema::<Catalog>,
    Example::Made(|| canonical::to_value(&catalog())),
)]);

const READY_EXAMPLE: &str = r#"{
    "status": "ready",
    "dependencies": { "records": "up", "artifacts": "up" },
    "layout": { "status": "updating", "number": 2, "rows": 1200, "scopes": 350 }
}"#;

/// The process runs.
#[derive(JsonSchema)]
#[schemars(rename = "Live")]
#[expect(dead_code, reason = "describes what the service layer answers")]
struct LiveView {
    /// Always `live`.
    status: String,
}

/// The state of the dependencies.
#[derive(JsonSchema)]
#[schemars(rename = "Ready")]
#[expect(dead_code, reason = "describes what the service layer answers")]
struct ReadyView {
    /// `ready`, or `unavailable` if a dependency is down.
    status: String,
    /// `up` or `down` for each dependency.
    dependencies: BTreeMap<String, String>,
    /// The layout of the stored data.
    layout: LayoutView,
}

/// The layout of the stored data. A new release may bring it up to date while requests are served.
#[derive(JsonSchema)]
#[schemars(rename = "Layout")]
#[expect(dead_code, reason = "describes what the service layer answers")]
struct LayoutView {
    /// `current`; `waiting` or `updating` until all data has the layout of this release; `refused` if
    /// a newer release wrote the data; `unknown` if the database does not answer.
    status: String,
    /// The number of the layout.
    #[schemars(skip_serializing_if = "Option::is_none")]
    number: Option<u32>,
    /// Index rows moved so far by an update.
    #[schemars(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    /// Scopes visited so far by an update.
    #[schemars(skip_serializing_if = "Option::is_none")]
    scopes: Option<u64>,
}
