//! A surface in memory: the ports over the reference database and a map of objects.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use wm_core::{
    jobs::mail::Message,
    operation::{Batch, Part, SignDownload, SignUpload, Stat},
    record::CloudEvent,
    storage::{Item, Key, List, ObjectPath, Page, Range, Scope, ScopePage, memory},
    value::{Env, Sha256, Timestamp},
};
use wm_service::ports::{
    Artifacts, CommitError, EntropyContext, Events, KeySource, Mail, PortError, PortErrorKind,
    Provider, Records, SignedRequest,
};

use crate::harness::{Answer, ObjectRequest};

/// A surface in memory. Its clock changes only on request, and its randomness is a counter.
#[derive(Debug, Default)]
pub struct Memory {
    pub records: MemoryRecords,
    pub artifacts: MemoryArtifacts,
    /// Key sets by URL.
    pub keys: MemoryKeys,
    pub events: MemoryEvents,
    pub mail: MemoryMail,
    clock: AtomicU64,
    entropy: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// An empty surface at this time.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let clock = u64::try_from(now.millis()).unwrap_or_default();
        Self {
            clock: AtomicU64::new(clock),
            ..Self::default()
        }
    }

    /// A copy of the surface that continues independently.
    #[must_use]
    pub fn fork(&self) -> Self {
        let artifacts = MemoryArtifacts {
            objects: Mutex::new(lock(&self.artifacts.objects).clone()),
            parts: Mutex::new(lock(&self.artifacts.parts).clone()),
            uploads: AtomicU64::new(self.artifacts.uploads.load(Ordering::SeqCst)),
        };
        Self {
            records: MemoryRecords(Mutex::new(lock(&self.records.0).clone())),
            artifacts,
            keys: MemoryKeys(Mutex::new(lock(&self.keys.0).clone())),
            events: MemoryEvents(Mutex::new(lock(&self.events.0).clone())),
            mail: MemoryMail(Mutex::new(lock(&self.mail.0).clone())),
            clock: AtomicU64::new(self.clock.load(Ordering::SeqCst)),
            entropy: AtomicU64::new(self.entropy.load(Ordering::SeqCst)),
        }
    }

    /// Advances the clock.
    pub fn pass(&self, duration: Duration) {
        let millis = u64::try_from(duration.as_millis()).unwrap_or_default();
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(
            self.clock
                .load(Ordering::SeqCst)
                .try_into()
                .unwrap_or_default(),
        )
    }
}

impl Provider for Memory {
    type Records = MemoryRecords;
    type Artifacts = MemoryArtifacts;
    type Keys = MemoryKeys;
    type Events = MemoryEvents;
    type Mail = MemoryMail;

    fn records(&self) -> &MemoryRecords {
        &self.records
    }

    fn artifacts(&self) -> &MemoryArtifacts {
        &self.artifacts
    }

    fn keys(&self) -> &MemoryKeys {
        &self.keys
    }

    fn events(&self) -> &MemoryEvents {
        &self.events
    }

    fn mail(&self) -> &MemoryMail {
        &self.mail
    }

    fn env(&self, _: EntropyContext<'_>) -> Env {
        let count = self.entropy.fetch_add(1, Ordering::SeqCst);
        Env::new(self.now(), *Sha256::of(&count.to_be_bytes()).as_bytes())
    }

    fn now(&self) -> Timestamp {
        self.now()
    }

    async fn sleep(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}

/// The reference database behind a lock.
#[derive(Debug, Default)]
pub struct MemoryRecords(Mutex<memory::Memory>);

impl MemoryRecords {
    /// All stored items in order.
    pub fn dump(&self) -> Vec<Item> {
        lock(&self.0).items().cloned().collect()
    }
}

impl Records for MemoryRecords {
    async fn get(&self, key: &Key) -> Result<Option<Item>, PortError> {
        Ok(lock(&self.0).get(key).cloned())
    }

    async fn scan(&self, range: &Range) -> Result<Page, PortError> {
        Ok(lock(&self.0).scan(range))
    }

