//! Sign-in: runs the steps that the core names.

use wm_core::{
    jobs::sign_up::{SignIn, sign_in},
    operation::{Facts, Problem},
    record::Claims,
    value::{Env, RequestId, UserId},
};

use crate::{Service, ports::Provider};

/// More steps than a sign-in needs, even if another sign-in interferes at each step.
const STEPS: usize = 16;

impl<P: Provider> Service<P> {
    /// The person of an identity. The first request creates the person.
    pub(crate) async fn sign_in(
        &self,
        claims: &Claims,
        env: &Env,
        request_id: RequestId,
    ) -> Result<UserId, Problem> {
        let identity = claims.scope();
        if let Some(user) = self.actors.get(identity) {
            return Ok(user);
        }
        let mut facts = Facts::default();
        for _ in 0..STEPS {
            match sign_in(&self.surface, env, request_id, claims, &facts)? {
                SignIn::Done(user) => {
                    self.actors.remember(identity, user);
                    return Ok(user);
                }
                SignIn::Read(reads) => {
                    for (read, answer) in self.answer_all(reads, env.now).await? {
                        facts.insert(read, answer);
                    }
                }
                SignIn::Commit(batch) => {
                    self.create(&batch).await?;
                    facts = Facts::default();
                }
            }
        }
        Err(Problem::unavailable("the sign-in did not finish"))
    }
}
