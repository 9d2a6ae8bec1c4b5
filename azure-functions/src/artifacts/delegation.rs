//! The user delegation key that signs URLs. The service issues it to the identity of the handler
//! for a limited time, so the storage account needs no key of its own.

use std::{future::Future, sync::Arc, time::Duration};

use azure_core::time::OffsetDateTime;
use azure_storage_blob::{BlobServiceClient, models::KeyInfo};
use azure_storage_common::models::UserDelegationKey;
use tokio::sync::Mutex;
use wm_core::value::Timestamp;
use wm_service::ports::{PortError, PortErrorKind};

use super::within;
use crate::{error::port_error, sdk::Timeouts};

/// The maximum difference between the clocks. Microsoft advises a quarter of an hour:
/// <https://learn.microsoft.com/azure/storage/common/storage-sas-overview#best-practices-when-using-sas>.
const SKEW: Duration = Duration::from_mins(15);

/// The requested lifetime of a key, unless a URL needs a longer one. A stolen key can sign URLs
/// within the rights of the identity until it expires, or until the role of the identity is
/// removed.
const KEY_LIFE: Duration = Duration::from_hours(1);

/// A period of validity, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: OffsetDateTime,
    pub(super) end: OffsetDateTime,
}

impl Window {
    /// A period from the maximum clock difference before now until this time. It is not empty and
    /// not longer than the limit.
    pub(super) fn until(
        now: Timestamp,
        end: Timestamp,
        longest: Duration,
    ) -> Result<Self, PortError> {
        let end = end.min(now.after(longest)).millis().div_euclid(1000);
        // A plan that ends now is signed for the current second.
        let end = end.max(now.millis().div_euclid(1000) + 1);
        Ok(Self {
            start: seconds(now.before(SKEW).millis().div_euclid(1000))?,
            end: seconds(end)?,
        })
    }
}

fn seconds(since_1970: i64) -> Result<OffsetDateTime, PortError> {
    OffsetDateTime::from_unix_timestamp(since_1970)
        .map_err(|error| PortError::new(PortErrorKind::Refused, error))
}

/// The current key. It is replaced when it does not cover a signature.
pub(super) struct DelegationKeys {
    service: BlobServiceClient,
    cache: KeyCache,
}

impl DelegationKeys {
    pub(super) fn new(service: BlobServiceClient) -> Self {
        Self {
            service,
            cache: KeyCache::default(),
        }
    }

    /// A key that is valid for this period.
    pub(super) async fn covering(
        &self,
        window: Window,
    ) -> Result<Arc<UserDelegationKey>, PortError> {
        let limit = Timeouts::SERVICE.operation;
        self.cache
            .covering(window, limit, |wanted| self.request(wanted))
            .await
    }

    async fn request(&self, wanted: Window) -> Result<UserDelegationKey, azure_core::Error> {
        let info = KeyInfo {
            start: Some(wanted.start),
            expiry: Some(wanted.end),
            ..Default::default()
        };
        let answer = self
            .service
            .get_user_delegation_key(info.try_into()?, None)
            .await?;
        answer.into_model()
    }
}

#[derive(Default)]
struct KeyCache(Mutex<Option<Arc<UserDelegationKey>>>);

impl KeyCache {
    /// The current key, or a new one. If several callers need a new one at the same time, one
    /// requests it and the others wait, each up to the limit.
    async fn covering<A>(
        &self,
        window: Window,
        limit: Duration,
        request: impl FnOnce(Window) -> A,
    ) -> Result<Arc<UserDelegationKey>, PortError>
    where
        A: Future<Output = Result<UserDelegationKey, azure_core::Error>>,
    {
        within(limit, async {
            let mut cache = self.0.lock().await;
            if let Some(key) = cache.as_ref().filter(|key| covers(key, window)) {
                return Ok(Arc::clone(key));
            }
            let wanted = Window {
                start: window.start,
                end: window.end.max(window.start + SKEW + KEY_LIFE),
            };
            let key = Arc::new(request(wanted).await.map_err(refusal)?);
            *cache = Some(Arc::clone(&key));
            Ok(key)
        })
        .await?
    }
}

fn covers(key: &UserDelegationKey, window: Window) -> bool {
    key.signed_start.is_some_and(|start| start <= window.start)
        && key.signed_expiry.is_some_and(|end| window.end <= end)
}

