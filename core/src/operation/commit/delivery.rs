//! The writer of delivery claims.

use alloc::vec;

use super::Batch;
use crate::{
    operation::Context,
    record::{Author, Clock, Delivery, Record},
    storage::{Condition, Operation},
    value::Sha256,
};

/// Writes the claim of one notification to one recipient. A claim is garbage after a week and tells
/// nothing about anybody, so it has no journal entry and takes no permit.
#[derive(Debug)]
pub struct DeliveryWriter<'a> {
    context: &'a Context<'a>,
    id: Sha256,
}

impl<'a> DeliveryWriter<'a> {
    /// The writer of the claim with this id.
    #[must_use]
    pub(crate) fn new(context: &'a Context<'a>, id: Sha256) -> Self {
        Self { context, id }
    }

    /// Stores the claim in place of the one before, if there is any, and only if that is still as read.
    #[must_use]
    pub fn write(&self, before: Option<&Record<Delivery>>, body: Delivery) -> Batch {
        let (now, surface) = (self.context.env.now, self.context.surface.id);
        let (scope, author) = (body.scope, Author::System);
        let (record, condition) = match before {
            None => {
                let clock = Clock::default().advanced(surface);
                let record = Record::new(self.id, body, clock, now, author);
                (record, Condition::Absent)
            }
            Some(before) => {
                let clock = before.clock.advanced(surface);
                let record = before.next(body, false, clock, now, author);
                (record, Condition::Matches(before.etag()))
            }
        };
        let operations = vec![Operation::Put(record.encode(), condition)];
        Batch::new(scope, self.context.env.id("commit"), operations)
    }
}
