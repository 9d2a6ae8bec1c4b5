//! The mails that this application sends.

use alloc::{format, string::String};
use core::fmt;

use crate::{
    operation::{Surface, invitation_token::InvitationToken},
    record::{Account, CloudEvent, Invitation, Project, Record},
    value::Email,
};

/// One mail. Its text may contain a token, so it must not be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The recipient.
    pub to: Email,
    /// The subject, on one line.
    pub subject: String,
    /// The text, with line feeds as line ends.
    pub text: String,
}

impl fmt::Debug for Message {
    /// Omits address and text.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Message").finish_non_exhaustive()
    }
}

/// The mail with an invitation's token. The token is the end of a link.
#[must_use]
pub fn invitation(
    surface: &Surface,
    invitation: &Record<Invitation>,
    account: &Record<Account>,
) -> Message {
    let token = InvitationToken::of(invitation).issue(&surface.secret);
    let Invitation {
        email,
        role,
        expires_at,
        ..
    } = &invitation.body;
    let (url, name) = (&surface.public_url, &account.body.name);
    Message {
        to: email.clone(),
        subject: format!("You are invited to {name}"),
        text: format!(
            "You are invited to join {name} as {role}.\n\n\
             To answer, open this link and sign in with the address {email}:\n\n\
             {url}/invitations/accept?token={token}\n\n\
             The link works once, until {expires_at}. If you do not know what this is about,\n\
             ignore this mail: nothing happens without your answer.\n"
        ),
    }
}

/// The mail about an event that the recipient wants to know about. It names the project or account,
/// but nothing of the change: the recipient sees the change only with the access they have when
/// they look.
#[must_use]
pub fn notification(
    surface: &Surface,
    to: Email,
    event: &CloudEvent,
    account: &Record<Account>,
    project: Option<&Record<Project>>,
) -> Message {
    let kind = event.data.event.as_str();
    let name = &account.body.name;
    let (short, place, path) = match project {
        None => (
            format!("{name}"),
            format!("the account {name}"),
            format!("accounts/{}", account.id),
        ),
        Some(project) => (
            format!("{}", project.body.name),
            format!("the project {} of {name}", project.body.name),
            format!("projects/{}", project.id),
        ),
    };
    let (url, time) = (&surface.public_url, event.time);
    Message {
        to,
        subject: format!("{short}: {kind}"),
        text: format!(
            "{kind} in {place}, at {time}.\n\n\
             {url}/v1/{path}\n\n\
             You get this mail because you asked to be told; your preferences are at\n\
             {url}/v1/preferences/notifications\n"
        ),
    }
}
