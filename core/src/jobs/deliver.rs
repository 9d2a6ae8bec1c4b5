//! The marks that make one event send one recipient one mail, however often it is delivered.

use alloc::{boxed::Box, vec, vec::Vec};
use core::time::Duration;

use crate::{
    operation::{Batch, Context, DeliveryWriter, Facts, Outcome, Problem, ReadRequest, UseCase},
    record::{Delivery, Record},
    storage::{Key, Scope, Sort},
    value::Sha256,
};

/// How long one attempt has a mail to itself: longer than handing it over takes. An attempt that died
/// in between leaves the mail to the next delivery after that, which may then send it twice; losing it
/// would be worse.
const CLAIM: Duration = Duration::from_secs(60);
/// How long a mark is kept: longer than any bus delivers again.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What became of asking for a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// This attempt has it and sends it now.
    Granted,
    /// It was sent already.
    AlreadySent,
}

/// Claims a mail for this attempt; 409 while another attempt has it.
#[must_use]
pub fn claim(scope: Scope, id: Sha256) -> Box<dyn UseCase<Claim>> {
    Box::new(ClaimMail(Mail { scope, id }))
}

/// Notes that a claimed mail was sent.
#[must_use]
pub fn sent(scope: Scope, id: Sha256) -> Box<dyn UseCase<()>> {
    Box::new(NoteSent(Mail { scope, id }))
}

/// One notification to one recipient.
struct Mail {
    scope: Scope,
    id: Sha256,
}

impl Mail {
    fn key(&self) -> Key {
        self.scope.key(Sort::delivery(self.id))
    }

    fn stored(&self, facts: &Facts) -> Result<Option<Record<Delivery>>, Problem> {
        Ok(facts.record(&self.key())?)
    }

    fn batch(&self, context: &Context<'_>, before: Option<&Record<Delivery>>, sent: bool) -> Batch {
        let body = Delivery {
            scope: self.scope,
            sent,
            claimed_by: context.request_id,
            claimed_until: context.env.now.after(CLAIM),
            expires_at: context.env.now.after(RETENTION),
        };
        DeliveryWriter::new(context, self.id).write(before, body)
    }
}

struct ClaimMail(Mail);

impl UseCase<Claim> for ClaimMail {
    fn reads(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(vec![ReadRequest::Get(self.0.key())])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Claim>, Problem> {
        let before = self.0.stored(facts)?;
        match &before {
            Some(delivery) if delivery.body.sent => {
                return Ok(Outcome::Reply(Claim::AlreadySent));
            }
            Some(delivery) if context.env.now < delivery.body.claimed_until => {
                return Err(Problem::conflict("another attempt is sending this mail"));
            }
            _ => {}
        }
        let batch = self.0.batch(context, before.as_ref(), false);
        Ok(Outcome::Commit(batch, Claim::Granted))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.0.scope)
    }
}

struct NoteSent(Mail);

impl UseCase<()> for NoteSent {
    fn reads(&self, _: &Context<'_>, _: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(vec![ReadRequest::Get(self.0.key())])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<()>, Problem> {
        let before = self.0.stored(facts)?;
        if before.as_ref().is_some_and(|delivery| delivery.body.sent) {
            return Ok(Outcome::Reply(()));
        }
        let batch = self.0.batch(context, before.as_ref(), true);
        Ok(Outcome::Commit(batch, ()))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.0.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn one_attempt_at_a_time_and_one_mail_in_all() {
        let mut world = Fixture::new();
        let ana = world.person("ana");
        let scope = Scope::User(ana.actor.user);
        let id = Sha256::of(b"event and recipient");
        let ask = |world: &mut Fixture| world.run(&ana, &*claim(scope, id), None);
        assert_eq!(ask(&mut world), Ok(Claim::Granted));
        assert!(ask(&mut world).is_err());
        world.pass(CLAIM);
        assert_eq!(ask(&mut world), Ok(Claim::Granted));
        assert_eq!(world.run(&ana, &*sent(scope, id), None), Ok(()));
        world.pass(CLAIM);
        assert_eq!(ask(&mut world), Ok(Claim::AlreadySent));
    }

    /// The executor takes what is stored to the letter for its own: two attempts must not write the same.
    #[test]
    fn attempts_at_one_instant_write_different_marks() {
        let mut world = Fixture::new();
        let ana = world.person("ana");
        let mark = claim(Scope::User(ana.actor.user), Sha256::of(b"event"));
        let mut stored = || match world.decide(&ana, &*mark, None) {
            Ok(Outcome::Commit(batch, _)) => batch.operations().to_vec(),
            _ => panic!("nobody has it yet"),
        };
        assert_ne!(stored(), stored());
    }
}
