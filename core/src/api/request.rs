//! Requests, and what operations read out of them.

use alloc::{
    borrow::ToOwned,
    boxed::Box,
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::{fmt, str::FromStr};

use serde::{Deserialize, de::DeserializeOwned};

use super::{Problem, ProblemKind};
use crate::{storage::ETag, value::Invalid};

/// The methods of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names are those of RFC 9110")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A request, whichever server received it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The method as sent.
    pub method: String,
    /// The path as sent, without the query.
    pub path: String,
    /// The query as sent, without `?`; empty for none.
    pub query: String,
    /// The headers, names in lower case, each once: servers hand over what is [`combined`](Self::combined).
    pub headers: Vec<(String, String)>,
    /// The body. Servers hand over at most [`Request::BODY_LIMIT`] and one more byte.
    pub body: Vec<u8>,
}

impl Request {
    /// The largest body: 1 MiB.
    pub const BODY_LIMIT: usize = 1024 * 1024;

    /// The header of this name: all lines of it, since the server combined them.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The same with every header on one line: the values of several of one name, in their order, between
    /// commas (RFC 9110 section 5.3). Some gateways do that and others hand on all lines, so that without it
    /// one and the same request would mean different things.
    #[must_use]
    pub fn combined(self) -> Self {
        let mut headers: Vec<(String, String)> = Vec::with_capacity(self.headers.len());
        for (name, value) in self.headers {
            match headers.iter_mut().find(|(known, _)| *known == name) {
                Some((_, values)) => {
                    values.push(',');
                    values.push_str(&value);
                }
                None => headers.push((name, value)),
            }
        }
        Self { headers, ..self }
    }
}

/// A request whose route is known.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// The request.
    pub request: &'a Request,
    /// Path parameters by name.
    pub(super) parameters: BTreeMap<&'static str, &'a str>,
    /// Query parameters by name.
    pub(super) query: BTreeMap<String, String>,
}

impl Parsed<'_> {
    /// A path parameter. A malformed one names nothing: 404.
    ///
    /// # Errors
    /// 404.
    pub fn path<T: FromStr>(&self, name: &str) -> Result<T, Problem> {
        let text = self.parameters.get(name).copied().unwrap_or_default();
        text.parse().map_err(|_| Problem::not_found())
    }

    /// A query parameter, if it was sent.
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

    /// The body as an object of this shape.
    ///
    /// # Errors
    /// 413 when it is too large, 415 when it is not JSON, 400 naming the field at fault.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body = &self.request.body;
        check_size(body)?;
        let media_type = self.request.header("content-type").unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Problem::new(
                ProblemKind::UnsupportedMediaType,
                "send the body as `content-type: application/json`",
            ));
        }
        parse_object(body)
    }

    /// Checks that a request to an operation without a body sent none, or `{}`.
    ///
    /// # Errors
    /// As [`Parsed::body`].
    pub fn no_body(&self) -> Result<(), Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        if self.request.body.is_empty() {
            return Ok(());
        }
        self.body().map(|Nothing {}| ())
    }

    /// The precondition the caller set.
    ///
    /// # Errors
    /// 400 when the header cannot be read.
    pub fn if_match(&self) -> Result<IfMatch, Problem> {
        self.request
            .header("if-match")
            .map_or(Ok(IfMatch::Absent), str::parse)
            .map_err(|error: Invalid| Problem::field("If-Match", error.to_string()))
    }

    /// What page of a list is wanted. `filter` is whatever else selects rows: a cursor works for the
    /// same path and filter only.
    ///
    /// # Errors
    /// 400 naming `limit`.
    pub fn page(&self, filter: &str) -> Result<PageRequest, Problem> {
        let limit = self.query::<Limit>("limit")?.unwrap_or(Limit(50)).0;
        let list = format!("{}?{filter}", self.request.path);
        Ok(PageRequest {
            limit,
            cursor: self.query.get("cursor").cloned(),
            list,
        })
    }
}

/// Reads a field of a PATCH that `null` clears: the outer `Option` is whether it was sent, to be
/// used with `#[serde(default, deserialize_with = "nullable")]`.
///
/// # Errors
/// When the value is neither `null` nor of the type.
pub fn nullable<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

