//! The session: the caller with their accounts, teams and projects.

use serde::Deserialize;
use wm_core::value::{AccountId, AccountRole, Email, Name, TeamId, TeamRole, UserId};

use super::{page_path, projects::Project};
use crate::{client::Client, error::ApiError};

/// One page of the caller's session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// The caller.
    pub user: User,
    /// Accounts of the caller.
    pub accounts: Vec<SessionAccount>,
    /// The cursor of further accounts. `None` on the last page.
    #[serde(default)]
    pub accounts_next_cursor: Option<String>,
    /// Teams of the caller in these accounts.
    pub teams: Vec<SessionTeam>,
    /// Projects that the caller may view.
    pub projects: Vec<Project>,
    /// The cursor of further projects. `None` on the last page.
    #[serde(default)]
    pub projects_next_cursor: Option<String>,
}

/// The profile of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct User {
    pub id: UserId,
    /// The name, if the identity provider gives one.
    pub name: Option<Name>,
    /// The verified e-mail address, if there is one.
    pub email: Option<Email>,
}

/// An account of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct SessionAccount {
    pub id: AccountId,
    pub name: Name,
    /// The role of the caller. `None` for guests of single projects.
    pub role: Option<AccountRole>,
}

/// A team of the caller.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct SessionTeam {
    pub id: TeamId,
    /// The account the team belongs to.
    pub account_id: AccountId,
    /// The name. `None` beyond the first teams of a page.
    #[serde(default)]
    pub name: Option<Name>,
    /// The role of the caller in the team.
    pub role: TeamRole,
}

impl Client {
    /// Reads the session of the caller, from the beginning or from a cursor. The first request of a
    /// new identity signs the person up.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn session(&self, cursor: Option<&str>) -> Result<Session, ApiError> {
        self.get(&page_path("/v1/session", cursor)).await
    }
}