    async fn list(&self, list: &List) -> Result<Page, PortError> {
        Ok(lock(&self.0).list(list))
    }

    async fn scopes(&self, after: Option<Scope>) -> Result<ScopePage, PortError> {
        Ok(lock(&self.0).scopes(after, 100))
    }

    async fn commit(&self, batch: &Batch) -> Result<(), CommitError> {
        lock(&self.0)
            .commit(batch.scope(), batch.operations())
            .map_err(|_| CommitError::Conflict)
    }
}

/// Objects and unfinished parts.
#[derive(Debug, Default)]
pub struct MemoryArtifacts {
    objects: Mutex<BTreeMap<ObjectPath, Vec<u8>>>,
    parts: Mutex<BTreeMap<(String, u16), Vec<u8>>>,
    uploads: AtomicU64,
}

/// The request behind a URL of [`MemoryArtifacts`].
#[derive(Debug, Clone)]
pub struct UrlTarget {
    /// `PUT` or `GET`.
    pub method: &'static str,
    pub path: ObjectPath,
    /// The unfinished upload and the part number, for the URL of a part.
    pub part: Option<(String, u16)>,
}

impl MemoryArtifacts {
    const BASE: &'static str = "memory:/";

    /// Stores an object like a client's PUT, which can only create.
    pub fn put(&self, url: &str, bytes: &[u8]) -> Result<String, &'static str> {
        let etag = Sha256::of(bytes).to_string();
        let rest = url
            .strip_prefix(Self::BASE)
            .ok_or("not a URL of this store")?;
        let (path, query) = rest.split_once('?').ok_or("not signed")?;
        let path: ObjectPath = path
            .trim_start_matches('/')
            .parse()
            .map_err(|_| "no such object")?;
        if let Some(part) = query.strip_prefix("part=") {
            let (upload, number) = part.split_once('.').ok_or("no such part")?;
            let number = number.parse().map_err(|_| "no such part")?;
            lock(&self.parts).insert((upload.into(), number), bytes.into());
            return Ok(etag);
        }
        let mut objects = lock(&self.objects);
        if query != format!("put={etag}.{}", bytes.len()) {
            return Err("not the declared bytes");
        }
        if objects.contains_key(&path) {
            return Err("exists");
        }
        objects.insert(path, bytes.into());
        Ok(etag)
    }

    /// The answer to a client's request to a URL.
    pub fn answer(&self, request: &ObjectRequest) -> Answer {
        if request.method == "GET" {
            let body = self.get(&request.url);
            let status = if body.is_some() { 200 } else { 404 };
            return Answer {
                status,
                body: body.unwrap_or_default(),
                ..Answer::default()
            };
        }
        match self.put(&request.url, &request.body) {
            Ok(etag) => Answer {
                status: 200,
                headers: vec![("etag".into(), etag)],
                body: Vec::new(),
            },
            Err(reason) => Answer {
                status: 403,
                body: reason.into(),
                ..Answer::default()
            },
        }
    }

    /// The bytes behind a download URL.
    pub fn get(&self, url: &str) -> Option<Vec<u8>> {
        let path = url.strip_prefix(Self::BASE)?.split_once('?')?.0;
        lock(&self.objects)
            .get(&path.trim_start_matches('/').parse().ok()?)
            .cloned()
    }

    /// Stores bytes under a path without the application.
    pub fn plant(&self, path: ObjectPath, bytes: &[u8]) {
        lock(&self.objects).insert(path, bytes.into());
    }

    pub fn paths(&self) -> Vec<ObjectPath> {
        lock(&self.objects).keys().cloned().collect()
    }

    fn request(method: &'static str, path: &ObjectPath, query: &str) -> SignedRequest {
        let url = format!("{}/{path}?{query}", Self::BASE);
        SignedRequest {
            method,
            url,
            headers: Vec::new(),
        }
    }

