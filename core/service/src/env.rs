//! Time and entropy of requests and jobs.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

use wm_core::{
    http::Request,
    value::{Env, Sha256, Timestamp},
};

use crate::{clock::now, ports::EntropyContext};

/// Derives the time and the entropy of requests and jobs.
///
/// The operating system supplies one seed at start, where a failure can be reported. The entropy of
/// each [`Env`] is the HMAC of a counter, the time and the [`EntropyContext`] under that seed.
/// Deriving cannot fail, and one value reveals nothing about the others.
///
/// The counter keeps the values within one process distinct. Time and context keep clones of a
/// process distinct: a cloned or restored process image has the same seed and the same counter.
/// Without them, two clones would give two requests the same ids and salts.
pub struct EnvSource {
    seed: [u8; 32],
    drawn: AtomicU64,
}

impl fmt::Debug for EnvSource {
    /// Omits the seed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EnvSource").finish_non_exhaustive()
    }
}

impl EnvSource {
    /// A source with a seed from the random generator of the operating system.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            seed,
            drawn: AtomicU64::new(0),
        }
    }

    /// The current time, and 32 bytes for this context that no other call gets.
    #[must_use]
    pub fn env(&self, context: EntropyContext<'_>) -> Env {
        self.env_at(now(), context)
    }

    fn env_at(&self, now: Timestamp, context: EntropyContext<'_>) -> Env {
        let number = self.drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let millis = now.millis().to_be_bytes();
        let mut parts: Vec<&[u8]> = vec![&number, &millis];
        match context {
            EntropyContext::Request(request) => {
                parts.push(b"request");
                parts.extend(request_parts(request));
            }
            EntropyContext::Job(subject) => parts.extend([b"job", subject.as_bytes()]),
            EntropyContext::Ephemeral => parts.push(b"ephemeral"),
        }
        Env::new(now, *Sha256::keyed(&self.seed, &parts).as_bytes())
    }
}

/// All parts that can distinguish two requests. [`Sha256::keyed`] separates the parts.
fn request_parts(request: &Request) -> impl Iterator<Item = &[u8]> {
    let headers = request
        .headers
        .iter()
        .flat_map(|(name, value)| [name, value]);
    [&request.method, &request.path, &request.query]
        .into_iter()
        .chain(headers)
        .map(String::as_bytes)
        .chain([request.body.as_slice()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_never_share_randomness() {
        let source = EnvSource::new([1; 32]);
        let other = EnvSource::new([2; 32]);
        let ephemeral = EntropyContext::Ephemeral;
        let drawn = [&source, &source, &other].map(|source| source.env(ephemeral).bytes("id"));
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2] && drawn[1] != drawn[2]);
    }

    /// Requests that differ from each other in one field.
    fn distinct_requests() -> [Request; 5] {
        let text = || "a".to_owned();
        [
            Request {
                method: text(),
                ..Request::default()
            },
            Request {
                path: text(),
                ..Request::default()
            },
            Request {
                query: text(),
                ..Request::default()
            },
            Request {
                headers: vec![(text(), String::new())],
                ..Request::default()
            },
            Request {
                body: text().into_bytes(),
                ..Request::default()
            },
        ]
    }

    #[test]
    fn clones_derive_different_entropy_for_different_contexts() {
        let requests = distinct_requests();
        let mut contexts = vec![
            EntropyContext::Job("a"),
            EntropyContext::Job("b"),
            EntropyContext::Ephemeral,
        ];
        contexts.extend(requests.iter().map(EntropyContext::Request));
        let derived = contexts.iter().map(|context| {
            let clone = EnvSource::new([1; 32]);
            clone.env_at(Timestamp::default(), *context).bytes("id")
        });
        let distinct: std::collections::BTreeSet<[u8; 32]> = derived.collect();
        assert_eq!(distinct.len(), contexts.len());
    }

    #[test]
    fn clones_derive_different_entropy_at_different_times() {
        let at = |millis| {
            let clone = EnvSource::new([1; 32]);
            let env = clone.env_at(Timestamp::from_millis(millis), EntropyContext::Ephemeral);
            env.bytes("id")
        };
        assert_ne!(at(1), at(2));
        assert_eq!(at(1), at(1));
    }
}
