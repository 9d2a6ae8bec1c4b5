//! The building blocks of operations: routes, reads, decisions, commits and answers.

pub mod authority;
pub mod commit;
pub(crate) mod content;
mod context;
mod drive;
mod example;
mod facts;
pub(crate) mod grants;
pub mod invitation_token;
mod listing;
mod page;
mod parsed;
pub mod plan;
mod problem;
mod requires;
mod route;
mod sign;
mod use_case;
pub mod view;

pub use commit::{
    Batch, Commit, Count, CountWriter, DeliveryWriter, LayoutWriter, LinkWriter, PublicationWriter,
    TooLarge, WorkWriter,
};
pub use context::{Context, IdempotencyRequest, Surface};
pub use drive::{Drive, Next};
pub use example::Example;
pub use facts::{Answer, FactError, FactNotRead, Facts, Part, ReadRequest, Stat, TokenUsage};
pub use listing::Listing;
pub use page::PageRequest;
pub use parsed::{IfMatch, Parsed, nullable};
pub use problem::{Problem, ProblemKind};
pub use requires::Requires;
pub use route::{
    ARCHIVED, Budget, Handler, Method, PAGE, ParseFn, Precondition, PublicHandler, QueryParameter,
    RequestBody, Route, SchemaFn, Success, schema,
};
pub use sign::{Assembly, Sign, SignDownload, SignUpload};
pub use use_case::{Continuation, Outcome, Reply, UseCase};
