//! Reading mail from the maildir of the node, as from a mailbox.

use std::{fs, path::Path, time::Duration};

use tokio::time::{Instant, sleep};
use wm_core::value::Email;

use crate::failure::Failure;

/// The maximum delay of a mail.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The token in the link of the mail to this e-mail address.
pub(super) async fn invitation_token(data: &Path, to: &Email) -> Result<String, Failure> {
    let inbox = data.join("mail").join("new");
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        if let Some(token) = mails(&inbox).iter().find_map(|mail| token_for(mail, to)) {
            return Ok(token);
        }
        sleep(Duration::from_millis(50)).await;
    }
    Err(Failure::new(format!(
        "`{to}` got no invitation within 5 seconds; please report this"
    )))
}

fn mails(inbox: &Path) -> Vec<String> {
    let entries = fs::read_dir(inbox).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| fs::read_to_string(entry.path()).ok())
        .collect()
}

fn token_for(mail: &str, to: &Email) -> Option<String> {
    let mail = mail.replace("\r\n", "\n");
    let (head, body) = mail.split_once("\n\n")?;
    let head = head.to_ascii_lowercase();
    let is_theirs = head
        .lines()
        .any(|line| line.starts_with("to:") && line.contains(to.as_str()));
    let body = if head.contains("quoted-printable") {
        // RFC 2045 section 6.7, as far as a URL in a text needs it.
        body.replace("=\n", "").replace("=3D", "=")
    } else {
        body.to_owned()
    };
    let (_, rest) = body.split_once("?token=").filter(|_| is_theirs)?;
    let token = rest.split(char::is_whitespace).next()?;
    (!token.is_empty()).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn token_is_found_in_every_mail_encoding() {
        let ben: Email = "ben@example.com".parse().unwrap();
        let plain = "To: ben@example.com\r\nContent-Transfer-Encoding: 7bit\r\n\r\nOpen http://x/?token=a.b=3D\r\n";
        assert_eq!(token_for(plain, &ben).as_deref(), Some("a.b=3D"));
        let quoted = "To: Ben <ben@example.com>\nContent-Transfer-Encoding: quoted-printable\n\nhttp://x/?token=3Dab=\ncd\nBye";
        assert_eq!(token_for(quoted, &ben).as_deref(), Some("abcd"));
        assert_eq!(token_for(plain, &"eve@example.com".parse().unwrap()), None);
    }
}