    fn stat_of(bytes: &[u8]) -> Stat {
        Stat {
            size: bytes.len() as u64,
            sha256: Some(Sha256::of(bytes)),
            version: Some("1".into()),
        }
    }
}

impl Artifacts for MemoryArtifacts {
    async fn begin_parts(&self, _: &SignUpload) -> Result<String, PortError> {
        Ok(format!(
            "upload-{}",
            self.uploads.fetch_add(1, Ordering::SeqCst)
        ))
    }

    async fn sign_upload(&self, upload: &SignUpload) -> Result<SignedRequest, PortError> {
        let query = format!("put={}.{}", upload.sha256(), upload.size().bytes());
        Ok(Self::request("PUT", upload.path(), &query))
    }

    async fn sign_parts(
        &self,
        upload: &SignUpload,
        upload_id: &str,
    ) -> Result<Vec<SignedRequest>, PortError> {
        let part = |(number, _)| {
            Self::request("PUT", upload.path(), &format!("part={upload_id}.{number}"))
        };
        Ok(upload.parts().map(part).collect())
    }

    async fn sign_download(&self, download: &SignDownload) -> Result<SignedRequest, PortError> {
        Ok(Self::request("GET", download.path(), "get"))
    }

    async fn assemble(
        &self,
        path: &ObjectPath,
        upload_id: &str,
        parts: &[Part],
    ) -> Result<Option<Stat>, PortError> {
        let mut objects = lock(&self.objects);
        if let Some(bytes) = objects.get(path) {
            return Ok(Some(Self::stat_of(bytes)));
        }
        let stored = lock(&self.parts);
        let mut whole = Vec::new();
        for part in parts {
            match stored.get(&(upload_id.to_owned(), part.number)) {
                Some(bytes) if Sha256::of(bytes).to_string() == part.etag => whole.extend(bytes),
                _ => return Ok(None),
            }
        }
        let stat = Self::stat_of(&whole);
        objects.insert(path.clone(), whole);
        Ok(Some(stat))
    }

    async fn stat(&self, path: &ObjectPath, _: bool) -> Result<Option<Stat>, PortError> {
        Ok(lock(&self.objects)
            .get(path)
            .map(|bytes| Self::stat_of(bytes)))
    }

    async fn remove(&self, path: &ObjectPath, _: Option<&str>) -> Result<(), PortError> {
        lock(&self.objects).remove(path);
        Ok(())
    }

    /// Every object counts as old, because tests advance only the clock of the surface.
    async fn older_than(
        &self,
        time: Timestamp,
        after: Option<&ObjectPath>,
        limit: u32,
    ) -> Result<Vec<ObjectPath>, PortError> {
        if time.millis() < 0 {
            return Ok(Vec::new());
        }
        let objects = lock(&self.objects);
        let paths = objects
            .keys()
            .filter(|path| after.is_none_or(|after| *path > after));
        Ok(paths.take(limit as usize).cloned().collect())
    }
}

/// Key sets by URL.
#[derive(Debug, Default)]
pub struct MemoryKeys(pub Mutex<BTreeMap<String, Vec<u8>>>);

impl KeySource for MemoryKeys {
    async fn fetch(&self, url: &str) -> Result<Vec<u8>, PortError> {
        let body = lock(&self.0).get(url).cloned();
        body.ok_or_else(|| PortError::new(PortErrorKind::Unavailable, "no key set at this URL"))
    }
}

#[derive(Debug, Default)]
pub struct MemoryEvents(pub Mutex<Vec<CloudEvent>>);

impl Events for MemoryEvents {
    async fn publish(&self, entries: &[CloudEvent]) -> Vec<Result<(), PortError>> {
        lock(&self.0).extend_from_slice(entries);
        entries.iter().map(|_| Ok(())).collect()
    }
}

#[derive(Debug, Default)]
pub struct MemoryMail(pub Mutex<Vec<Message>>);

impl Mail for MemoryMail {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        lock(&self.0).push(message.clone());
        Ok(())
    }
}
