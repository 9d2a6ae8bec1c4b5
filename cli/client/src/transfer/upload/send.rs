//! Sending the bytes of an upload plan.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{
    Method, Response,
    header::{CONTENT_LENGTH, ETAG},
};
use wm_core::operation::plan::{PartPlan, UploadPlan};

use super::super::{
    content::Content,
    error::{TransferError, TransferErrorKind},
    meter::Meter,
    object::{ObjectError, wait},
    resume::SentParts,
    settings::Transfer,
    span::Span,
};
use crate::{api::versions::CompletedUpload, client::Client, retry::Backoff};

/// The number of parts sent concurrently.
const CONCURRENCY: usize = 4;

impl Transfer<'_> {
    /// Sends bytes in memory by an upload plan, without progress reports. Returns the body that
    /// completes the upload.
    ///
    /// # Errors
    /// Any [`TransferError`].
    pub async fn send(
        &self,
        plan: &UploadPlan,
        bytes: &[u8],
    ) -> Result<CompletedUpload, TransferError> {
        let content = Content::Memory(bytes.into());
        let meter = Meter::silent();
        let sender = Sender::new(self.client, &content, bytes.len() as u64, &meter);
        let mut sent = SentParts::default();
        match sender.send(plan, &mut sent, |_| {}).await {
            // `Present`: the bytes arrived, but the answer was lost.
            Ok(()) | Err(ObjectError::Present) => Ok(sent.completion()),
            Err(ObjectError::Expired) => Err(TransferErrorKind::SignedUrlsRefused.into()),
            Err(ObjectError::Transient(error) | ObjectError::Final(error)) => Err(error),
        }
    }
}

pub(super) struct Sender<'a> {
    client: &'a Client,
    content: &'a Content,
    size: u64,
    meter: &'a Meter,
}

#[derive(Clone, Copy)]
struct ObjectRequest<'a> {
    method: &'a str,
    url: &'a str,
    headers: &'a BTreeMap<String, String>,
}

impl<'a> ObjectRequest<'a> {
    fn of(part: &'a PartPlan) -> Self {
        Self {
            method: &part.method,
            url: &part.url,
            headers: &part.headers,
        }
    }
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        client: &'a Client,
        content: &'a Content,
        size: u64,
        meter: &'a Meter,
    ) -> Self {
        Self {
            client,
            content,
            size,
            meter,
        }
    }

    /// Sends the bytes of the plan that have not arrived yet. Calls `save` after every part.
    pub(super) async fn send(
        &self,
        plan: &UploadPlan,
        sent: &mut SentParts,
        save: impl Fn(&SentParts),
    ) -> Result<(), ObjectError> {
        match plan {
            UploadPlan::Single {
                method,
                url,
                headers,
                ..
            } => {
                let request = ObjectRequest {
                    method,
                    url,
                    headers,
                };
                self.retried(request, Span::whole(self.size)).await?;
            }
            UploadPlan::Multipart {
                part_size, parts, ..
            } => {
                sent.keep_only(*part_size);
                self.parts(parts, sent, save).await?;
            }
        }
        Ok(())
    }

    async fn parts(
        &self,
        parts: &[PartPlan],
        sent: &mut SentParts,
        save: impl Fn(&SentParts),
    ) -> Result<(), ObjectError> {
        let part_size = sent.part_size;
        let span = |part: &PartPlan| Span::part(part.number, part_size, self.size);
        let (arrived, missing): (Vec<&PartPlan>, Vec<&PartPlan>) = parts
            .iter()
            .partition(|part| sent.etags.contains_key(&part.number));
        // Parts of an earlier attempt count as progress.
        let arrived = arrived.into_iter().filter_map(span);
        self.meter.add(arrived.map(|span| span.length).sum());
        let missing = missing
            .into_iter()
            .filter_map(|part| Some((part, span(part)?)));
        let mut sending = stream::iter(missing)
            .map(|(part, span)| async move {
                let etag = self.retried(ObjectRequest::of(part), span).await?;
                Ok::<_, ObjectError>((part.number, etag))
            })
            .buffer_unordered(CONCURRENCY);
        while let Some((number, etag)) = sending.try_next().await? {
            sent.etags.insert(number, etag);
            save(sent);
        }
        Ok(())
    }

    /// Sends these bytes, with retries after transient failures. Returns their ETag.
    async fn retried(&self, request: ObjectRequest<'_>, span: Span) -> Result<String, ObjectError> {
        let mut backoff = Backoff::default();
        loop {
            let before = self.meter.position();
            match self.once(request, span).await {
                Ok(response) => return Ok(etag(&response)),
                Err(error) => {
                    let sent = self.meter.position().saturating_sub(before);
                    self.meter.subtract(sent.min(span.length));
                    wait(&mut backoff, error).await?;
                }
            }
        }
    }

    async fn once(&self, request: ObjectRequest<'_>, span: Span) -> Result<Response, ObjectError> {
        let method = Method::from_bytes(request.method.as_bytes())
            .map_err(|_| TransferErrorKind::NoMethod)?;
        let body = self.content.body(span, self.meter).await;
        let body = body.map_err(|error| {
            let kind = TransferErrorKind::UnreadableLater(self.content.name());
            TransferError::because(kind, error)
        })?;
        let mut built = self.client.http().request(method, request.url);
        for (name, value) in request.headers {
            built = built.header(name, value);
        }
        let names_length = request
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case(CONTENT_LENGTH.as_str()));
        if !names_length {
            // Without this header, the body would be sent in chunks, which object stores refuse.
            built = built.header(CONTENT_LENGTH, span.length);
        }
        let response = built.body(body).send().await;
        let response = response.map_err(ObjectError::unreachable)?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(ObjectError::of(response.status()))
        }
    }
}

/// The ETag of the bytes, or `none`. The API requires a text even if the object store sends no
/// ETag.
fn etag(response: &Response) -> String {
    let etag = response
        .headers()
        .get(ETAG)
        .and_then(|etag| etag.to_str().ok());
    etag.unwrap_or("none").to_owned()
}
