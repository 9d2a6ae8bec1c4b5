//! Versions.

use crate::api::Route;

/// The routes.
pub const ROUTES: &[&Route] = &[];
