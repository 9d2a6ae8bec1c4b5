//! Mail into a maildir, where any mail program, and any test, can read it.

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

/// Who the mails are from. `.localhost` is nobody's domain (RFC 6761).
const FROM: &str = "Workspace Management <no-reply@workspace.localhost>";

/// The port over a maildir.
#[derive(Debug, Clone)]
pub struct Maildir(Arc<PathBuf>);

impl Maildir {
    /// Opens the maildir of a data directory, creating what is missing.
    ///
    /// # Errors
    /// Whatever the file system reports.
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
            // Readers look into `new` at any time and must find whole mails only.
            let temporary = directory.join("tmp").join(&name);
            write_new_file(&temporary, &text, 0o600)?;
            publish_new(&temporary, &directory.join("new").join(&name))
        };
        blocking(deliver).await.map_err(port_error)
    }
}

/// The mail as RFC 5322 text with the line ends of this machine, as a maildir keeps it.
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

/// Plain text goes as it is, however long its links are: the library would break lines of more than
/// 76 characters, where RFC 5322 allows 998. Other text is quoted, never base64.
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
