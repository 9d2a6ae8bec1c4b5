//! The router: finds the route of a request.

use alloc::collections::BTreeMap;

use super::Request;
use crate::{
    operation::{Parsed, Problem, ProblemKind, Route},
    operations,
};

/// Finds the route of a request and parses the request's path and headers. The query is parsed
/// later.
///
/// # Errors
/// 404 for an unknown path, 405 for a known path with another method.
pub fn find(request: &Request) -> Result<(&'static Route, Parsed<'_>), Problem> {
    let mut known_path = false;
    for route in operations::routes() {
        let Some(parameters) = parameters(route.path, &request.path) else {
            continue;
        };
        known_path = true;
        if route.method.as_str() == request.method {
            return Ok((
                route,
                Parsed {
                    path: &request.path,
                    parameters,
                    raw_query: &request.query,
                    query: BTreeMap::new(),
                    content_type: request.header("content-type"),
                    if_match: request.header("if-match"),
                    body: &request.body,
                },
            ));
        }
    }
    Err(if known_path {
        Problem::new(
            ProblemKind::MethodNotAllowed,
            "this path does not take this method",
        )
    } else {
        Problem::not_found()
    })
}

/// The path parameters, if the path matches the template.
fn parameters<'a>(
    template: &'static str,
    path: &'a str,
) -> Option<BTreeMap<&'static str, &'a str>> {
    let mut parameters = BTreeMap::new();
    let mut actual = path.split('/');
    for expected in template.split('/') {
        let segment = actual.next()?;
        match expected
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) if !segment.is_empty() => {
                parameters.insert(name, segment);
            }
            None if expected == segment => {}
            _ => return None,
        }
    }
    actual.next().is_none().then_some(parameters)
}
