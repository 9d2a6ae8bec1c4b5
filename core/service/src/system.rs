//! Jobs of the system, and work that a request leaves to finish.

use wm_core::{
    jobs,
    operation::{Context, Continuation, Problem, Reply, UseCase},
    record::Actor,
    storage::{Key, WorkPartitions},
    value::{Env, RequestId},
};

use crate::{
    Service,
    ports::{EntropyContext, Provider},
};

impl<P: Provider> Service<P> {
    /// Runs a job of the system.
    ///
    /// # Errors
    /// As any use-case.
    pub(crate) async fn run<T: Send>(
        &self,
        context: EntropyContext<'_>,
        use_case: &dyn UseCase<T>,
    ) -> Result<T, Problem> {
        let env = self.provider.env(context);
        let request_id: RequestId = env.id("request");
        self.run_within(use_case, env, request_id).await
    }

    pub(crate) async fn run_within<T: Send>(
        &self,
        use_case: &dyn UseCase<T>,
        env: Env,
        request_id: RequestId,
    ) -> Result<T, Problem> {
        let partitions = self.known_layout().await?.work_partitions;
        let context = self.job_context(env, request_id, partitions);
        self.execute(use_case, &context).await
    }

    /// The context of a job of the system.
    pub(crate) fn job_context(
        &self,
        env: Env,
        request_id: RequestId,
        work_partitions: WorkPartitions,
    ) -> Context<'_> {
        Context {
            surface: &self.surface,
            env,
            actor: Actor::system(),
            request_id,
            idempotency: None,
            work_partitions,
        }
    }

    /// Tries to finish the work that a reply names. On failure the sweep finishes it later, and the
    /// reply lists it as pending.
    pub(crate) async fn finish(&self, mut reply: Reply, context: &Context<'_>) -> Reply {
        let Some(Continuation { key, body }) = reply.finish.take() else {
            return reply;
        };
        match self.finish_key(&key, context).await {
            Ok(()) => reply.body = body.or(reply.body),
            Err(problem) => tracing::warn!(%key, %problem, "left work to the sweep"),
        }
        reply
    }

    async fn finish_key(&self, key: &Key, context: &Context<'_>) -> Result<(), Problem> {
        let Some(use_case) = jobs::unfinished(key) else {
            return Ok(());
        };
        let env = context.env.derived("finish");
        let finished = self.run_within(&*use_case, env, context.request_id);
        finished.await.map(drop)
    }
}
