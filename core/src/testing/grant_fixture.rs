//! The fixture for tests of grants and access.

use alloc::{
    format,
    string::{String, ToString},
};

use serde_json::Value;

use crate::{
    storage::{Key, Scope, Sort},
    testing::{Answered, Fixture, Person},
    value::AccountRole,
};

/// Ana owns an account and a private project. Ben is a member and manages the project. Cyd is a
/// member without access to it.
pub(crate) struct GrantFixture {
    pub(crate) base: Fixture,
    pub(crate) ana: Person,
    pub(crate) ben: Person,
    pub(crate) cyd: Person,
    pub(crate) account: String,
    pub(crate) project: String,
    pub(crate) management: String,
}

impl GrantFixture {
    pub(crate) fn new() -> Self {
        let mut fixture = Fixture::new();
        let [ana, ben, cyd] = ["ana", "ben", "cyd"].map(|name| fixture.person(name));
        let account = fixture.account(&ana);
        for person in [&ben, &cyd] {
            fixture.join(&account, person, AccountRole::Member);
        }
        let project = fixture.project(&ana, &account);
        let management = fixture.grant(&ana, &project, &ben.id(), "manager");
        Self {
            base: fixture,
            ana,
            ben,
            cyd,
            account,
            project,
            management,
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("/v1/projects/{}", self.project)
    }

    pub(crate) fn ben_grant(&self) -> String {
        format!("{}/grants/{}", self.path(), self.management)
    }

    pub(crate) fn account_key(&self, sort: Sort) -> Key {
        Scope::Account(self.account.parse().unwrap()).key(sort)
    }

    /// Ben sends a request for a grant.
    pub(crate) fn grant_by_ben(&mut self, body: Value) -> Answered {
        let path = format!("{}/grants", self.path());
        self.base.post(&self.ben, &path, body)
    }

    /// The role on the project, as shown to a person who can view it.
    pub(crate) fn role_of(&mut self, person: &Person) -> Value {
        let path = self.path().to_string();
        self.base.get(person, &path).expect(200).body["role"].clone()
    }
}
