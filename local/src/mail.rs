//! Mail in a maildir, which mail programs and tests can read.

use std::{io, path::PathBuf, sync::Arc, time::SystemTime};

use lettre::message::{
    Body, Mailbox, Message as Mime, SinglePart,
    header::{ContentTransferEncoding, ContentType},
};
use wm_core::jobs::mail::Message;
use wm_service::ports::{Mail, PortError, PortErrorKind};

use crate::{
    blocking::{blocking, port_error},
    clock::now,
    data_directory::Layout,
    durable::{create_directory, publish_new, write_new_file},
    secrets::random_hex,
};

/// The sender of all mails. The domain `.localhost` is reserved (RFC 6761).
const FROM: &str = "Workspace Management <no-reply@workspace.localhost>";

/// The mail port over a maildir.
#[derive(Debug, Clone)]
pub struct Maildir(Arc<PathBuf>);

impl Maildir {
    /// Opens the maildir of a data directory. Creates missing directories.
    ///
    /// # Errors
    /// Errors of the file system.
    pub fn open(layout: &Layout) -> io::Result<Self> {
        let directory = layout.mail();
        for name in ["tmp", "new", "cur"] {
            create_directory(&directory.join(name))?;
        }
        Ok(Self(Arc::new(directory)))
    }
}

impl Mail for Maildir {
    async fn send(&self, message: &Message) -> Result<(), PortError> {
        let text = mime(message).map_err(|error| PortError::new(PortErrorKind::Refused, error))?;
        let directory = Arc::clone(&self.0);
        let deliver = move || {
            let name = format!("{}.{}.localhost", now().millis(), random_hex::<8>()?);
            // Readers look into `new` at any time and must only find complete mails.
            let temporary = directory.join("tmp").join(&name);
            write_new_file(&temporary, &text, 0o600)?;
            publish_new(&temporary, &directory.join("new").join(&name))
        };
        blocking(deliver).await.map_err(port_error)
    }
}

/// The mail as RFC 5322 text with the line ends of this machine, the format of a maildir.
fn mime(message: &Message) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let to: Mailbox = message.to.as_str().parse()?;
    let part = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(encode(&message.text)?);
    let mime = Mime::builder()
        .from(FROM.parse()?)
        .to(to)
        .subject(message.subject.as_str())
        .date(SystemTime::now())
        .message_id(Some(format!(
            "<{}@workspace.localhost>",
            random_hex::<16>()?
        )))
        .singlepart(part)?;
    Ok(String::from_utf8(mime.formatted())?
        .replace("\r\n", "\n")
        .into_bytes())
}

/// Encodes plain text without changes, even with long links: the library would break lines after 76
/// characters, although RFC 5322 allows 998. Other text becomes quoted-printable, never base64.
fn encode(text: &str) -> Result<Body, &'static str> {
    if text.is_ascii() && text.lines().all(|line| line.len() <= 998) {
        let lines: Vec<&str> = text.lines().collect();
        let encoded = lines.join("\r\n").into_bytes();
        let encoding = ContentTransferEncoding::SevenBit;
        return Ok(Body::dangerous_pre_encoded(encoded, encoding));
    }
    Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| "the text cannot be encoded")
}
