//! The writer of the layout record.

use alloc::vec;

use super::{Batch, batch::overwrite};
use crate::{
    operation::Context,
    record::{Author, Layout, Record},
    storage::Scope,
};

/// Writes the layout of the surface's data. The record holds no data of anybody, so it needs neither
/// a permit nor a journal entry.
#[derive(Debug)]
pub struct LayoutWriter<'a> {
    context: &'a Context<'a>,
}

impl<'a> LayoutWriter<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self { context }
    }

    /// Stores the layout. The write succeeds only if the stored one is still `before`.
    #[must_use]
    pub fn write(&self, before: Option<&Record<Layout>>, body: Layout) -> Batch {
        let (now, surface) = (self.context.env.now, self.context.surface.id);
        let write = overwrite(before, surface, body, surface, now, Author::System);
        Batch::new(Scope::Surface, self.context.env.id("commit"), vec![write])
    }
}
