//! Delivery claims. They make one event send one mail to one recipient, even if the bus delivers it
//! several times.

use alloc::{boxed::Box, vec, vec::Vec};
use core::time::Duration;

use crate::{
    operation::{Batch, Context, DeliveryWriter, Facts, Outcome, Problem, ReadRequest, UseCase},
    record::{Delivery, Record},
    storage::{Key, Scope, Sort},
    value::Sha256,
};

/// The time for which one attempt holds a claim. It is longer than handing over a mail takes. After
/// an attempt that crashed, the next delivery takes over and may send the mail twice; losing the
/// mail would be worse.
const CLAIM: Duration = Duration::from_secs(60);
/// The retention of claims. It is longer than the redelivery period of every bus.
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The result of claiming a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// This attempt holds the claim and sends the mail now.
    Granted,
    /// The mail was already sent.
    AlreadySent,
}

/// Claims a mail for this attempt. The answer is 409 while another attempt holds the claim.
#[must_use]
pub fn claim(scope: Scope, id: Sha256) -> Box<dyn UseCase<Claim>> {
    Box::new(ClaimMail(Mail { scope, id }))
}

/// Records that a claimed mail was sent.
#[must_use]
pub fn sent(scope: Scope, id: Sha256) -> Box<dyn UseCase<()>> {
    Box::new(NoteSent(Mail { scope, id }))
}

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
    fn claim_admits_one_attempt_at_a_time_and_one_mail() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let scope = Scope::User(ana.actor.user);
        let id = Sha256::of(b"event and recipient");
        let claim_mail = |fixture: &mut Fixture| fixture.run(&ana, &*claim(scope, id), None);
        assert_eq!(claim_mail(&mut fixture), Ok(Claim::Granted));
        assert!(claim_mail(&mut fixture).is_err());
        fixture.pass(CLAIM);
        assert_eq!(claim_mail(&mut fixture), Ok(Claim::Granted));
        assert_eq!(fixture.run(&ana, &*sent(scope, id), None), Ok(()));
        fixture.pass(CLAIM);
        assert_eq!(claim_mail(&mut fixture), Ok(Claim::AlreadySent));
    }

    /// The executor takes stored bytes that equal its own commit for that commit, so two attempts
    /// must write different claims.
    #[test]
    fn claims_at_one_instant_differ() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let claim_mail = claim(Scope::User(ana.actor.user), Sha256::of(b"event"));
        let mut stored = || match fixture.decide(&ana, &*claim_mail, None) {
            Ok(Outcome::Commit(batch, _)) => batch.operations().to_vec(),
            _ => panic!("the claim must be free"),
        };
        assert_ne!(stored(), stored());
    }
}
