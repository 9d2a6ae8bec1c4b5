//! Answers that show a version or a derived output.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    operation::{
        Problem, Reply,
        content::{Stored, completion::mismatch},
        view,
    },
    record::{ContentStatus, Record},
};

/// A record with uploaded bytes that answers show.
pub(crate) trait Shown: Stored {
    /// The view in answers.
    type View: Serialize + JsonSchema + for<'a> From<&'a Record<Self>>;
    /// An example of the view.
    const EXAMPLE: &'static str;
}

/// Builds the answer with the state of an upload: 200, or 202 during verification.
///
/// # Errors
/// 409 upload-mismatch after a rejection.
pub(crate) fn reply<S: Shown>(record: &Record<S>) -> Result<Reply, Problem> {
    let shown = view::shown(record, &S::View::from(record));
    match record.body.content().status {
        ContentStatus::Verifying => Ok(Reply {
            status: 202,
            ..shown
        }),
        ContentStatus::Rejected => Err(mismatch()),
        _ => Ok(shown),
    }
}
