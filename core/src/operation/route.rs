//! Routes. Each states all properties of its operation. The router, the OpenAPI document, the
//! attack matrix, the budgets and the crash tests read them from here.

use alloc::{boxed::Box, string::String};
use core::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::{Example, Parsed, Problem, ProblemKind, Requires, UseCase};

/// Makes the JSON schema of one type.
pub type SchemaFn = fn(&mut SchemaGenerator) -> Schema;

/// Whether routes keep the texts and schemas of the OpenAPI document. Deployed programs serve the
/// committed document instead, so their routes drop them when they are built.
const DOCUMENTED: bool = cfg!(any(test, feature = "openapi-document"));

/// A part of the OpenAPI document, or this replacement if routes do not keep it.
const fn documented<T: Copy>(part: T, replacement: T) -> T {
    if DOCUMENTED { part } else { replacement }
}

const NO_SCHEMA: SchemaFn = |_| Schema::default();

/// Parses a request into its operation.
pub type ParseFn = fn(&Parsed<'_>) -> Result<Box<dyn UseCase>, Problem>;

/// The schema of a type, for [`Route::takes`] and [`Success`].
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

/// The handler of a route.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    /// An operation on behalf of an authenticated caller.
    UseCase(ParseFn),
    /// The same answer for every caller, without a token.
    Public(PublicHandler),
}

/// The routes that need no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicHandler {
    /// Liveness: the process runs.
    Live,
    /// Readiness: the dependencies answer.
    Ready,
    /// The OpenAPI document.
    OpenApi,
    /// The provider catalog.
    Catalog,
}

/// How an operation treats `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// The header is ignored.
    Ignored,
    /// A sent header is honoured.
    Optional,
    /// A request without the header is refused with 428.
    Required,
}

/// The database calls that one successful call may make. The calls that identify the caller are not
/// counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// The number of sequential rounds of database calls.
    pub rounds: usize,
    /// The number of commits.
    pub commits: usize,
}

impl Budget {
    /// No database call.
    pub const FREE: Self = Self::of(0, 0);
    /// One read round.
    pub const READ: Self = Self::of(1, 0);
    /// A round for the caller's access, then one for the page.
    pub const LIST: Self = Self::of(2, 0);
    /// A round for the caller's access, one for the rows of an index, and one for the same rows by
    /// strong reads.
    pub const CHECKED_LIST: Self = Self::of(3, 0);
    /// One read round, then one commit.
    pub const WRITE: Self = Self::of(2, 1);
    /// A round for the head of the scope, one for the facts of the decision, then one commit.
    /// Commands that change members, grants and invitations work like this.
    pub const ORDERED_WRITE: Self = Self::of(3, 1);

    /// A budget of this many rounds and commits.
    #[must_use]
    pub const fn of(rounds: usize, commits: usize) -> Self {
        Self { rounds, commits }
    }
}

/// A query parameter that a route accepts. Other parameters are refused with 400.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the names say it")]
pub struct QueryParameter {
    pub name: &'static str,
    pub description: &'static str,
    pub schema: SchemaFn,
}

impl QueryParameter {
    /// A parameter, with its description for users of the API.
    #[must_use]
    pub const fn new(name: &'static str, description: &'static str, schema: SchemaFn) -> Self {
        Self {
            name,
            description: documented(description, ""),
            schema: documented(schema, NO_SCHEMA),
        }
    }
}

/// The body that an operation takes.
#[derive(Debug, Clone, Copy)]
pub struct RequestBody {
    /// The schema that the body is parsed by.
    pub schema: SchemaFn,
    /// A body that the operation accepts, as JSON text.
    pub example: &'static str,
}

/// One answer that is not a problem document.
#[derive(Debug, Clone, Copy)]
pub struct Success {
    /// The HTTP status.
    pub status: u16,
    /// The schema of the body. `None` if the answer has no body.
    pub schema: Option<SchemaFn>,
    /// A body of that schema.
    pub example: Example,
}

impl Success {
    /// 204 without a body.
    pub const NO_CONTENT: Self = Self {
        status: 204,
        schema: None,
        example: Example::None,
    };

    /// 200.
    #[must_use]
    pub const fn ok(schema: SchemaFn, example: Example) -> Self {
        Self::with(200, schema, example)
    }

    /// 201, for a record that was created.
    #[must_use]
    pub const fn created(schema: SchemaFn, example: Example) -> Self {
        Self::with(201, schema, example)
    }

    /// 202, for work that goes on after the answer.
    #[must_use]
    pub const fn accepted(schema: SchemaFn, example: Example) -> Self {
        Self::with(202, schema, example)
    }

