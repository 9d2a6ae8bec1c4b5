//! Accounts and their members.

use serde::{Deserialize, Serialize};
use wm_core::{
    record::{AccountKind, AccountStatus, MemberStatus},
    value::{AccountId, AccountRole, Name, UserId},
};

use super::{Page, Revision, page_path};
use crate::{client::Client, error::ApiError};

/// An account to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct NewAccount {
    pub name: Name,
    pub kind: AccountKind,
}

/// An account as its members see it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Account {
    pub id: AccountId,
    #[serde(flatten)]
    pub revision: Revision,
    pub name: Name,
    pub kind: AccountKind,
    /// Active or closed.
    pub status: AccountStatus,
}

/// A member of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "the other names say it")]
pub struct Member {
    /// The person.
    pub user_id: UserId,
    #[serde(flatten)]
    pub revision: Revision,
    pub role: AccountRole,
    /// The state of the membership.
    pub status: MemberStatus,
}

impl Client {
    /// Creates an account that the caller owns.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn create_account(&self, account: &NewAccount) -> Result<Account, ApiError> {
        self.post("/v1/accounts", account).await
    }

    /// Reads an account.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn account(&self, account: AccountId) -> Result<Account, ApiError> {
        self.get(&format!("/v1/accounts/{account}")).await
    }

    /// Lists the members of an account.
    ///
    /// # Errors
    /// Any [`ApiError`].
    pub async fn members(
        &self,
        account: AccountId,
        cursor: Option<&str>,
    ) -> Result<Page<Member>, ApiError> {
        let path = format!("/v1/accounts/{account}/members");
        self.get(&page_path(&path, cursor)).await
    }
}
