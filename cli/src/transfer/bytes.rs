//! Bytes of a file as the body of a request.

use std::{io, path::Path};

use futures_util::stream::try_unfold;
use indicatif::ProgressBar;
use reqwest::Body;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, Take},
};

use super::span::Span;

/// How much is read at a time.
pub(super) const CHUNK: usize = 128 * 1024;

/// These bytes of a file, read as they are sent.
pub(super) async fn body(path: &Path, span: Span, progress: &ProgressBar) -> io::Result<Body> {
    let mut file = File::open(path).await?;
    file.seek(io::SeekFrom::Start(span.start)).await?;
    let progress = progress.clone();
    let chunks = try_unfold(file.take(span.length), move |file| {
        let progress = progress.clone();
        async move {
            let (chunk, file) = next_chunk(file).await?;
            progress.inc(chunk.len() as u64);
            Ok::<_, io::Error>((!chunk.is_empty()).then_some((chunk, file)))
        }
    });
    Ok(Body::wrap_stream(chunks))
}

async fn next_chunk(mut file: Take<File>) -> io::Result<(Vec<u8>, Take<File>)> {
    let mut chunk = Vec::with_capacity(CHUNK);
    (&mut file)
        .take(CHUNK as u64)
        .read_to_end(&mut chunk)
        .await?;
    Ok((chunk, file))
}
