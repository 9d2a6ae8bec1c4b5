//! What the surface tells about itself.

pub mod show;

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::{Handler, Method, Route, schema};

/// The routes.
pub const ROUTES: &[&Route] = &[&LIVE, &READY, &OPENAPI, &CATALOG, &show::ROUTE];
