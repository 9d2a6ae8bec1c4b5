//! Records that tests set up.

use alloc::{format, string::String};

use serde_json::{Value, json};

use super::{Fixture, Person};
use crate::{
    operation::{
        Commit, Context, Facts, Outcome, Reply,
        authority::{ProjectRecords, head_key},
        invitation_token::InvitationToken,
    },
    permission::Permit,
    record::{Body, EventType, Invitation, Record},
    storage::{Key, Scope, Sort},
    value::{ProjectId, UserId},
};

impl Fixture {
    /// Creates a private project of this account. Returns its id.
    pub(crate) fn project(&mut self, owner: &Person, account: &str) -> String {
        let path = format!("/v1/accounts/{account}/projects");
        let body = json!({ "name": "Survey", "visibility": "private" });
        self.post(owner, &path, body).expect(201).id()
    }

    /// Grants a role on a project to the person or team with this id. Returns the id of the grant.
    pub(crate) fn grant(
        &mut self,
        giver: &Person,
        project: &str,
        principal: &str,
        role: &str,
    ) -> String {
        let path = format!("/v1/projects/{project}/grants");
        let body = json!({ "principal": principal_of(principal), "role": role });
        self.post(giver, &path, body).expect(201).id()
    }

    /// Adds an active member to a team.
    pub(crate) fn assign(&mut self, admin: &Person, account: &str, team: &str, person: &Person) {
        let path = format!(
            "/v1/accounts/{account}/teams/{team}/members/{}",
            person.id()
        );
        let answer = self.put(admin, &path, json!({ "role": "member" }));
        assert!(answer.status < 300, "{}", answer.body);
    }

    /// Changes a stored record, as a job of the system would.
    pub(crate) fn amend<B: Body>(
        &mut self,
        person: &Person,
        key: &Key,
        change: impl FnOnce(&mut B),
    ) {
        let record: Record<B> = self.record(key).unwrap();
        let mut body = record.body.clone();
        change(&mut body);
        self.write(person, key.scope, EventType::AccountUpdated, |_, commit| {
            commit.update(&record, body);
        });
    }

    /// Commits the records that `fill` adds, as a job of the system for this person.
    pub(crate) fn write(
        &mut self,
        person: &Person,
        scope: Scope,
        event: EventType,
        fill: impl FnOnce(&Context<'_>, &mut Commit<'_>),
    ) {
        self.requests += 1;
        let surface = self.surface.clone();
        let context = self.context(&surface, person, None);
        let head = self.record(&head_key(scope));
        let mut commit = Commit::open(&context, Permit::fixture(scope), head).unwrap();
        fill(&context, &mut commit);
        let Ok(Outcome::Commit(batch, _)) = commit.finish(event, Reply::no_content()) else {
            panic!("the job must commit")
        };
        self.commit(&batch);
    }

    /// The records that the permission engine needs for a person and a project.
    pub(crate) fn project_records(&self, project: ProjectId, user: UserId) -> ProjectRecords {
        let mut facts = Facts::default();
        for read in ProjectRecords::reads(project, user) {
            let answer = self.answer(&read);
            facts.insert(read, answer);
        }
        ProjectRecords::load(&facts, project, user).unwrap()
    }

    /// Creates an invitation of this account. Returns its id.
    pub(crate) fn invite(&mut self, inviter: &Person, account: &str, body: Value) -> String {
        let path = format!("/v1/accounts/{account}/invitations");
        self.post(inviter, &path, body).expect(201).id()
    }

    /// The token of an invitation's latest sending, as in its mail.
    pub(crate) fn token(&self, account: &str, invitation: &str) -> String {
        let scope = Scope::Account(account.parse().unwrap());
        let sort = Sort::invitation(invitation.parse().unwrap());
        let invitation: Record<Invitation> = self.record(&scope.key(sort)).unwrap();
        InvitationToken::of(&invitation).issue(&self.surface.secret)
    }
}

/// The principal with this id, as in request bodies.
pub(crate) fn principal_of(id: &str) -> Value {
    let kind = if id.starts_with("team_") {
        "team"
    } else {
        "user"
    };
    json!({ "type": kind, "id": id })
}
