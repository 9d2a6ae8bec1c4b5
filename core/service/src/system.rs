//! Work the system does by itself, and work a request left to be finished.

use serde_json::Value;
use wm_core::{
    jobs,
    operation::{Context, Problem, Reply, UseCase},
    record::Actor,
    storage::Key,
    value::{Env, RequestId},
};

use crate::{
    Service,
    ports::{EntropyContext, Provider},
};

impl<P: Provider> Service<P> {
    /// Runs a use-case of the system's own.
    ///
    /// # Errors
    /// As any use-case.
    pub(crate) async fn run(
        &self,
        context: EntropyContext<'_>,
        use_case: &dyn UseCase,
    ) -> Result<Reply, Problem> {
        let env = self.provider.env(context);
        let request_id: RequestId = env.id("request");
        self.run_within(use_case, env, request_id).await
    }

    pub(crate) async fn run_within(
        &self,
        use_case: &dyn UseCase,
        env: Env,
        request_id: RequestId,
    ) -> Result<Reply, Problem> {
        let context = Context {
            surface: &self.surface,
            env,
            actor: Actor::system(),
            request_id,
            idempotency: None,
        };
        self.execute(use_case, &context).await
    }

    /// Tries to finish what an answer left open. Whatever fails here is finished by the sweep; the
    /// answer then lists it as pending.
    pub(crate) async fn finish(&self, mut reply: Reply, context: &Context<'_>) -> Reply {
        let Some(key) = reply.finish.take() else {
            return reply;
        };
        match self.finish_key(&key, context).await {
            Some(Ok(Reply {
                body: Some(Value::Object(settled)),
                ..
            })) => {
                if let Some(Value::Object(members)) = &mut reply.body {
                    members.extend(settled);
                }
            }
            Some(Err(problem)) => {
                tracing::warn!(%key, %problem, "work is left to the sweep");
            }
            Some(Ok(_)) | None => {}
        }
        reply
    }

    async fn finish_key(&self, key: &Key, context: &Context<'_>) -> Option<Result<Reply, Problem>> {
        let use_case = jobs::unfinished(key)?;
        let env = context.env.derived("finish");
        Some(self.run_within(&*use_case, env, context.request_id).await)
    }
}
