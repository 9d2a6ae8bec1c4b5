//! The discovery document and keys of the built-in issuer (OpenID Connect Discovery 1.0).

use std::{net::SocketAddr, sync::Arc};

use warp::{
    Filter, Rejection, Reply,
    http::{HeaderMap, header::HOST, uri::Authority},
    reply::Response as HttpResponse,
};

use crate::identity::Issuer;

/// Answers `GET /.well-known/openid-configuration` and `GET /.well-known/jwks.json`.
pub(super) fn routes(
    issuer: Arc<Issuer>,
    address: SocketAddr,
) -> impl Filter<Extract = (HttpResponse,), Error = Rejection> + Clone {
    let keys = Arc::clone(&issuer);
    let jwks = warp::path!(".well-known" / "jwks.json")
        .map(move || warp::reply::json(keys.jwks()).into_response());
    let discovery = warp::path!(".well-known" / "openid-configuration")
        .and(warp::header::headers_cloned())
        .map(move |headers| {
            let host = host(&headers).unwrap_or_else(|| address.to_string());
            let jwks_uri = format!("http://{host}/.well-known/jwks.json");
            warp::reply::json(&issuer.discovery(&jwks_uri)).into_response()
        });
    // The server omits the body of the answer to `HEAD`.
    warp::get()
        .or(warp::head())
        .unify()
        .and(jwks.or(discovery).unify())
}

/// The host that the client used, if it is valid. Behind a proxy it differs from the bound address,
/// and the keys are at that host too.
fn host(headers: &HeaderMap) -> Option<String> {
    let host: Authority = headers.get(HOST)?.to_str().ok()?.parse().ok()?;
    Some(host.as_str().to_owned())
}
