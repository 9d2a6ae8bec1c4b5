//! The writer of delivery claims.

use alloc::vec;

use super::{Batch, batch::overwrite};
use crate::{
    operation::Context,
    record::{Author, Delivery, Record},
    value::Sha256,
};

/// Writes the claim of one notification for one recipient. A claim expires after a week and
/// contains no personal data, so it needs neither a journal entry nor a permit.
#[derive(Debug)]
pub struct DeliveryWriter<'a> {
    context: &'a Context<'a>,
    id: Sha256,
}

impl<'a> DeliveryWriter<'a> {
    /// Creates the writer of the claim with this id.
    #[must_use]
    pub(crate) fn new(context: &'a Context<'a>, id: Sha256) -> Self {
        Self { context, id }
    }

    /// Stores the claim. The write succeeds only if the stored claim is still `before`.
    #[must_use]
    pub fn write(&self, before: Option<&Record<Delivery>>, body: Delivery) -> Batch {
        let (now, surface) = (self.context.env.now, self.context.surface.id);
        let scope = body.scope;
        let write = overwrite(before, self.id, body, surface, now, Author::System);
        Batch::new(scope, self.context.env.id("commit"), vec![write])
    }
}
