//! Handling of requests, the same on every surface.

use std::sync::LazyLock;

use serde_json::Value;
use wm_core::{
    catalog,
    http::{self, Request, Response},
    operation::{
        Context, Handler, IdempotencyRequest, Method, Parsed, Problem, ProblemKind, PublicHandler,
        Reply, Route, TokenUsage,
    },
    record::{Actor, Claims},
    value::{Env, RequestId, Sha256, UserId, canonical},
};

use crate::{
    Service,
    identity::TokenError,
    ports::{EntropyContext, Provider},
    trace::traceparent,
};

/// The operation name in logs and metrics for a request that matches no route.
const NO_OPERATION: &str = "none";

/// The OpenAPI document. It is parsed once, because callers need no token for it.
static OPENAPI: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(http::OPENAPI).unwrap_or_default());

/// A response, with the operation that the request was routed to.
#[derive(Debug)]
pub struct Handled {
    /// The response to send. Errors are problem documents in it.
    pub response: Response,
    /// The name of the operation of the route. `none` if no route matches.
    pub operation: &'static str,
}

/// The identification of a request in its response and in the log.
struct Trace {
    request_id: RequestId,
    traceparent: String,
    operation: &'static str,
}

impl Trace {
    fn of(request: &Request, env: &Env, operation: &'static str) -> Self {
        Self {
            request_id: env.id("request"),
            traceparent: traceparent(request.header("traceparent"), env),
            operation,
        }
    }

    /// Makes the response to a request, and logs it.
    fn respond(self, result: Result<Reply, Problem>) -> Handled {
        let Self {
            request_id,
            traceparent: trace,
            operation,
        } = self;
        let mut response = match result {
            Ok(reply) => Response::from_reply(reply, request_id),
            Err(problem) => {
                if let Some(internal) = &problem.internal {
                    tracing::error!(%request_id, traceparent = %trace, operation, internal, "request failed");
                }
                Response::from_problem(&problem, request_id)
            }
        };
        tracing::info!(%request_id, traceparent = %trace, operation, status = response.status, "answered");
        response.headers.push(("traceparent", trace));
        Handled {
            response,
            operation,
        }
    }
}

/// Handles a liveness request while the service starts. `None` for other requests. Liveness must not
/// depend on other services: a restart would not repair them.
pub fn handle_liveness(env: &Env, request: &Request) -> Option<Handled> {
    let (route, mut parsed) = http::find(request).ok()?;
    let Handler::Public(PublicHandler::Live) = route.handler else {
        return None;
    };
    let result = parsed.read_query(route).map(|()| live());
    Some(Trace::of(request, env, route.operation).respond(result))
}

fn live() -> Reply {
    Reply::ok(serde_json::json!({ "status": "live" }))
}

impl<P: Provider> Service<P> {
    /// Handles a request. It never fails: every error becomes a problem in the response.
    pub async fn handle(&self, request: Request) -> Handled {
        let env = self.provider.env(EntropyContext::Request(&request));
        match http::find(&request) {
            Ok((route, parsed)) => {
                let trace = Trace::of(&request, &env, route.operation);
                let result = self.answer_route(&request, route, parsed, env, trace.request_id);
                trace.respond(result.await)
            }
            Err(problem) => Trace::of(&request, &env, NO_OPERATION).respond(Err(problem)),
        }
    }

    async fn answer_route(
        &self,
        request: &Request,
        route: &Route,
        mut parsed: Parsed<'_>,
        env: Env,
        request_id: RequestId,
    ) -> Result<Reply, Problem> {
        match route.handler {
            Handler::UseCase(parse) => {
                // Before the sign-in, because the first sign-in of a person writes.
                let work_partitions = self.known_layout().await?.work_partitions;
                // Without a valid token, the answer is 401 whatever the query and the body contain.
                let actor = self.actor(request, &env, request_id).await?;
                parsed.read_query(route)?;
                let use_case = parse(&parsed)?;
                let context = Context {
                    surface: &self.surface,
                    env,
                    idempotency: self.idempotency(request, route, actor.user)?,
                    actor,
                    request_id,
                    work_partitions,
                };
                let reply = self.execute(&*use_case, &context).await?;
                let reply = self.finish(reply, &context).await;
                self.sign(reply, &context).await
            }
            Handler::Public(handler) => {
                parsed.read_query(route)?;
                Ok(self.answer_publicly(handler).await)
            }
        }
    }

    async fn answer_publicly(&self, handler: PublicHandler) -> Reply {
        match handler {
            PublicHandler::Live => live(),
            PublicHandler::Ready => self.ready().await,
            PublicHandler::OpenApi => Reply::ok(OPENAPI.clone()),
            PublicHandler::Catalog => Reply::ok(canonical::to_value(&catalog::catalog())),
        }
    }

    /// The person behind the bearer token. The first request of a person signs them up.
    async fn actor(
        &self,
        request: &Request,
        env: &Env,
        request_id: RequestId,
    ) -> Result<Actor, Problem> {
        let unauthenticated = || {
            Problem::new(
                ProblemKind::Unauthenticated,
                "send a valid access token as `authorization: Bearer …`",
            )
        };
        let header = request
            .header("authorization")
            .ok_or_else(unauthenticated)?;
        let (scheme, token) = header.split_once(' ').ok_or_else(unauthenticated)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(unauthenticated());
        }
        let claims = self
            .claims(token.trim(), TokenUsage::Access, env.now)
            .await?;
        let claims = claims.ok_or_else(unauthenticated)?;
        let user = self.sign_in(&claims, env, request_id).await?;
        Ok(Actor { user, claims })
    }

    /// The claims of a token. `None` if the token is refused.
    pub(crate) async fn claims(
        &self,
        token: &str,
        usage: TokenUsage,
        now: wm_core::value::Timestamp,
    ) -> Result<Option<Claims>, Problem> {
        match self
            .verifier
            .verify(self.provider.keys(), token, usage, now)
            .await
        {
            Ok(claims) => Ok(Some(claims)),
            Err(TokenError::Refused(reason)) => {
                tracing::info!(reason, "refused a token");
                Ok(None)
            }
            Err(TokenError::KeysUnavailable(error)) => Err(crate::execute::port_problem(&error)),
        }
    }

    fn idempotency(
        &self,
        request: &Request,
        route: &Route,
        user: UserId,
    ) -> Result<Option<IdempotencyRequest>, Problem> {
        let Some(key) = request.header("idempotency-key") else {
            return Ok(None);
        };
        if route.method != Method::Post {
            return Ok(None);
        }
        if !(1..=200).contains(&key.len()) || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Problem::field(
                "Idempotency-Key",
                "must be 1 to 200 visible ASCII characters",
            ));
        }
        let user = user.to_string();
        // The user is part of the hash, so the keys of two callers never collide.
        let parts = [
            b"idempotency",
            user.as_bytes(),
            request.path.as_bytes(),
            key.as_bytes(),
        ];
        Ok(Some(IdempotencyRequest {
            id: Sha256::keyed(&self.surface.secret, &parts),
            fingerprint: Sha256::of(&request.body),
        }))
    }
}
