//! Faults, each for the next few requests it matches.

use std::sync::Mutex;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Response, StatusCode, header::HeaderValue, http::request::Parts};
use serde_json::{Value, json};

use crate::json_response;

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// One item.
    Read,
    /// A query, one page of it.
    Query,
    /// One item written.
    Write,
    /// Several.
    Batch,
    /// The account, databases, containers, ranges of partitions.
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

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The request is carried out late.
    Delay,
    /// It is answered with a status, and not carried out.
    Status,
    /// It is carried out, and answered with a status that says otherwise.
    StatusAfter,
    /// It is not carried out, and not answered.
    Drop,
    /// It is carried out, and not answered.
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
    /// `read`, `query`, `write`, `batch`, `metadata` or `any`, which is any but `metadata`.
    operation: String,
    path: String,
    /// How many that match go well first.
    skip: u64,
    /// How many are left.
    times: u64,
    status: StatusCode,
    substatus: Option<u64>,
    /// How long to wait: before carrying out, or, in an answer, before trying again.
    pub(crate) milliseconds: u64,
    /// The statuses of the operations of a batch.
    operations: Option<Vec<Value>>,
}

impl Fault {
    /// What was asked for, or what is wrong with it.
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

    /// The answer it gives instead of the true one.
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

/// All faults that are still to come.
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

    /// How many requests are still to fail.
    pub(crate) fn left(&self) -> u64 {
        self.0.lock().unwrap().iter().map(|fault| fault.times).sum()
    }

    /// The fault of this request, if it has one.
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