/// A refusal becomes a temporary failure, because a new role assignment takes effect after minutes
/// (<https://learn.microsoft.com/azure/role-based-access-control/troubleshooting>).
fn refusal(error: azure_core::Error) -> PortError {
    let error = port_error(error);
    match error.kind {
        PortErrorKind::Refused => PortError::new(PortErrorKind::Unavailable, error),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use azure_core::{Error, error::ErrorKind};
    use futures_util::future::{join_all, pending};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_400);
    const DAY: Duration = Duration::from_hours(24);

    fn minutes(count: u64) -> Window {
        window(NOW, NOW.after(Duration::from_mins(count)))
    }

    fn window(now: Timestamp, end: Timestamp) -> Window {
        Window::until(now, end, DAY).unwrap()
    }

    fn key(of: Window) -> UserDelegationKey {
        UserDelegationKey {
            signed_start: Some(of.start),
            signed_expiry: Some(of.end),
            ..Default::default()
        }
    }

    #[test]
    fn case_43_signed_url_expires_with_its_plan_and_within_a_day() {
        let now = NOW.millis() / 1000;
        let ends = |end| window(NOW, end).end.unix_timestamp() - now;
        assert_eq!(ends(NOW.after(Duration::from_secs(900))), 900);
        assert_eq!(ends(NOW.after(DAY * 365)), DAY.as_secs() as i64);
        for over in [NOW, NOW.before(DAY), NOW.after(Duration::from_millis(100))] {
            assert_eq!(ends(over), 1);
        }
        assert_eq!(now - minutes(1).start.unix_timestamp(), 900);
    }

    #[tokio::test]
    async fn key_is_reused_until_it_would_expire_too_soon() {
        let (cache, requests) = (KeyCache::default(), AtomicUsize::new(0));
        let at = async |passed, lives| {
            let now = NOW.after(Duration::from_mins(passed));
            let wanted = window(now, now.after(Duration::from_mins(lives)));
            let request = |wanted| {
                requests.fetch_add(1, Ordering::SeqCst);
                async move { Ok(key(wanted)) }
            };
            let got = cache.covering(wanted, DAY, request).await.unwrap();
            assert!(covers(&got, wanted));
            requests.load(Ordering::SeqCst)
        };
        let calls = [at(0, 15).await, at(1, 15).await, at(45, 15).await];
        assert_eq!(calls, [1, 1, 1]);
        assert_eq!([at(46, 15).await, at(46, 15).await], [2, 2]);
        assert_eq!([at(46, 600).await, at(47, 599).await], [3, 3]);
        // A clock that was set back.
        assert_eq!(at(0, 1).await, 4);
    }

    #[tokio::test]
    async fn concurrent_callers_cause_one_key_request() {
        let (cache, requests) = (KeyCache::default(), AtomicUsize::new(0));
        let request = |wanted| {
            requests.fetch_add(1, Ordering::SeqCst);
            async move {
                tokio::task::yield_now().await;
                Ok(key(wanted))
            }
        };
        let all = join_all((0..50).map(|_| cache.covering(minutes(15), DAY, request))).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(requests.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn refusal_is_temporary_and_not_cached() {
        let cache = KeyCache::default();
        let refused = |_| async {
            let status = azure_core::http::StatusCode::Forbidden;
            let kind = ErrorKind::HttpResponse {
                status,
                error_code: Some("AuthorizationPermissionMismatch".into()),
                raw_response: None,
            };
            Err(Error::with_message(kind, "no"))
        };
        let error = cache.covering(minutes(15), DAY, refused).await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unavailable);
        let given = cache
            .covering(minutes(15), DAY, |wanted| async move { Ok(key(wanted)) })
            .await;
        assert!(given.is_ok());
    }

    #[tokio::test]
    async fn callers_wait_no_longer_than_their_limit() {
        let cache = KeyCache::default();
        let limit = Duration::from_millis(200);
        let silent = |_| pending();
        let waiting = (0..5).map(|_| cache.covering(minutes(15), limit, silent));
        let all = within(limit * 4, join_all(waiting)).await.unwrap();
        let kinds = all.into_iter().map(|answer| answer.unwrap_err().kind);
        assert!(kinds.eq([PortErrorKind::Unavailable; 5]));
    }
}
