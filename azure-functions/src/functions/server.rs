//! What is answered, and by whom: the host's probe, triggers, and requests.

use std::{io, sync::Arc};

use warp::{
    Filter, Rejection, Reply, filters::BoxedFilter, http::HeaderMap, path::FullPath, reject,
    reply::Response as HttpResponse,
};
use wm_http::body;
use wm_service::ports::Provider;

use super::{api, start::Starting, trigger, trigger::Trigger};
use crate::{config::Role, http::came_from_outside, surface::env_source};

/// The answers of a handler in this role.
///
/// # Errors
/// When the system gives no randomness.
pub(super) fn routes<P: Provider>(
    role: Role,
    starting: Starting<P>,
) -> io::Result<BoxedFilter<(HttpResponse,)>> {
    let env = Arc::new(env_source()?);
    let requests = {
        let (starting, own) = (starting.clone(), Arc::clone(&env));
        wm_http::routes(
            move |request| api::answer(starting.clone(), Arc::clone(&own), request),
            env,
        )
    };
    Ok(match role {
        Role::Api => requests.boxed(),
        Role::Functions => probe()
            .or(triggers(starting))
            .unify()
            .or(requests)
            .unify()
            .boxed(),
    })
}

/// What the host asks before it sends anything: any answer will do. Nobody outside comes here, for the
/// host keeps the root to itself.
fn probe() -> impl Filter<Extract = (HttpResponse,), Error = Rejection> + Clone {
    warp::get()
        .and(warp::path::end())
        .map(|| "listening".into_response())
}

/// Envelopes the host posts to the functions that are not for HTTP. Whatever came from outside is none:
/// it is passed on as a request for a path the API does not have.
fn triggers<P: Provider>(
    starting: Starting<P>,
) -> impl Filter<Extract = (HttpResponse,), Error = Rejection> + Clone {
    warp::post()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and_then(|path: FullPath, headers: HeaderMap| async move {
            let trigger = Trigger::at(path.as_str()).filter(|_| !came_from_outside(&headers));
            let trigger = trigger.ok_or_else(reject::not_found)?;
            Ok::<_, Rejection>((trigger, headers))
        })
        .and(body())
        .then(move |(which, headers), body| trigger::answer(starting.clone(), which, headers, body))
}
