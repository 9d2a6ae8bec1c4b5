//! The parsed input of operations.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str::FromStr;

use serde::{Deserialize, de::DeserializeOwned};

use super::{PageRequest, Problem, ProblemKind, Route, page::Limit};
use crate::{storage::ETag, value::Invalid};

/// A request to a known route, as operations read it.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// The path as sent.
    pub path: &'a str,
    /// Path parameters by name.
    pub parameters: BTreeMap<&'static str, &'a str>,
    /// The query as sent, without `?`.
    pub raw_query: &'a str,
    /// Query parameters by name. Empty until [`Parsed::read_query`] runs.
    pub query: BTreeMap<String, String>,
    /// The header `content-type`.
    pub content_type: Option<&'a str>,
    /// The header `if-match`.
    pub if_match: Option<&'a str>,
    /// The body as sent.
    pub body: &'a [u8],
}

impl Parsed<'_> {
    /// The maximum size of a body in bytes: 1 MiB.
    pub const BODY_LIMIT: usize = 1024 * 1024;

    /// Parses the query. This is a separate step, because the caller is authenticated before the
    /// query is checked.
    ///
    /// # Errors
    /// 400 naming a parameter that is unknown or repeated.
    pub fn read_query(&mut self, route: &Route) -> Result<(), Problem> {
        for (name, value) in form_urlencoded::parse(self.raw_query.as_bytes()) {
            if !route.query.iter().any(|parameter| parameter.name == name) {
                let shown: String = name.chars().take(64).collect();
                return Err(Problem::field(shown, "is not a parameter of this route"));
            }
            let name = name.into_owned();
            if self
                .query
                .insert(name.clone(), value.into_owned())
                .is_some()
            {
                return Err(Problem::field(name, "may be given once"));
            }
        }
        Ok(())
    }

    /// A path parameter.
    ///
    /// # Errors
    /// 404 if it is malformed, because no object has such an id.
    pub fn path<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.parameters.get(name).copied().unwrap_or_default();
        text.parse().map_err(|_| Problem::not_found())
    }

    /// A query parameter. `None` if it was not sent.
    ///
    /// # Errors
    /// 400 naming the parameter.
    pub fn query<T: FromStr<Err = Invalid>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let parse = |text: &String| {
            text.parse()
                .map_err(|error: Invalid| Problem::field(name, error.to_string()))
        };
        self.query.get(name).map(parse).transpose()
    }

    /// Parses the body as an object of this type.
    ///
    /// # Errors
    /// 413 for a body that is too large, 415 for another media type than JSON, 400 naming the wrong
    /// field.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        check_size(self.body)?;
        let media_type = self.content_type.unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                ProblemKind::UnsupportedMediaType,
                "send the body as `content-type: application/json`",
            ));
        }
        parse_object(self.body)
    }

    /// Checks that the body is empty or `{}`, for operations without a body.
    ///
    /// # Errors
    /// As [`Parsed::body`].
    pub fn no_body(&self) -> Result<(), Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        if self.body.is_empty() {
            return Ok(());
        }
        self.body().map(|Nothing {}| ())
    }

    /// The precondition of the request.
    ///
    /// # Errors
    /// 400 if the header is malformed.
    pub fn if_match(&self) -> Result<IfMatch, Problem> {
        self.if_match
            .map_or(Ok(IfMatch::Absent), str::parse)
            .map_err(|error: Invalid| Problem::field("If-Match", error.to_string()))
    }

    /// The requested page. `filter` holds the other parameters that select rows: a cursor is valid
    /// for one path and filter.
    ///
    /// # Errors
    /// 400 naming `limit`.
    pub fn page(&self, filter: &str) -> Result<PageRequest, Problem> {
        let limit = self.query::<Limit>("limit")?.unwrap_or(Limit(50)).0;
        let list = format!("{}?{filter}", self.path);
        let cursor = self.query.get("cursor").cloned();
        Ok(PageRequest::new(limit, cursor, list))
    }
}

