//! Teams of an account and their members.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use wm_core::value::{AccountId, Name, TeamId, TeamRole, UserId};

use super::Revision;
use crate::{client::Client, error::ApiError, request::Answer};

/// A team to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewTeam {
    pub name: Name,
}

/// People of one account who can receive a role on a project together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Team {
    pub id: TeamId,
    #[serde(flatten)]
    pub revision: Revision,
    /// The account that the team belongs to.
    pub account_id: AccountId,
    pub name: Name,
}

/// The membership of a person in a team.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct TeamMember {
    /// The person.
    pub user_id: UserId,
    #[serde(flatten)]
    pub revision: Revision,
    pub team_id: TeamId,
    pub role: TeamRole,
}

#[derive(Serialize)]
struct PlaceInTeam {
    role: TeamRole,
}

impl Client {
    /// Creates a team in an account.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_team(&self, account: AccountId, team: &NewTeam) -> Result<Team, ApiError> {
        self.post(&format!("/v1/accounts/{account}/teams"), team)
            .await
    }

    /// Adds a member of the account to a team, or changes their role in it. The request is sent
    /// once.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn put_team_member(
        &self,
        account: AccountId,
        team: TeamId,
        user: UserId,
        role: TeamRole,
    ) -> Result<TeamMember, ApiError> {
        let path = format!("/v1/accounts/{account}/teams/{team}/members/{user}");
        let request = self.request(Method::PUT, path).body(&PlaceInTeam { role });
        let answer: Answer<TeamMember> = request.send().await?;
        Ok(answer.body)
    }
}
