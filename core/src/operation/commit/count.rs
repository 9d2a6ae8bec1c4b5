//! The writer of counters.

use alloc::vec;

use super::Batch;
use crate::{
    operation::Context,
    record::{Counting, Head, Record, Usage},
    storage::{Condition, Operation},
};

/// A step of counting what a scope holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// Some records are counted.
    Part(Counting),
    /// All records are counted, and add up to this.
    Whole(Usage),
    /// The projects of the account add up to this.
    Projects(Usage),
}

/// Writes the counters of a head.
///
/// It needs neither a permit nor a journal entry, because it changes nothing else: the counters say
/// what the records of the scope add up to.
#[derive(Debug)]
pub struct CountWriter<'a> {
    context: &'a Context<'a>,
}

impl<'a> CountWriter<'a> {
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self { context }
    }

    /// Stores the result of a step. The write succeeds only if the scope has not changed since its
    /// head was read.
    #[must_use]
    pub fn write(&self, before: &Record<Head>, count: Count) -> Batch {
        let mut head = before.body.clone();
        match count {
            Count::Part(counting) => head.counting = Some(counting),
            Count::Whole(usage) => {
                head.usage = Some(usage);
                head.counting = None;
                head.counted_at = Some(self.context.env.now);
            }
            Count::Projects(usage) => head.projects = Some(usage),
        }
        let record = before.with_body(head);
        let condition = Condition::Matches(before.etag());
        let operations = vec![Operation::Put(record.encode(), condition)];
        Batch::new(before.body.scope, self.context.env.id("commit"), operations)
    }
}
