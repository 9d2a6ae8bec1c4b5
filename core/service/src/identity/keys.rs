//! A cache of the signing keys of issuers.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use futures_util::lock::Mutex;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse},
};
use wm_core::value::Timestamp;

use super::{TokenError, token::Header};
use crate::ports::{KeySource, PortError, PortErrorKind};

/// The time for which cached keys are used without a new fetch.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// The time for which cached keys are used while the issuer does not answer.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// The minimum time between two fetches from one issuer, whatever keys the tokens name.
const PAUSE: Duration = Duration::from_secs(5);

/// The keys of each configured issuer, by URL.
#[derive(Debug, Default)]
pub(super) struct KeyCache {
    entries: RwLock<BTreeMap<String, Entry>>,
    /// Held during a fetch, so that concurrent tokens cause one fetch.
    fetching: Mutex<()>,
}

#[derive(Debug, Clone)]
struct Entry {
    keys: Arc<BTreeMap<String, Key>>,
    /// `None` before the first fetch.
    fetched_at: Option<Timestamp>,
    tried_at: Timestamp,
    reachable: bool,
}

/// A key and its algorithm. The type of the key determines the algorithm.
type Key = (Algorithm, DecodingKey);

impl KeyCache {
    pub(super) async fn key(
        &self,
        source: &impl KeySource,
        url: &str,
        header: &Header,
        now: Timestamp,
    ) -> Result<Key, TokenError> {
        if let Some(result) = self.remembered(url, header, now) {
            return result;
        }
        let _alone = self.fetching.lock().await;
        // Another task may have fetched the keys during the wait.
        if let Some(result) = self.remembered(url, header, now) {
            return result;
        }
        let fetched = source.fetch(url).await.and_then(|body| parse(&body));
        let failure = self.store(url, fetched, now);
        match (self.cached(url, header, now), failure) {
            (Some(key), _) => Ok(key),
            (None, Some(error)) => Err(TokenError::KeysUnavailable(error)),
            (None, None) => Err(UNKNOWN),
        }
    }

    /// The result, if the cache suffices.
    fn remembered(
        &self,
        url: &str,
        header: &Header,
        now: Timestamp,
    ) -> Option<Result<Key, TokenError>> {
        let entry = self.entry(url)?;
        let fresh = entry.fetched_at.is_some_and(|at| now < at.after(FRESH));
        let paused = now < entry.tried_at.after(PAUSE);
        match self.cached(url, header, now) {
            Some(key) if fresh || paused => Some(Ok(key)),
            None if paused && entry.reachable => Some(Err(UNKNOWN)),
            None if paused => Some(Err(TokenError::KeysUnavailable(PortError::new(
                PortErrorKind::Unavailable,
                "the issuer did not answer the previous request",
            )))),
            _ => None,
        }
    }

    fn cached(&self, url: &str, header: &Header, now: Timestamp) -> Option<Key> {
        let entry = self.entry(url)?;
        let usable = entry.fetched_at.is_some_and(|at| now < at.after(STALE));
        let key = entry
            .keys
            .get(&header.kid)
            .filter(|(algorithm, _)| *algorithm == header.algorithm);
        key.filter(|_| usable).cloned()
    }

    fn entry(&self, url: &str) -> Option<Entry> {
        self.entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(url)
            .cloned()
    }

    fn store(
        &self,
        url: &str,
        fetched: Result<BTreeMap<String, Key>, PortError>,
        now: Timestamp,
    ) -> Option<PortError> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.entry(url.to_owned()).or_insert_with(|| Entry {
            keys: Arc::default(),
            fetched_at: None,
            tried_at: now,
            reachable: false,
        });
        // A failed fetch keeps the old keys, which stay in use until they are stale.
        entry.tried_at = now;
        entry.reachable = fetched.is_ok();
        match fetched {
            Ok(keys) => {
                entry.keys = Arc::new(keys);
                entry.fetched_at = Some(now);
                None
            }
            Err(error) => Some(error),
        }
    }
}

const UNKNOWN: TokenError = TokenError::Refused("its issuer has no such key");

/// The supported signing keys of a JWKS (RFC 7517). Other keys are skipped.
fn parse(body: &[u8]) -> Result<BTreeMap<String, Key>, PortError> {
    let set: JwkSet = serde_json::from_slice(body)
        .map_err(|error| PortError::new(PortErrorKind::Unavailable, error))?;
    Ok(set.keys.iter().take(100).filter_map(usable).collect())
}

fn usable(jwk: &Jwk) -> Option<(String, Key)> {
    let algorithm = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => {
            Algorithm::ES256
        }
        _ => return None,
    };
    let signs = !matches!(jwk.common.public_key_use, Some(PublicKeyUse::Encryption));
    let kid = jwk.common.key_id.clone().filter(|_| signs)?;
    Some((kid, (algorithm, DecodingKey::from_jwk(jwk).ok()?)))
}