    /// An answer with a body.
    #[must_use]
    pub const fn with(status: u16, schema: SchemaFn, example: Example) -> Self {
        Self {
            status,
            schema: Some(schema),
            example,
        }
    }
}

/// The refusal of a write to an archived project.
pub const ARCHIVED: (ProblemKind, &str) = (ProblemKind::Conflict, "the project is archived");

/// One route and its operation.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The HTTP method.
    pub method: Method,
    /// The path template, with parameters in braces.
    pub path: &'static str,
    /// The operation's name: unique, `snake_case`.
    pub operation: &'static str,
    /// A summary of the operation, as one imperative phrase.
    pub summary: &'static str,
    /// Details beyond the summary for users of the API, in sentences.
    pub description: &'static str,
    /// The operation, or the answer that is the same for every caller.
    pub handler: Handler,
    /// The requirement on the caller.
    pub requires: Requires,
    /// The case in which [`Route::requires`] does not apply. It completes a sentence after "unless".
    pub unless: Option<&'static str>,
    /// The limit on the database calls of one call.
    pub budget: Budget,
    /// The request body. `None` if the operation takes none.
    pub body: Option<RequestBody>,
    /// The answers that are not problem documents. The first is the usual one.
    pub answers: &'static [Success],
    /// The accepted query parameters. Others are refused with 400.
    pub query: &'static [QueryParameter],
    /// The treatment of `If-Match`.
    pub precondition: Precondition,
    /// Problems beyond those that the conventions imply, each with the condition that causes it. The
    /// condition completes a sentence that ends in "if".
    pub refusals: &'static [(ProblemKind, &'static str)],
}

impl Route {
    /// A route with an operation. It requires a token unless [`Route::requires`] declares more.
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
        let route = Self::with(method, path, operation, summary, Handler::Public(handler));
        route.requires(Requires::Nothing)
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
            summary: documented(summary, ""),
            description: "",
            handler,
            requires: Requires::Token,
            unless: None,
            budget: Budget::FREE,
            body: None,
            answers: &[],
            query: &[],
            precondition: Precondition::Ignored,
            refusals: &[],
        }
    }

    /// Sets [`Route::description`].
    #[must_use]
    pub const fn describes(self, description: &'static str) -> Self {
        Self {
            description: documented(description, ""),
            ..self
        }
    }

    /// Sets [`Route::requires`].
    #[must_use]
    pub const fn requires(self, requires: Requires) -> Self {
        Self { requires, ..self }
    }

    /// Sets [`Route::unless`].
    #[must_use]
    pub const fn unless(self, exception: &'static str) -> Self {
        Self {
            unless: Some(documented(exception, "")),
            ..self
        }
    }

    /// The requirement on the caller in sentences, for users of the API.
    #[must_use]
    pub fn requirement(&self) -> String {
        self.requires.describe(self.unless)
    }

    /// Sets [`Route::budget`].
    #[must_use]
    pub const fn budget(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// Sets [`Route::body`].
    #[must_use]
    pub const fn takes(self, schema: SchemaFn, example: &'static str) -> Self {
        Self {
            body: Some(RequestBody {
                schema: documented(schema, NO_SCHEMA),
                example: documented(example, ""),
            }),
            ..self
        }
    }

    /// Sets [`Route::answers`].
    #[must_use]
    pub const fn answers(self, answers: &'static [Success]) -> Self {
        Self {
            answers: documented(answers, &[]),
            ..self
        }
    }

    /// Sets [`Route::query`].
    #[must_use]
    pub const fn query(self, query: &'static [QueryParameter]) -> Self {
        Self { query, ..self }
    }

    /// Sets [`Route::precondition`].
    #[must_use]
    pub const fn precondition(self, precondition: Precondition) -> Self {
        Self {
            precondition,
            ..self
        }
    }

    /// Sets [`Route::refusals`].
    #[must_use]
    pub const fn refuses(self, refusals: &'static [(ProblemKind, &'static str)]) -> Self {
        Self {
            refusals: documented(refusals, &[]),
            ..self
        }
    }
}

/// The query parameters that every list takes.
pub const PAGE: [QueryParameter; 2] = [
    QueryParameter::new(
        "limit",
        "Rows per page: 1 to 200. Default: 50.",
        limit_schema,
    ),
    QueryParameter::new(
        "cursor",
        "`next_cursor` of the previous page.",
        schema::<String>,
    ),
];

fn limit_schema(_: &mut SchemaGenerator) -> Schema {
    schemars::json_schema!({ "type": "integer", "minimum": 1, "maximum": 200, "default": 50 })
}