/// Deserialises a field of a PATCH that `null` clears. The outer `Option` says whether the field
/// was sent. Use it with `#[serde(default, deserialize_with = "nullable")]`.
///
/// # Errors
/// An error if the value is neither `null` nor of the type.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

fn check_size(body: &[u8]) -> Result<(), Problem> {
    if body.len() <= Parsed::BODY_LIMIT {
        return Ok(());
    }
    Err(Problem::new(
        ProblemKind::PayloadTooLarge,
        "the body may have at most 1048576 bytes (1 MiB)",
    ))
}

fn parse_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(Problem::new(
            ProblemKind::InvalidRequest,
            "the body must be a JSON object",
        ));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    let value = parsed.map_err(|error| {
        let path = error.path().to_string();
        field_problem(&path, &error.into_inner())
    })?;
    deserializer
        .end()
        .map_err(|error| field_problem(".", &error))?;
    Ok(value)
}

/// The field that a JSON error is about. The library reports the path of the object. For unknown
/// and missing fields, the message contains the field's name between backticks.
fn field_problem(path: &str, error: &serde_json::Error) -> Problem {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    let message: String = text.chars().take(200).collect();
    let path = if path == "." { "" } else { path };
    let named = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split_once('`'))
        .map(|(name, _)| name.to_owned());
    let field = match named {
        Some(name) if path.is_empty() || path == name => name,
        Some(name) if path.ends_with(&format!(".{name}")) => path.to_owned(),
        Some(name) => format!("{path}.{name}"),
        None => path.to_owned(),
    };
    if field.is_empty() {
        return Problem::new(
            ProblemKind::InvalidRequest,
            format!("the body is not valid: {message}"),
        );
    }
    Problem::field(field, format!("is not valid: {message}"))
}

/// `If-Match` (RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// The header was not sent.
    Absent,
    /// `*` matches any existing record.
    Any,
    /// Any of these ETags. Weak ETags never match, so they are left out.
    Tags(Box<[ETag]>),
}

impl FromStr for IfMatch {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid =
            Invalid("must be `*` or entity tags in quotes, as in the `ETag` header");
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let mut tags = Vec::new();
        for tag in text.split(',').map(str::trim) {
            let (weak, tag) = tag
                .strip_prefix("W/")
                .map_or((false, tag), |tag| (true, tag));
            let tag = tag
                .strip_prefix('"')
                .and_then(|tag| tag.strip_suffix('"'))
                .ok_or(WRONG)?;
            // A well-formed foreign tag matches no record. The result is 412, not 400.
            if !weak && let Ok(tag) = tag.parse() {
                tags.push(tag);
            }
        }
        Ok(Self::Tags(tags.into()))
    }
}

impl IfMatch {
    /// Checks a required precondition.
    ///
    /// # Errors
    /// 428 if it was not sent, 412 if it does not hold.
    pub fn require(&self, current: &ETag) -> Result<(), Problem> {
        if *self == Self::Absent {
            return Err(Problem::new(
                ProblemKind::PreconditionRequired,
                "send the `ETag` you last read as `If-Match`, or `*`",
            ));
        }
        self.check(Some(current))
    }

    /// Checks an optional precondition. `None` means that the record does not exist.
    ///
    /// # Errors
    /// 412 if it does not hold.
    pub fn check(&self, current: Option<&ETag>) -> Result<(), Problem> {
        let holds = match (self, current) {
            (Self::Absent, _) | (Self::Any, Some(_)) => true,
            (Self::Tags(tags), Some(current)) => tags.contains(current),
            (Self::Any | Self::Tags(_), None) => false,
        };
        if holds {
            return Ok(());
        }
        Err(Problem::new(
            ProblemKind::PreconditionFailed,
            "the record changed since you read it; read it again and repeat the request",
        ))
    }
}
