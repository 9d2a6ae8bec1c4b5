//! The control interface of the emulator, which the real service does not have: `/_control/…`.
//!
//! * `POST containers` `{database, container, partitions?}`
//! * `POST faults` with a fault or a list of faults, `GET faults`, `DELETE faults`
//! * `GET requests`: every request so far, `DELETE requests`
//! * `POST pages` `{items}`: the maximum number of items per page from now on, 0 for no limit
//! * `POST changes` `{database, container, mark?}`: the change feed

use std::sync::{Mutex, atomic::Ordering};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{Service, faults::Operation, json_response, refusal};

#[derive(Default)]
pub(crate) struct Journal(Mutex<Vec<Value>>);

impl Journal {
    pub(crate) fn note(
        &self,
        method: &Method,
        path: &str,
        operation: Operation,
        answer: Option<&Response<Full<Bytes>>>,
    ) {
        let header = |name: &str| {
            let value = answer?.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        self.0.lock().unwrap().push(json!({
            "method": method.as_str(),
            "path": path,
            "operation": operation.name(),
            "status": answer.map(|answer| answer.status().as_u16()),
            "charge": header("x-ms-request-charge").and_then(|charge| charge.parse::<f64>().ok()),
        }));
    }
}

pub(crate) async fn answer(
    service: &Service,
    method: &Method,
    path: &str,
    body: &[u8],
) -> Response<Full<Bytes>> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    match carry_out(service, method, path, &body).await {
        Ok(answer) => json_response(StatusCode::OK, &answer),
        Err(reason) => refusal(StatusCode::BAD_REQUEST, "BadRequest", &reason),
    }
}

async fn carry_out(
    service: &Service,
    method: &Method,
    path: &str,
    body: &Value,
) -> Result<Value, String> {
    let text = |name: &str| {
        body[name]
            .as_str()
            .ok_or_else(|| format!("`{name}` is missing"))
    };
    match (method.as_str(), path) {
        ("POST", "containers") => {
            let partitions = body["partitions"].as_u64().unwrap_or(1);
            let partitions = u32::try_from(partitions).map_err(|error| error.to_string())?;
            let made = service
                .emulator
                .create(text("database")?, text("container")?, partitions);
            made.map_err(|error| error.to_string())?;
            Ok(json!({}))
        }
        ("POST", "faults") => {
            let one = std::slice::from_ref(body);
            let faults = body.as_array().map_or(one, Vec::as_slice);
            faults
                .iter()
                .try_for_each(|fault| service.faults.add(fault))?;
            Ok(json!({}))
        }
        ("GET", "faults") => Ok(json!({ "left": service.faults.left() })),
        ("DELETE", "faults") => {
            service.faults.clear();
            Ok(json!({}))
        }
        ("GET", "requests") => Ok(json!({ "requests": *service.journal.0.lock().unwrap() })),
        ("DELETE", "requests") => {
            service.journal.0.lock().unwrap().clear();
            Ok(json!({}))
        }
        ("POST", "pages") => {
            let items = body["items"].as_u64().unwrap_or(0);
            service.emulator.page.store(items, Ordering::SeqCst);
            Ok(json!({}))
        }
        ("POST", "changes") => {
            let (database, container) = (text("database")?, text("container")?);
            service
                .emulator
                .changes(database, container, &body["mark"])
                .await
        }
        _ => Err(format!("`{method} {path}` is not known")),
    }
}
