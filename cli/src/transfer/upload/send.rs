//! Sending the bytes a plan asks for.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use reqwest::{
    Client as Http, Method, Response,
    header::{CONTENT_LENGTH, ETAG},
};

use super::super::{
    TransferError,
    bytes::body,
    journal::{Journal, UnderWay},
    progress::bar,
    source::Source,
    span::Span,
    wait,
};
use wm_core::operation::plan::{PartPlan, UploadPlan};

use crate::{failure::Failure, retry::Backoff};

/// Parts sent at the same time.
const AT_ONCE: usize = 4;

/// Sends what the plan asks for and has not arrived yet.
pub(super) async fn send(
    http: &Http,
    source: &Source,
    plan: &UploadPlan,
    under_way: &mut UnderWay,
    journal: &Journal,
) -> Result<(), TransferError> {
    let size = source.size.bytes();
    let progress = bar(size, &source.path.display().to_string(), "uploading");
    let sender = Sender {
        http,
        source,
        progress: &progress,
    };
    match plan {
        UploadPlan::Single {
            method,
            url,
            headers,
            ..
        } => {
            let address = Address {
                method,
                url,
                headers,
            };
            sender.persist(address, Span::whole(size)).await?;
        }
        UploadPlan::Multipart {
            part_size, parts, ..
        } => {
            // Parts of another size are other bytes under the same numbers.
            if under_way.part_size != *part_size {
                under_way.part_size = *part_size;
                under_way.parts.clear();
            }
            sender.parts(*part_size, parts, under_way, journal).await?;
        }
    }
    progress.finish_and_clear();
    Ok(())
}

/// One request to a signed address.
#[derive(Clone, Copy)]
struct Address<'a> {
    method: &'a str,
    url: &'a str,
    headers: &'a BTreeMap<String, String>,
}

impl<'a> Address<'a> {
    fn of(part: &'a PartPlan) -> Self {
        Self {
            method: &part.method,
            url: &part.url,
            headers: &part.headers,
        }
    }
}

struct Sender<'a> {
    http: &'a Http,
    source: &'a Source,
    progress: &'a ProgressBar,
}

impl Sender<'_> {
    async fn parts(
        &self,
        part_size: u64,
        parts: &[PartPlan],
        under_way: &mut UnderWay,
        journal: &Journal,
    ) -> Result<(), TransferError> {
        let size = self.source.size.bytes();
        let span = |part: &PartPlan| Span::part(part.number, part_size, size);
        let (arrived, missing): (Vec<&PartPlan>, Vec<&PartPlan>) = parts
            .iter()
            .partition(|part| under_way.parts.contains_key(&part.number));
        let there: u64 = arrived
            .into_iter()
            .filter_map(span)
            .map(|span| span.length)
            .sum();
        self.progress.inc(there);
        let sending = missing
            .into_iter()
            .filter_map(|part| Some((part, span(part)?)));
        let mut sent = stream::iter(sending)
            .map(|(part, span)| async move {
                let etag = self.persist(Address::of(part), span).await?;
                Ok::<_, TransferError>((part.number, etag))
            })
            .buffer_unordered(AT_ONCE);
        while let Some((number, etag)) = sent.try_next().await? {
            under_way.parts.insert(number, etag);
            journal.save(under_way);
        }
        Ok(())
    }

    /// Sends these bytes, again if that fails for a passing reason. Answers the mark they got.
    async fn persist(&self, address: Address<'_>, span: Span) -> Result<String, TransferError> {
        let mut backoff = Backoff::default();
        loop {
            let before = self.progress.position();
            match self.once(address, span).await {
                Ok(response) => return Ok(mark(&response)),
                Err(error) => {
                    let sent = self
                        .progress
                        .position()
                        .saturating_sub(before)
                        .min(span.length);
                    self.progress.dec(sent);
                    wait(&mut backoff, error).await?;
                }
            }
        }
    }

    async fn once(&self, address: Address<'_>, span: Span) -> Result<Response, TransferError> {
        let refuse = |text: &str| TransferError::Final(Failure::new(text));
        let method = Method::from_bytes(address.method.as_bytes())
            .map_err(|_| refuse("the plan names no method; check `--server`"))?;
        let body = body(&self.source.path, span, self.progress)
            .await
            .map_err(|error| {
                let name = self.source.path.display();
                TransferError::Final(Failure::because(
                    format!("`{name}` cannot be read any more"),
                    error,
                ))
            })?;
        let mut request = self.http.request(method, address.url);
        for (name, value) in address.headers {
            request = request.header(name, value);
        }
        let names_length = address
            .headers
            .keys()
            .any(|name| name.eq_ignore_ascii_case("content-length"));
        if !names_length {
            // Without it the body would be sent in chunks, which object stores refuse.
            request = request.header(CONTENT_LENGTH, span.length);
        }
        let response = request
            .body(body)
            .send()
            .await
            .map_err(TransferError::on_the_way)?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(TransferError::of(response.status()))
        }
    }
}

/// The mark the storage gave the bytes. One that gives none asks for none, but the API wants a word.
fn mark(response: &Response) -> String {
    let etag = response
        .headers()
        .get(ETAG)
        .and_then(|etag| etag.to_str().ok());
    etag.unwrap_or("none").to_owned()
}
