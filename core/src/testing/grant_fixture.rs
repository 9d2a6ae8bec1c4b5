//! What the tests of grants and access begin with.

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

/// Ana owns an account and a private project in it, Ben is a member who manages the project, Cyd a
/// member with no access to it.
pub(crate) struct GrantFixture {
    pub(crate) world: Fixture,
    pub(crate) ana: Person,
    pub(crate) ben: Person,
    pub(crate) cyd: Person,
    pub(crate) account: String,
    pub(crate) project: String,
    /// The id of Ben's grant.
    pub(crate) management: String,
}

impl GrantFixture {
    pub(crate) fn new() -> Self {
        let mut world = Fixture::new();
        let [ana, ben, cyd] = ["ana", "ben", "cyd"].map(|name| world.person(name));
        let account = world.account(&ana);
        for person in [&ben, &cyd] {
            world.join(&account, person, AccountRole::Member);
        }
        let project = world.project(&ana, &account);
        let management = world.grant(&ana, &project, &ben.id(), "manager");
        Self {
            world,
            ana,
            ben,
            cyd,
            account,
            project,
            management,
        }
    }

    /// The project's path.
    pub(crate) fn path(&self) -> String {
        format!("/v1/projects/{}", self.project)
    }

    /// The path of Ben's grant.
    pub(crate) fn ben_grant(&self) -> String {
        format!("{}/grants/{}", self.path(), self.management)
    }

    /// A key in the account.
    pub(crate) fn account_key(&self, sort: Sort) -> Key {
        Scope::Account(self.account.parse().unwrap()).key(sort)
    }

    /// Ben asks for a grant.
    pub(crate) fn grant_by_ben(&mut self, body: Value) -> Answered {
        let path = format!("{}/grants", self.path());
        self.world.post(&self.ben, &path, body)
    }

    /// The role on the project that a person who sees it has.
    pub(crate) fn role_of(&mut self, person: &Person) -> Value {
        let path = self.path().to_string();
        self.world.get(person, &path).expect(200).body["role"].clone()
    }
}