fn check_size(body: &[u8]) -> Result<(), Problem> {
    if body.len() <= Request::BODY_LIMIT {
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

/// Names the field a JSON error is about. The library tells the path of the object and, for unknown
/// and missing fields, the field's name between backticks.
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
    /// Not sent.
    Absent,
    /// `*`: whatever exists.
    Any,
    /// Any of these. Weak tags never match and are left out.
    Tags(Box<[ETag]>),
}

impl FromStr for IfMatch {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        const WRONG: Invalid =
            Invalid("must be `*` or entity tags in quotes, as `ETag` answered them");
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
            // A well-formed tag that is none of ours matches nothing, which is 412 and not 400.
            if !weak && let Ok(tag) = tag.parse() {
                tags.push(tag);
            }
        }
        Ok(Self::Tags(tags.into()))
    }
}

impl IfMatch {
    /// Where a precondition is required.
    ///
    /// # Errors
    /// 428 when none was sent, 412 when it does not hold.
    pub fn require(&self, current: &ETag) -> Result<(), Problem> {
        if *self == Self::Absent {
            return Err(Problem::new(
                ProblemKind::PreconditionRequired,
                "send the `ETag` you last read as `If-Match`, or `*`",
            ));
        }
        self.honour(Some(current))
    }

    /// Where a precondition is optional. `None` stands for a record that does not exist.
    ///
    /// # Errors
    /// 412 when it does not hold.
    pub fn honour(&self, current: Option<&ETag>) -> Result<(), Problem> {
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
            "it changed since you read it: read it again and repeat",
        ))
    }
}

/// A page size: 1 to 200.
#[derive(Debug, Clone, Copy)]
struct Limit(u32);

impl FromStr for Limit {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(limit @ 1..=200) => Ok(Self(limit)),
            _ => Err(Invalid("must be a number from 1 to 200")),
        }
    }
}

/// What page of a list is wanted.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// How many rows at most.
    pub limit: u32,
    cursor: Option<String>,
    list: String,
}

impl PageRequest {
    /// A page request the system makes itself.
    #[must_use]
    pub fn first(limit: u32) -> Self {
        Self {
            limit,
            cursor: None,
            list: String::new(),
        }
    }

    /// Whether the caller sent a cursor.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.cursor.is_some()
    }

    /// The key to go on after, out of the caller's cursor.
    ///
    /// # Errors
    /// 400 naming `cursor` when this list did not return it to this caller.
    pub fn after(&self, context: &crate::context::Context<'_>) -> Result<Option<String>, Problem> {
        let open = |text: &String| {
            let user = context.user().to_string();
            let parts = [user.as_bytes(), self.list.as_bytes()];
            crate::value::Cursor::open(text, &context.surface.secret, &parts)
                .map_err(|error| Problem::field("cursor", error.to_string()))
        };
        self.cursor.as_ref().map(open).transpose()
    }

    /// The same for lists whose cursors hold an id.
    ///
    /// # Errors
    /// As [`PageRequest::after`].
    pub fn after_id<T: FromStr<Err = Invalid>>(
        &self,
        context: &crate::context::Context<'_>,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: String| {
            text.parse()
                .map_err(|_| Problem::field("cursor", "must be a cursor that this list returned"))
        };
        self.after(context)?.map(parse).transpose()
    }

    /// The cursor for the page after the one that ends at this key.
    #[must_use]
    pub fn next(&self, context: &crate::context::Context<'_>, last: &str) -> String {
        let user = context.user().to_string();
        let parts = [user.as_bytes(), self.list.as_bytes()];
        crate::value::Cursor::seal(&context.surface.secret, &parts, last).into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_name_are_one_list_in_their_order() {
        let lines = [
            ("if-match", "\"one\""),
            ("accept", "*/*"),
            ("if-match", ""),
            ("x-empty", ""),
            ("if-match", "\"two\", \"three\""),
        ];
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let request = Request {
            method: "PUT".into(),
            headers: lines.map(owned).into(),
            ..Request::default()
        }
        .combined();
        let expected = [
            ("if-match", "\"one\",,\"two\", \"three\""),
            ("accept", "*/*"),
            ("x-empty", ""),
        ];
        assert_eq!(request.headers, expected.map(owned));
        assert_eq!(request.header("if-match"), Some(expected[0].1));
        assert_eq!(
            (request.header("x-empty"), request.header("x")),
            (Some(""), None)
        );
        assert_eq!(request.clone().combined().headers, request.headers);
        assert_eq!(request.method, "PUT");
    }
}
