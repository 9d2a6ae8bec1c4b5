//! The mails this application writes.

use alloc::{format, string::String};
use core::fmt;

use crate::{
    operation::{Surface, invitation_token::InvitationToken},
    record::{Account, CloudEvent, Invitation, Project, Record},
    value::Email,
};

/// One mail. Its text may hold a token: never logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// To whom.
    pub to: Email,
    /// The subject: one line.
    pub subject: String,
    /// The text, its lines ended by line feeds.
    pub text: String,
}

impl fmt::Debug for Message {
    /// Without address and text.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Message").finish_non_exhaustive()
    }
}

/// The mail that brings an invitation's token, in a link that ends with it.
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

/// The mail that tells somebody of an event they want to be told about. It names what the event is
/// about and nothing of what changed: that is for whoever looks, with the access they then have.
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
