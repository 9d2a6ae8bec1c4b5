//! Uploads and downloads at signed URLs.
//!
//! A signed URL is the only permission: these requests carry no token. URLs are secrets until they
//! expire and are never logged.

use std::{io, sync::Arc};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use warp::{
    Filter, Rejection,
    http::{
        HeaderMap, HeaderValue, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, EXPECT},
    },
    path::FullPath,
    reply::Response as HttpResponse,
};
use wm_core::{
    operation::{Problem, ProblemKind},
    storage::ObjectPath,
    value::Sha256,
};
use wm_http::{Body, BodyError, body, plain_method, problem, raw_query};
use wm_service::EnvSource;

use super::download::download;
use crate::{
    artifacts::{CHUNK, FILES, Incoming, ObjectStore, Purpose, SignedUrl, SignedUrlError, Signer},
    blocking::blocking,
    clock::now,
};

#[derive(Clone)]
pub struct Files {
    pub store: Arc<ObjectStore>,
    /// Verifies the signatures of the URLs.
    pub signer: Signer,
    /// Receives the path of every uploaded object, like a storage event of a cloud.
    pub created: UnboundedSender<ObjectPath>,
    /// Source of the time, and of request ids for refused requests.
    pub env: Arc<EnvSource>,
}

impl Files {
    pub(super) fn routes(
        self,
    ) -> impl Filter<Extract = (HttpResponse,), Error = Rejection> + Clone {
        warp::path("files")
            .and(warp::method())
            .and(warp::path::full())
            .and(raw_query())
            .and(warp::header::headers_cloned())
            .and(body())
            .then(move |method, path, query, headers, body| {
                let files = self.clone();
                async move { files.answer(method, path, query, headers, body).await }
            })
    }

    async fn answer(
        self,
        method: Method,
        path: FullPath,
        query: String,
        headers: HeaderMap,
        mut body: Body,
    ) -> HttpResponse {
        let path = path.as_str().strip_prefix(FILES).unwrap_or_default();
        let signed_url = self.signer.read(plain_method(&method), path, &query, now());
        let answer = match signed_url {
            Ok(signed_url) => self.serve(signed_url, &headers, &mut body).await,
            Err(error) => Err(refused(error)),
        };
        match answer {
            Ok(response) => response,
            Err(refused) => {
                // A client that waits for `100 Continue` has sent nothing. Other clients may finish
                // sending, so that they read the answer.
                if !headers.contains_key(EXPECT) {
                    body.drain().await;
                }
                problem(&refused, &self.env)
            }
        }
    }

    async fn serve(
        &self,
        signed_url: SignedUrl,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<HttpResponse, Problem> {
        let SignedUrl { path, purpose, .. } = signed_url;
        match purpose {
            Purpose::Download { file, media_type } => {
                download(&self.store, &path, &file, &media_type, headers).await
            }
            Purpose::Upload {
                size,
                media_type,
                sha256,
            } => {
                check_header(headers, CONTENT_TYPE.as_str(), media_type.as_str())?;
                let incoming = self.receive(&path, size.bytes(), headers, body).await?;
                self.create(path, incoming, sha256).await
            }
            Purpose::Part {
                upload,
                number,
                size,
            } => {
                let incoming = self.receive(&path, size, headers, body).await?;
                let store = Arc::clone(&self.store);
                let part = blocking(move || store.publish_part(incoming, &upload, number));
                Ok(stored(StatusCode::OK, part.await.map_err(failed)?))
            }
        }
    }

    /// Streams a body of exactly this size to a temporary file, with constant memory.
    async fn receive(
        &self,
        path: &ObjectPath,
        size: u64,
        headers: &HeaderMap,
        body: &mut Body,
    ) -> Result<Incoming, Problem> {
        if headers.contains_key(CONTENT_LENGTH) {
            check_header(headers, CONTENT_LENGTH.as_str(), &size.to_string())?;
        }
        let (store, path) = (Arc::clone(&self.store), path.clone());
        let begun = blocking(move || match store.exists(&path)? {
            true => Err(io::ErrorKind::AlreadyExists.into()),
            false => store.begin(),
        });
        let mut incoming = begun.await.map_err(failed)?;
        loop {
            let chunks = gather(body, size - incoming.size()).await?;
            if chunks.is_empty() {
                break;
            }
            let written = blocking(move || {
                for chunk in chunks {
                    incoming.write(&chunk)?;
                }
                Ok(incoming)
            });
            incoming = written.await.map_err(failed)?;
        }
        if incoming.size() == size {
            Ok(incoming)
        } else {
            Err(wrong_size(size))
        }
    }

    async fn create(
        &self,
        path: ObjectPath,
        incoming: Incoming,
        sha256: Sha256,
    ) -> Result<HttpResponse, Problem> {
        if incoming.sha256() != sha256 {
            return Err(Problem::field(
                "sha256",
                "of these bytes differs from the declaration; send the declared bytes to the same URL",
            ));
        }
        let (store, place) = (Arc::clone(&self.store), path.clone());
        let published = blocking(move || store.publish(incoming, &place)).await;
        published.map_err(failed)?;
        // The receiver is gone only during a shutdown. The sweep finds the object later.
        let _ = self.created.send(path);
        Ok(stored(StatusCode::CREATED, sha256))
    }
}

/// The next bytes, about [`CHUNK`] of them. Empty at the end.
async fn gather(body: &mut Body, most: u64) -> Result<Vec<Bytes>, Problem> {
    let (mut chunks, mut length) = (Vec::new(), 0);
    while length < CHUNK as u64 {
        let Some(chunk) = body.next().await.map_err(broken)? else {
            break;
        };
        length += chunk.len() as u64;
        if length > most {
            return Err(Problem::field("body", "is larger than declared"));
        }
        chunks.push(chunk);
    }
    Ok(chunks)
}

fn check_header(headers: &HeaderMap, name: &str, expected: &str) -> Result<(), Problem> {
    let sent = headers.get(name).map(HeaderValue::as_bytes);
    if sent.is_some_and(|sent| sent.eq_ignore_ascii_case(expected.as_bytes())) {
        Ok(())
    } else {
        Err(Problem::field(
            name,
            format!("must be `{expected}`, as declared"),
        ))
    }
}

fn wrong_size(size: u64) -> Problem {
    Problem::field("body", format!("must have {size} bytes, as declared"))
}

fn broken(error: BodyError) -> Problem {
    Problem::new(ProblemKind::InvalidRequest, error.to_string())
}

fn refused(error: SignedUrlError) -> Problem {
    let kind = match error {
        SignedUrlError::NoObject => ProblemKind::NotFound,
        SignedUrlError::Altered | SignedUrlError::Expired => ProblemKind::Forbidden,
    };
    Problem::new(kind, error.to_string())
}

/// The problem for a failure of the file system.
pub(super) fn failed(error: io::Error) -> Problem {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Problem::new(
            ProblemKind::PreconditionFailed,
            "the object exists already and is never overwritten; add a new version instead",
        ),
        io::ErrorKind::NotFound => Problem::not_found(),
        io::ErrorKind::InvalidData => Problem::internal(error.to_string()),
        _ => Problem::unavailable(error.to_string()),
    }
}

/// The answer after bytes were stored. Their ETag is their digest.
fn stored(status: StatusCode, sha256: Sha256) -> HttpResponse {
    let mut response = HttpResponse::default();
    *response.status_mut() = status;
    if let Ok(tag) = HeaderValue::try_from(format!("\"{sha256}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}
