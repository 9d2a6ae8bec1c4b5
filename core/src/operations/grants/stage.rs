//! What the tests of grants and access begin with.

use alloc::{
    format,
    string::{String, ToString},
};

use serde_json::Value;

use crate::{
    permission::AccountRole,
    storage::{Key, Scope, Sort},
    testing::{Answered, Person, World},
};

/// Ana owns an account and a private project in it, Ben is a member who manages the project, Cyd a
/// member with no access to it.
pub(in crate::operations) struct Stage {
    pub(in crate::operations) world: World,
    pub(in crate::operations) ana: Person,
    pub(in crate::operations) ben: Person,
    pub(in crate::operations) cyd: Person,
    pub(in crate::operations) account: String,
    pub(in crate::operations) project: String,
    /// The id of Ben's grant.
    pub(in crate::operations) management: String,
}

impl Stage {
    pub(in crate::operations) fn new() -> Self {
        let mut world = World::new();
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
    pub(in crate::operations) fn path(&self) -> String {
        format!("/v1/projects/{}", self.project)
    }

    /// The path of Ben's grant.
    pub(in crate::operations) fn ben_grant(&self) -> String {
        format!("{}/grants/{}", self.path(), self.management)
    }

    /// A key in the account.
    pub(in crate::operations) fn account_key(&self, sort: Sort) -> Key {
        Scope::Account(self.account.parse().unwrap()).key(sort)
    }

    /// Ben asks for a grant.
    pub(in crate::operations) fn grant_by_ben(&mut self, body: Value) -> Answered {
        let path = format!("{}/grants", self.path());
        self.world.post(&self.ben, &path, body)
    }

    /// The role on the project that a person who sees it has.
    pub(in crate::operations) fn role_of(&mut self, person: &Person) -> Value {
        let path = self.path().to_string();
        self.world.get(person, &path).expect(200).body["role"].clone()
    }
}
