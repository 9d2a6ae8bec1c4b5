//! The writer of links from an identity or an e-mail address to a person.

use alloc::vec;

use super::Batch;
use crate::{
    operation::Context,
    record::{Author, Body, Claims, Clock, EmailLink, IdentityLink, Record},
    storage::{Condition, Operation},
};

/// Writes links to the caller. Every link comes from verified claims.
///
/// A link is created if it is absent and never changes. Its scope holds only this record, so it has
/// neither head nor journal. It needs no permit, because the claims are the proof.
#[derive(Debug)]
pub struct LinkWriter<'a> {
    context: &'a Context<'a>,
}

impl<'a> LinkWriter<'a> {
    #[must_use]
    pub(crate) fn new(context: &'a Context<'a>) -> Self {
        Self { context }
    }

    /// Links the identity of these claims to the caller.
    #[must_use]
    pub fn identity(&self, claims: &Claims) -> Batch {
        let user_id = self.context.user();
        self.create(claims.digest(), IdentityLink { user_id })
    }

    /// Records that the caller was the first person to prove the e-mail address of these claims.
    /// `None` if they prove no address.
    #[must_use]
    pub fn email(&self, claims: &Claims) -> Option<Batch> {
        let email = claims.verified_email.as_ref()?;
        let user_id = self.context.user();
        let hash = self.context.surface.email_hash(email);
        Some(self.create(hash, EmailLink { user_id }))
    }

    fn create<B: Body>(&self, id: B::Id, body: B) -> Batch {
        let context = self.context;
        let clock = Clock::default().advanced(context.surface.id);
        let author = Author::User(context.user());
        let item = Record::new(id, body, clock, context.env.now, author).encode();
        let scope = item.key.scope;
        let operations = vec![Operation::Put(item, Condition::Absent)];
        Batch::new(scope, context.env.id("link"), operations)
    }
}
