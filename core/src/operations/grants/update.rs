//! `PATCH /v1/projects/{project}/grants/{grant}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    GrantView,
    proposal::{Recipient, check_expiry, heads, mark_owning_team},
    reads,
};
use crate::{
    operation::{
        ARCHIVED, Budget, Commit, Context, Example, FactError, Facts, IfMatch, Method, Outcome,
        Parsed, Precondition, Problem, ProblemKind, ReadRequest, Requires, Route, Success, UseCase,
        authority::{ProjectRecords, head_key, in_order},
        grants::{find, outranks},
        nullable, schema, view,
    },
    permission::Access,
    record::{EventType, Grant, Record},
    storage::{Range, Scope, Sort},
    value::{Capability, GrantId, Principal, ProjectId, ProjectRole, Timestamp},
};

#[derive(Debug)]
struct UpdateGrant {
    project: ProjectId,
    grant: GrantId,
    if_match: IfMatch,
    input: Input,
}

/// A change of a grant. Members left out stay as they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrantChange")]
struct Input {
    role: Option<ProjectRole>,
    /// When it ends. Null removes the expiry.
    #[serde(default, deserialize_with = "nullable")]
    #[schemars(with = "Option<Timestamp>", skip_serializing_if = "Option::is_none")]
    expires_at: Option<Option<Timestamp>>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Patch,
    "/v1/projects/{project}/grants/{grant}",
    "update_grant",
    "Change the role or the expiry of a grant",
    parse,
)
.describes(
    "The same rules hold as for a new grant. Members left out stay as they are; `expires_at: \
     null` removes the expiry.",
)
.requires(Requires::Project(Capability::GrantManage))
.budget(Budget::ORDERED_WRITE)
.takes(schema::<Input>, r#"{ "role": "viewer" }"#)
.precondition(Precondition::Required)
.answers(&[Success::ok(
    schema::<GrantView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[
    (
        ProblemKind::Escalation,
        "the old or the new role confers a capability that the caller does not have",
    ),
    ARCHIVED,
    (ProblemKind::Conflict, "the grant is revoked"),
    (
        ProblemKind::Conflict,
        "its principal can no longer receive grants",
    ),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(UpdateGrant {
        project: request.path("project")?,
        grant: request.path("grant")?,
        if_match: request.if_match()?,
        input: request.body()?,
    }))
}

impl UpdateGrant {
    /// All live grants, read in the same round as the head. This read only finds the grant's
    /// principal, which never changes. Every fact of the decision is read after the head.
    fn all_grants(&self) -> Range {
        Range::all(Scope::Project(self.project), Sort::GRANTS)
    }

    fn principal(&self, facts: &Facts) -> Result<Option<Principal>, FactError> {
        let grants = Record::<Grant>::decode_all(&facts.scan(&self.all_grants())?.items)?;
        let grant = grants.into_iter().find(|grant| grant.id == self.grant);
        Ok(grant.map(|grant| grant.body.principal))
    }

    fn makes_owner(&self) -> bool {
        self.input.role == Some(ProjectRole::Owner)
    }

    /// The grant before and after the change.
    fn change(
        &self,
        access: &Access<'_>,
        grant: Option<Record<Grant>>,
    ) -> Result<(Record<Grant>, Grant), Problem> {
        let before = grant.ok_or_else(Problem::not_found)?;
        let after = Grant {
            role: self.input.role.unwrap_or(before.body.role),
            expires_at: self.input.expires_at.unwrap_or(before.body.expires_at),
            ..before.body.clone()
        };
        outranks(access, before.body.role.max(after.role))?;
        check_expiry(self.input.expires_at.flatten(), access.now, "")?;
        self.if_match.require(&before.etag())?;
        Ok((before, after))
    }

    /// Changing a grant has the same conditions as granting, so the recipient must still be valid.
    fn recipient(&self, facts: &Facts, grant: &Grant) -> Result<Recipient, Problem> {
        if grant.revoked.is_some() {
            return Err(Problem::conflict("the grant is revoked; create a new one"));
        }
        let recipient = Recipient::load(facts, self.project.account(), grant.principal)?;
        recipient
            .filter(|recipient| recipient.membership() == grant.membership_id)
            .ok_or_else(|| {
                Problem::conflict(
                    "the person or team of the grant can no longer receive grants; revoke the grant instead",
                )
            })
    }
}

impl UseCase for UpdateGrant {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let mut first = heads(self.project, self.makes_owner());
        first.push(ReadRequest::Scan(self.all_grants()));
        if !facts.has_all(&first) {
            return Ok(first);
        }
        let mut reads = reads(self.project, self.grant, context.user());
        let account = self.project.account();
        if let Some(principal) = self.principal(facts)? {
            reads.extend(Recipient::reads(account, principal));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let grant = find(facts, &records, self.project, self.grant)?;
        let (permit, (before, after)) = in_order(
            access.permit(self.project, Capability::GrantManage),
            self.change(&access, grant),
        )?;
        let recipient = self.recipient(facts, &before.body)?;
        let shown = |grant| view::shown(grant, &GrantView::at(grant, access.now));
        if after == before.body {
            return Ok(Outcome::Reply(shown(&before)));
        }
        if self.makes_owner()
            && let Some(first) =
                mark_owning_team(context, facts, &access, self.project, &recipient)?
        {
            return Ok(first);
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head)?;
        let grant = commit.update(&before, after);
        commit.finish(EventType::GrantUpdated, shown(&grant))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};
    use core::time::Duration;

    use serde_json::json;

    use crate::{
        record::{Member, MemberStatus, Team},
        storage::Sort,
        testing::GrantFixture,
        testing::principal_of,
    };

    /// The path of a grant that makes Cyd a viewer.
    fn grant_for_cyd(fixture: &mut GrantFixture) -> String {
        let body = json!({ "principal": principal_of(&fixture.cyd.id()), "role": "viewer" });
        let id = fixture.grant_by_ben(body).expect(201).id();
        format!("{}/grants/{id}", fixture.path())
    }

    #[test]
    fn grant_role_and_expiry_change_alone_or_together() {
        let mut fixture = GrantFixture::new();
        let (ben, cyd) = (fixture.ben.clone(), fixture.cyd.clone());
        let path = grant_for_cyd(&mut fixture);
        let end = json!(fixture.base.now.after(Duration::from_secs(60)));
        let changed = fixture
            .base
            .patch(&ben, &path, json!({ "expires_at": end }));
        assert_eq!(fixture.base.rounds, 2);
        let changed = changed.expect(200).body;
        assert_eq!(
            (&changed["role"], &changed["expires_at"]),
            (&json!("viewer"), &end)
        );
        let changed = fixture
            .base
            .patch(&ben, &path, json!({ "role": "contributor" }));
        let changed = changed.expect(200).body;
        assert_eq!(changed["expires_at"], end);
        assert_eq!(fixture.role_of(&cyd), json!("contributor"));
        let changed = fixture
            .base
            .patch(&ben, &path, json!({ "expires_at": null }));
        assert_eq!(changed.expect(200).body["expires_at"], json!(null));
        let before = fixture.base.dump();
        let same = fixture
            .base
            .patch(&ben, &path, json!({ "role": "contributor" }));
        assert_eq!(same.expect(200).body["version"], 4);
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_28_case_29_manager_cannot_make_or_change_owners() {
        let mut fixture = GrantFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let path = grant_for_cyd(&mut fixture);
        let owner = fixture
            .base
            .grant(&ana, &fixture.project, &fixture.cyd.id(), "owner");
        let owner = format!("{}/grants/{owner}", fixture.path());
        let before = fixture.base.dump();
        for (path, role) in [
            (&path, "owner"),
            (&fixture.ben_grant(), "owner"),
            (&owner, "viewer"),
        ] {
            let refused = fixture
                .base
                .patch(&ben, path, json!({ "role": role }))
                .expect(403);
            assert_eq!(
                refused.body["missing"],
                json!(["project.archive", "project.delete"])
            );
            refused.expect_problem("escalation");
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn grant_update_refuses_in_order_and_changes_nothing() {
        let mut fixture = GrantFixture::new();
        let (ben, cyd, eve) = (
            fixture.ben.clone(),
            fixture.cyd.clone(),
            fixture.base.person("eve"),
        );
        let path = grant_for_cyd(&mut fixture);
        let stale = fixture.base.get(&ben, &path).etag.unwrap();
        fixture
            .base
            .patch(&ben, &path, json!({ "role": "commenter" }))
            .expect(200);
        let before = fixture.base.dump();
        let mut send = |person, etag: Option<&str>, body| {
            let headers: &[(&str, &str)] = &etag.map_or([("x", "")], |etag| [("if-match", etag)]);
            fixture
                .base
                .send(person, "PATCH", &path, headers, Some(body))
        };
        let body = json!({ "role": "viewer" });
        send(&eve, None, body.clone()).expect_problem("not-found");
        let refused = send(&cyd, None, body.clone()).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.manage"]));
        send(&ben, None, body.clone()).expect_problem("precondition-required");
        send(&ben, Some(&stale), body).expect_problem("precondition-failed");
        for (field, value) in [
            ("role", json!("admin")),
            ("expires_at", json!("2020-01-01T00:00:00Z")),
            ("principal", principal_of(&ben.id())),
        ] {
            let answer = send(&ben, Some("*"), json!({ field: value })).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn grant_without_valid_recipient_cannot_change() {
        let mut fixture = GrantFixture::new();
        let (ana, ben) = (fixture.ana.clone(), fixture.ben.clone());
        let path = grant_for_cyd(&mut fixture);
        let member = fixture.account_key(Sort::member(fixture.cyd.actor.user));
        let suspend = |member: &mut Member| member.status = MemberStatus::Suspended;
        fixture.base.amend(&ana, &member, suspend);
        let change = json!({ "role": "commenter" });
        fixture
            .base
            .patch(&ben, &path, change.clone())
            .expect_problem("conflict");
        fixture.base.delete(&ben, &path).expect(204);
        let before = fixture.base.dump();
        fixture
            .base
            .patch(&ben, &path, change)
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn team_is_marked_as_owner_before_its_role_is_raised() {
        let mut fixture = GrantFixture::new();
        let ana = fixture.ana.clone();
        let team = fixture.base.team(&ana, &fixture.account);
        let grant = fixture.base.grant(&ana, &fixture.project, &team, "manager");
        let path = format!("{}/grants/{grant}", fixture.path());
        fixture
            .base
            .patch(&ana, &path, json!({ "role": "owner" }))
            .expect(200);
        let key = fixture.account_key(Sort::team(team.parse().unwrap()));
        assert!(fixture.base.record::<Team>(&key).unwrap().body.may_own);
    }
}
