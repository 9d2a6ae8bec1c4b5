//! Routes: the one table behind the router, the OpenAPI document, the docs and the coverage tests.

use alloc::{boxed::Box, string::String};
use core::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Parsed, Problem, ProblemKind, UseCase};

/// Makes the JSON schema of one type.
pub type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// Parses a request into the operation it asks for.
pub type ParseFn = fn(&Parsed<'_>) -> Result<Box<dyn UseCase>, Problem>;

/// The schema of a type, for [`Route::takes`] and [`Route::answers`].
pub fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

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

/// What answers a route.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// An operation on behalf of a signed-in person.
    UseCase(ParseFn),
    /// An answer that everybody gets, without a token.
    Public(PublicHandler),
}

/// What answers a route that needs no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicHandler {
    /// Whether the process runs.
    Live,
    /// Whether its dependencies answer.
    Ready,
    /// The OpenAPI document.
    OpenApi,
    /// The provider catalog.
    Catalog,
}

/// How an operation treats `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Not at all.
    Ignored,
    /// Honoured when sent.
    Optional,
    /// Required.
    Required,
}

/// A query parameter.
#[derive(Debug, Clone, Copy)]
pub struct QueryParameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Its schema.
    pub schema: SchemaFn,
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// The operation's name: unique, `snake_case`.
    pub operation: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What answers it.
    pub handler: Handler,
    /// The schema of the body it takes.
    pub body: Option<SchemaFn>,
    /// Its good answers: status and schema of the body.
    pub answers: &'static [(u16, Option<SchemaFn>)],
    /// Query parameters.
    pub query: &'static [QueryParameter],
    /// How it treats `If-Match`.
    pub precondition: Precondition,
    /// Problems beyond those that the conventions imply.
    pub refusals: &'static [ProblemKind],
}

impl Route {
    /// A route answered by an operation.
    #[must_use]
    pub const fn new(
        method: Method,
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
        parse: ParseFn,
    ) -> Self {
        Self::with(method, path, operation, summary, Handler::UseCase(parse))
    }

    /// A route that needs no token.
    #[must_use]
    pub const fn public(
        method: Method,
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
        handler: PublicHandler,
    ) -> Self {
        Self::with(method, path, operation, summary, Handler::Public(handler))
    }

    const fn with(
        method: Method,
        path: &'static str,
        operation: &'static str,
        summary: &'static str,
        handler: Handler,
    ) -> Self {
        Self {
            method,
            path,
            operation,
            summary,
            handler,
            body: None,
            answers: &[],
            query: &[],
            precondition: Precondition::Ignored,
            refusals: &[],
        }
    }

    /// It takes a body of this schema.
    #[must_use]
    pub const fn takes(self, schema: SchemaFn) -> Self {
        Self {
            body: Some(schema),
            ..self
        }
    }

    /// Its good answers.
    #[must_use]
    pub const fn answers(self, answers: &'static [(u16, Option<SchemaFn>)]) -> Self {
        Self { answers, ..self }
    }

    /// Its query parameters.
    #[must_use]
    pub const fn query(self, query: &'static [QueryParameter]) -> Self {
        Self { query, ..self }
    }

    /// How it treats `If-Match`.
    #[must_use]
    pub const fn precondition(self, precondition: Precondition) -> Self {
        Self {
            precondition,
            ..self
        }
    }

    /// Problems beyond those that the conventions imply.
    #[must_use]
    pub const fn refuses(self, refusals: &'static [ProblemKind]) -> Self {
        Self { refusals, ..self }
    }
}

/// The query parameters every list takes.
pub const PAGE: [QueryParameter; 2] = [
    QueryParameter {
        name: "limit",
        description: "rows per page, 1 to 200; 50 by default",
        schema: limit_schema,
    },
    QueryParameter {
        name: "cursor",
        description: "`next_cursor` of the page before",
        schema: schema::<String>,
    },
];

fn limit_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 })
}
