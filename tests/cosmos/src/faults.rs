//! Faults. Each applies to the next requests that match it.

use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, header::HeaderValue, http::request::Parts};
use serde_json::{Value, json};

use crate::json_response;

/// The kind of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// A read of one item.
    Read,
    /// One page of a query.
    Query,
    /// A write of one item.
    Write,
    /// A transactional batch.
    Batch,
    /// A request about the account, databases, containers or partition key ranges.
    Metadata,
}

impl Operation {
    pub(crate) fn of(head: &Parts) -> Self {
        let is = |name: &str| {
            let value = head.headers.get(name).and_then(|value| value.to_str().ok());
            value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
        };
        let segments: Vec<&str> = head
            .uri
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        if !matches!(segments.as_slice(), ["dbs", _, "colls", _, "docs", ..]) {
            return Self::Metadata;
        }
        if is("x-ms-documentdb-isquery") || is("x-ms-documentdb-query") {
            Self::Query
        } else if is("x-ms-cosmos-is-query-plan-request") {
            Self::Metadata
        } else if is("x-ms-cosmos-is-batch-request") {
            Self::Batch
        } else if head.method == Method::GET {
            Self::Read
        } else {
            Self::Write
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Query => "query",
            Self::Write => "write",
            Self::Batch => "batch",
            Self::Metadata => "metadata",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Processes the request late.
    Delay,
    /// Answers with a status and does not process the request.
    Status,
    /// Processes the request and answers with a status that reports otherwise.
    StatusAfter,
    /// Neither processes nor answers the request.
    Drop,
    /// Processes the request and does not answer.
    DropAfter,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "delay" => Self::Delay,
            "status" => Self::Status,
            "status-after" => Self::StatusAfter,
            "drop" => Self::Drop,
            "drop-after" => Self::DropAfter,
            _ => return None,
        })
    }
}

#[derive(Clone)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// `read`, `query`, `write`, `batch`, `metadata`, or `any`, which excludes `metadata`.
    operation: String,
    path: String,
    /// The number of matching requests to let pass first.
    skip: u64,
    /// The number of matching requests that still fail.
    times: u64,
    status: StatusCode,
    substatus: Option<u64>,
    /// A delay: before the request is processed, or the retry delay in an answer.
    pub(crate) milliseconds: u64,
    /// The statuses of the operations in a batch.
    operations: Option<Vec<Value>>,
}

impl Fault {
    /// Parses a fault. The error names the wrong field.
    fn read(wanted: &Value) -> Result<Self, String> {
        let text = |name: &str| wanted[name].as_str().unwrap_or_default().to_owned();
        let kind = text("kind");
        let status = wanted["status"].as_u64().unwrap_or(503);
        let status = u16::try_from(status)
            .ok()
            .and_then(|status| StatusCode::from_u16(status).ok());
        Ok(Self {
            kind: Kind::named(&kind).ok_or_else(|| format!("no fault is called `{kind}`"))?,
            operation: wanted["operation"].as_str().unwrap_or("any").to_owned(),
            path: text("path"),
            skip: wanted["skip"].as_u64().unwrap_or(0),
            times: wanted["times"].as_u64().unwrap_or(1),
            status: status.ok_or("`status` must be one")?,
            substatus: wanted["substatus"].as_u64(),
            milliseconds: wanted["milliseconds"].as_u64().unwrap_or(0),
            operations: wanted["operations"].as_array().cloned(),
        })
    }

    fn matches(&self, operation: Operation, path: &str) -> bool {
        let wanted = match self.operation.as_str() {
            "any" => operation != Operation::Metadata,
            named => named == operation.name(),
        };
        wanted && path.contains(&self.path)
    }

    /// The answer that replaces the real one.
    pub(crate) fn answer(&self) -> Response<Full<Bytes>> {
        let body = match &self.operations {
            Some(statuses) => statuses
                .iter()
                .map(|status| json!({ "statusCode": status, "requestCharge": 1.0 }))
                .collect(),
            None => json!({ "code": "Injected", "message": "a fault that was asked for" }),
        };
        let mut response = json_response(self.status, &body);
        let mut put = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        };
        put("x-ms-request-charge", "1".to_owned());
        if let Some(substatus) = self.substatus {
            put("x-ms-substatus", substatus.to_string());
        }
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            put("x-ms-retry-after-ms", self.milliseconds.to_string());
        }
        response
    }
}

/// The pending faults.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    pub(crate) fn add(&self, wanted: &Value) -> Result<(), String> {
        self.0.lock().unwrap().push(Fault::read(wanted)?);
        Ok(())
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap().clear();
    }

    /// The number of requests that will still fail.
    pub(crate) fn left(&self) -> u64 {
        self.0.lock().unwrap().iter().map(|fault| fault.times).sum()
    }

    /// The fault of this request, if one matches.
    pub(crate) fn take(&self, operation: Operation, path: &str) -> Option<Fault> {
        let mut faults = self.0.lock().unwrap();
        let mut matching = faults
            .iter_mut()
            .filter(|fault| fault.times > 0 && fault.matches(operation, path));
        let fault = matching.next()?;
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        fault.times -= 1;
        Some(fault.clone())
    }
}
