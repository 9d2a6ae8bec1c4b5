//! The bytes of an upload, as request bodies.

use std::{io, path::PathBuf, sync::Arc};

use futures_util::stream::try_unfold;
use reqwest::Body;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt, Take},
};

use super::{meter::Meter, span::Span};

/// The number of bytes per read.
pub(super) const CHUNK: usize = 128 * 1024;

/// The origin of the bytes.
#[derive(Debug, Clone)]
pub(super) enum Content {
    /// A file that is read while it is sent.
    File(PathBuf),
    /// Bytes in memory.
    Memory(Arc<[u8]>),
}

impl Content {
    /// The path of the file, for errors. Empty for bytes in memory, because reading them cannot
    /// fail.
    pub(super) fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Memory(_) => PathBuf::new(),
        }
    }

    /// These bytes as a request body. The meter counts them as they are sent.
    pub(super) async fn body(&self, span: Span, meter: &Meter) -> io::Result<Body> {
        match self {
            Self::File(path) => {
                let mut file = File::open(path).await?;
                file.seek(io::SeekFrom::Start(span.start)).await?;
                Ok(stream(file.take(span.length), meter.clone()))
            }
            Self::Memory(bytes) => {
                let bytes = slice(bytes, span).ok_or(io::ErrorKind::UnexpectedEof)?;
                meter.add(span.length);
                Ok(bytes.to_vec().into())
            }
        }
    }
}

fn slice(bytes: &[u8], span: Span) -> Option<&[u8]> {
    let start = usize::try_from(span.start).ok()?;
    let length = usize::try_from(span.length).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

fn stream(file: Take<File>, meter: Meter) -> Body {
    let chunks = try_unfold(file, move |file| {
        let meter = meter.clone();
        async move {
            let (chunk, file) = next_chunk(file).await?;
            meter.add(chunk.len() as u64);
            Ok::<_, io::Error>((!chunk.is_empty()).then_some((chunk, file)))
        }
    });
    Body::wrap_stream(chunks)
}

async fn next_chunk(mut file: Take<File>) -> io::Result<(Vec<u8>, Take<File>)> {
    let mut chunk = Vec::with_capacity(CHUNK);
    (&mut file)
        .take(CHUNK as u64)
        .read_to_end(&mut chunk)
        .await?;
    Ok((chunk, file))
}
