//! Routes of the handler: the probe of the host, triggers and requests.

use std::{io, sync::Arc};

use warp::{
    Filter, Rejection, Reply, filters::BoxedFilter, http::HeaderMap, path::FullPath, reject,
    reply::Response as HttpResponse,
};
use wm_http::body;
use wm_service::ports::Provider;

use super::{api, start::Starting, trigger, trigger::Trigger};
use crate::{config::Role, http::came_from_outside, surface::env_source};

/// The routes of a handler in this role.
///
/// # Errors
/// If the random generator of the system fails.
pub(super) fn routes<P: Provider>(
    role: Role,
    starting: Starting<P>,
) -> io::Result<BoxedFilter<(HttpResponse,)>> {
    let env = env_source()?;
    let requests = {
        let (starting, ids) = (starting.clone(), Arc::clone(&env));
        wm_http::routes(
            move |request| api::answer(starting.clone(), Arc::clone(&ids), request),
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

/// The probe of the host before its first request: any answer is valid. Clients cannot reach it,
/// because the host does not forward the root path.
fn probe() -> impl Filter<Extract = (HttpResponse,), Error = Rejection> + Clone {
    warp::get()
        .and(warp::path::end())
        .map(|| "listening".into_response())
}

/// Envelopes that the host posts to functions with other triggers. Requests from outside are not
/// envelopes: they become requests for a path that the API does not have.
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
