//! Pages of lists.

use alloc::string::{String, ToString};
use core::str::FromStr;

use super::{Context, Problem};
use crate::value::{Cursor, Invalid};

/// A page size: 1 to 200.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) u32);

impl FromStr for Limit {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.parse() {
            Ok(limit @ 1..=200) => Ok(Self(limit)),
            _ => Err(Invalid("must be a number from 1 to 200")),
        }
    }
}

/// The page that the caller requests.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// The maximum number of rows.
    pub limit: u32,
    cursor: Option<String>,
    list: String,
}

impl PageRequest {
    pub(super) fn new(limit: u32, cursor: Option<String>, list: String) -> Self {
        Self {
            limit,
            cursor,
            list,
        }
    }

    /// A page request of the system itself.
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
    pub fn has_cursor(&self) -> bool {
        self.cursor.is_some()
    }

    /// The key after which the page begins, from the caller's cursor.
    ///
    /// # Errors
    /// 400 naming `cursor` if this list did not return the cursor to this caller.
    pub fn after(&self, context: &Context<'_>) -> Result<Option<String>, Problem> {
        let open = |text: &String| {
            let user = context.user().to_string();
            let parts = [user.as_bytes(), self.list.as_bytes()];
            Cursor::verify(text, &context.surface.secret, &parts)
                .map_err(|error| Problem::field("cursor", error.to_string()))
        };
        self.cursor.as_ref().map(open).transpose()
    }

    /// As [`PageRequest::after`], for lists whose cursors hold an id.
    ///
    /// # Errors
    /// As [`PageRequest::after`].
    pub fn after_id<T: FromStr<Err = Invalid>>(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: String| {
            text.parse()
                .map_err(|_| Problem::field("cursor", "must be a cursor that this list returned"))
        };
        self.after(context)?.map(parse).transpose()
    }

    /// The cursor of the page that begins after this key.
    #[must_use]
    pub fn next(&self, context: &Context<'_>, last: &str) -> String {
        let user = context.user().to_string();
        let parts = [user.as_bytes(), self.list.as_bytes()];
        Cursor::sign(&context.surface.secret, &parts, last).into_string()
    }
}
