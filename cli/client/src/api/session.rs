//! The session: the caller, and what they belong to.

use serde::Deserialize;
use wm_core::value::{AccountId, AccountRole, Email, Name, TeamId, TeamRole, UserId};

use super::{page_path, projects::Project};
use crate::{client::Client, error::ApiError};

/// The caller's session, one page of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// The caller.
    pub user: User,
    /// Their accounts.
    pub accounts: Vec<SessionAccount>,
    /// Leads to further accounts.
    #[serde(default)]
    pub accounts_next_cursor: Option<String>,
    /// Their teams in these accounts.
    pub teams: Vec<SessionTeam>,
    /// The projects they may see.
    pub projects: Vec<Project>,
    /// Leads to further projects.
    #[serde(default)]
    pub projects_next_cursor: Option<String>,
}

/// A person, as shown to themselves.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name, if the identity provider gave one.
    pub name: Option<Name>,
    /// The verified e-mail address, if there is one.
    pub email: Option<Email>,
}

/// An account of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionAccount {
    /// The id.
    pub id: AccountId,
    /// The name.
    pub name: Name,
    /// The caller's role; `None` for guests of single projects.
    pub role: Option<AccountRole>,
}

/// A team of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionTeam {
    /// The id.
    pub id: TeamId,
    /// The account the team belongs to.
    pub account_id: AccountId,
    /// The name; `None` beyond the first teams of a page.
    #[serde(default)]
    pub name: Option<Name>,
    /// The caller's role.
    pub role: TeamRole,
}

impl Client {
    /// The caller's session, from the beginning or from a cursor. The first request of a new identity signs the
    /// person up.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn session(&self, cursor: Option<&str>) -> Result<Session, ApiError> {
        self.get(&page_path("/v1/session", cursor)).await
    }
}
