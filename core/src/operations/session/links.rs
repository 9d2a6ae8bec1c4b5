//! The links that tell which person an identity or an e-mail address belongs to.

use crate::{
    operation::{Context, Surface, commit},
    permission::Permit,
    record::{EmailLink, IdentityLink},
    storage::{Batch, Key, Scope, Sort},
    value::{Email, Sha256},
};

/// Where the link of an address is.
pub(crate) fn email_key(surface: &Surface, email: &Email) -> Key {
    surface.email_scope(email).key(Sort::link())
}

/// Links an identity to whoever calls.
pub(crate) fn link_identity(context: &Context<'_>, digest: Sha256) -> Batch {
    let user_id = context.user();
    let permit = Permit::link(user_id, Scope::Identity(digest));
    commit::link(context, permit, digest, IdentityLink { user_id })
}

/// Notes that whoever calls was the first to prove this address.
pub(crate) fn link_email(context: &Context<'_>, email: &Email) -> Batch {
    let user_id = context.user();
    let permit = Permit::link(user_id, context.surface.email_scope(email));
    let digest = context.surface.email_hash(email);
    commit::link(context, permit, digest, EmailLink { user_id })
}
