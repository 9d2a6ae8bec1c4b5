//! `POST /v1/projects/{project}/grants`

use alloc::{boxed::Box, vec::Vec};

use super::{
    GrantView, Proposal,
    proposal::{Recipient, heads, mark_owning_team},
};
use crate::{
    operation::{
        ARCHIVED, Budget, Commit, Context, Example, Facts, Method, Outcome, Parsed, Problem,
        ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{ProjectRecords, head_key, in_order},
        grants::check_limit,
        schema, view,
    },
    record::{EventType, Grant, Record},
    storage::{Key, Scope},
    value::{Capability, Principal, ProjectId, ProjectRole, Timestamp},
};

#[derive(Debug)]
struct CreateGrant {
    project: ProjectId,
    input: Proposal,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/grants",
    "create_grant",
    "Grant a role on a project",
    parse,
)
.describes(
    "The principal is an active member or a team of the account. Several grants of one \
     principal add up. A project has at most 500 grants that are not revoked; expired ones \
     count.",
)
.requires(Requires::Project(Capability::GrantManage))
.budget(Budget::ORDERED_WRITE)
.takes(schema::<Proposal>, BODY)
.answers(&[Success::created(
    schema::<GrantView>,
    Example::Text(super::EXAMPLE),
)])
.refuses(&[
    (
        ProblemKind::Escalation,
        "the role confers a capability that the caller does not have",
    ),
    ARCHIVED,
    (ProblemKind::Conflict, "the project has 500 grants"),
]);

const BODY: &str = r#"{
  "principal": {
    "type": "user",
    "id": "usr_01ks8vcv05qe9yjnxn3y5pwjh8"
  },
  "role": "viewer"
}"#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateGrant {
        project: request.path("project")?,
        input: request.body()?,
    }))
}

fn reply(grant: &Record<Grant>, now: Timestamp) -> Reply {
    view::created(grant, &GrantView::at(grant, now))
}

impl CreateGrant {
    fn makes_owning_team(&self) -> bool {
        matches!(self.input.principal, Principal::Team(_)) && self.input.role == ProjectRole::Owner
    }
}

impl UseCase for CreateGrant {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let heads = heads(self.project, self.makes_owning_team());
        if !facts.has_all(&heads) {
            return Ok(heads);
        }
        let mut reads = ProjectRecords::reads(self.project, context.user());
        let account = self.project.account();
        reads.extend(Recipient::reads(account, self.input.principal));
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let recipient = Recipient::load(facts, self.project.account(), self.input.principal)?;
        let (permit, recipient) = in_order(
            access.permit(self.project, Capability::GrantManage),
            self.input.check(&access, recipient, ""),
        )?;
        check_limit(&records.grants)?;
        if self.makes_owning_team()
            && let Some(first) =
                mark_owning_team(context, facts, &access, self.project, &recipient)?
        {
            return Ok(first);
        }
        let head = facts.record(&head_key(permit.scope()))?;
        let mut commit = Commit::open(context, permit, head)?;
        let grant = self.input.grant(self.project, &recipient);
        let grant = commit.create(context.env.id("grant"), grant);
        commit.finish(EventType::GrantCreated, reply(&grant, context.env.now))
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(Scope::Project(self.project))
    }

    fn replay(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        records: &[Key],
    ) -> Result<Reply, Problem> {
        let access = ProjectRecords::load(facts, self.project, context.user())?;
        // The answer requires the capability to view grants. Managing grants could be refused here,
        // because the project may be archived since.
        access
            .access(context.env.now)
            .check(Capability::GrantView)?;
        let grant = view::replayed(facts, records, 0)?;
        Ok(reply(&grant, context.env.now))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString, vec::Vec};
    use core::time::Duration;

    use serde_json::json;

    use crate::{
        record::{EventType, Grant, JournalEntry, Member, MemberStatus, Team},
        storage::Sort,
        testing::GrantFixture,
        testing::{Fixture, principal_of},
        value::{AccountRole, Principal, ProjectRole},
    };

    #[test]
    fn manager_grants_roles_up_to_manager() {
        let mut fixture = GrantFixture::new();
        let body = json!({
            "principal": principal_of(&fixture.cyd.id()),
            "role": "contributor",
            "expires_at": fixture.base.now.after(Duration::from_secs(60)),
        });
        let made = fixture.grant_by_ben(body.clone()).expect(201);
        assert_eq!(fixture.base.rounds, 2);
        assert_eq!(made.body["principal"], body["principal"]);
        assert_eq!(made.body["role"], "contributor");
        assert_eq!(made.body["expires_at"], body["expires_at"]);
        assert_eq!(made.body["status"], "live");
        assert_eq!(made.body["project_id"], fixture.project);
        assert!(made.body.get("membership_id").is_none() && made.body.get("revoked").is_none());
        assert_eq!(fixture.role_of(&fixture.cyd.clone()), json!("contributor"));
    }

    #[test]
    fn refused_grant_names_its_reason_and_changes_nothing() {
        let mut fixture = GrantFixture::new();
        let (cyd, eve) = (fixture.cyd.clone(), fixture.base.person("eve"));
        let path = format!("{}/grants", fixture.path());
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        fixture
            .base
            .post(&fixture.ana, &path, body.clone())
            .expect(201);
        let before = fixture.base.dump();
        let refused = fixture.base.post(&cyd, &path, body.clone()).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.manage"]));
        fixture
            .base
            .post(&eve, &path, body)
            .expect_problem("not-found");
        for (field, value) in [
            ("role", json!("admin")),
            ("principal", json!({ "type": "group", "id": cyd.id() })),
            ("principal", json!({ "type": "team", "id": cyd.id() })),
            ("principal", principal_of(&eve.id())),
            ("expires_at", json!(fixture.base.now)),
            ("membership_id", json!("mbr_01h2xcejqtf2nbrexx3vqjhp41")),
        ] {
            let mut body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
            body[field] = value;
            let answer = fixture.grant_by_ben(body).expect(400);
            let named = answer.body["errors"][0]["field"].as_str().unwrap();
            assert!(named.starts_with(field), "{named} {field}");
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_28_manager_cannot_become_owner() {
        let mut fixture = GrantFixture::new();
        let before = fixture.base.dump();
        let body = json!({ "principal": principal_of(&fixture.ben.id()), "role": "owner" });
        let refused = fixture.grant_by_ben(body).expect(403);
        let missing = json!(["project.archive", "project.delete"]);
        assert_eq!(refused.body["missing"], missing);
        refused.expect_problem("escalation");
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_29_grant_create_refuses_escalation() {
        let mut fixture = GrantFixture::new();
        let team = fixture.base.team(&fixture.ana, &fixture.account);
        let before = fixture.base.dump();
        for principal in [fixture.cyd.id(), team] {
            let body = json!({ "principal": principal_of(&principal), "role": "owner" });
            fixture.grant_by_ben(body).expect_problem("escalation");
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_32_grant_to_missing_principal_is_refused() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let (retiring, other_account) = (
            fixture.base.team(&ana, &fixture.account),
            fixture.base.account(&ana),
        );
        let foreign = fixture.base.team(&ana, &other_account);
        let key = fixture.account_key(Sort::team(retiring.parse().unwrap()));
        let retire = |team: &mut Team| team.retiring = true;
        fixture.base.amend(&ana, &key, retire);
        let suspended = fixture.base.person("dan");
        fixture
            .base
            .join(&fixture.account, &suspended, AccountRole::Member);
        let key = fixture.account_key(Sort::member(suspended.actor.user));
        let suspend = |member: &mut Member| member.status = MemberStatus::Suspended;
        fixture.base.amend(&ana, &key, suspend);
        let left = format!("/v1/accounts/{}/members/{}", fixture.account, cyd.id());
        fixture.base.delete(&ana, &left).expect(204);
        let before = fixture.base.dump();
        for principal in [retiring, foreign, suspended.id(), cyd.id()] {
            let body = json!({ "principal": principal_of(&principal), "role": "viewer" });
            let answer = fixture.grant_by_ben(body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "principal");
        }
        assert_eq!(fixture.base.dump(), before);
    }

    #[test]
    fn case_33_case_62_grant_ends_on_time_and_record_stays() {
        let mut fixture = GrantFixture::new();
        let cyd = fixture.cyd.clone();
        let end = fixture.base.now.after(Duration::from_millis(10));
        let principal = principal_of(&cyd.id());
        let body = json!({ "principal": principal, "role": "viewer", "expires_at": end });
        let grant = fixture.grant_by_ben(body).expect(201).id();
        fixture.base.pass(Duration::from_millis(9));
        assert_eq!(fixture.role_of(&cyd), json!("viewer"));
        fixture.base.pass(Duration::from_millis(1));
        fixture
            .base
            .get(&cyd, &fixture.path())
            .expect_problem("not-found");
        fixture.base.collect_garbage();
        let path = format!("{}/grants/{grant}", fixture.path());
        let kept = fixture.base.get(&fixture.ben, &path).expect(200);
        assert_eq!(kept.body["status"], "expired");
    }

    #[test]
    fn case_35_rejoined_member_has_none_of_the_old_grants() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let grant = fixture.grant_by_ben(body.clone()).expect(201).id();
        let member = format!("/v1/accounts/{}/members/{}", fixture.account, cyd.id());
        fixture.base.delete(&ana, &member).expect(204);
        fixture
            .base
            .join(&fixture.account, &cyd, AccountRole::Member);
        fixture
            .base
            .get(&cyd, &fixture.path())
            .expect_problem("not-found");
        let path = format!("{}/grants/{grant}", fixture.path());
        let change = json!({ "role": "commenter" });
        fixture
            .base
            .patch(&ana, &path, change)
            .expect_problem("conflict");
        fixture.grant_by_ben(body).expect(201);
        assert_eq!(fixture.role_of(&cyd), json!("viewer"));
    }

    #[test]
    fn case_39_grants_of_one_person_add_up() {
        let mut fixture = GrantFixture::new();
        let cyd = fixture.cyd.clone();
        let principal = principal_of(&cyd.id());
        let ids: Vec<_> = ["contributor", "viewer", "viewer"]
            .map(|role| json!({ "principal": principal, "role": role }))
            .into_iter()
            .map(|body| fixture.grant_by_ben(body).expect(201).id())
            .collect();
        assert_eq!(fixture.role_of(&cyd), json!("contributor"));
        for (id, role) in ids.iter().zip(["viewer", "viewer"]) {
            let path = format!("{}/grants/{id}", fixture.path());
            fixture.base.delete(&fixture.ben, &path).expect(204);
            assert_eq!(fixture.role_of(&cyd), json!(role));
        }
    }

    #[test]
    fn team_is_marked_as_owner_before_it_owns_a_project() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let team = fixture.base.team(&ana, &fixture.account);
        fixture.base.assign(&ana, &fixture.account, &team, &cyd);
        let key = fixture.account_key(Sort::team(team.parse().unwrap()));
        let may_own = |fixture: &Fixture| fixture.record::<Team>(&key).unwrap().body.may_own;
        fixture.base.grant(&ana, &fixture.project, &team, "manager");
        assert!(!may_own(&fixture.base));
        let body = json!({ "principal": principal_of(&team), "role": "owner" });
        let path = format!("{}/grants", fixture.path());
        let decided = fixture.base.outcome(&ana, "POST", &path, Some(body));
        assert!(matches!(decided, Ok(super::Outcome::Prepare(_))));
        fixture.base.grant(&ana, &fixture.project, &team, "owner");
        assert!(may_own(&fixture.base));
        assert_eq!(fixture.role_of(&cyd), json!("owner"));
        let mut entries = fixture.base.dump().into_iter().filter(|item| {
            item.key.scope == key.scope && item.key.sort.as_str().starts_with(Sort::JOURNAL)
        });
        let last: JournalEntry = fixture
            .base
            .record(&entries.next_back().unwrap().key)
            .unwrap()
            .body;
        assert_eq!(last.event, EventType::TeamUpdated);
        assert_eq!(last.actor.to_string(), ana.id());
    }

    #[test]
    fn grant_limit_ignores_revoked_grants() {
        let mut fixture = GrantFixture::new();
        let (ana, cyd) = (fixture.ana.clone(), fixture.cyd.clone());
        let project = fixture.project.parse().unwrap();
        let expired = Grant {
            project_id: project,
            principal: Principal::User(cyd.actor.user),
            membership_id: None,
            role: ProjectRole::Viewer,
            expires_at: Some(fixture.base.now),
            revoked: None,
        };
        // The grants of the owner and the manager exist already.
        let mut left = Grant::LIVE_LIMIT - 2;
        while left > 0 {
            let chunk = left.min(80);
            let event = EventType::GrantCreated;
            let scope = crate::storage::Scope::Project(project);
            fixture.base.write(&ana, scope, event, |context, commit| {
                for position in 0..chunk {
                    let id = context.env.id(&format!("{position}"));
                    commit.create(id, expired.clone());
                }
            });
            left -= chunk;
        }
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let before = fixture.base.dump();
        fixture
            .grant_by_ben(body.clone())
            .expect_problem("conflict");
        assert_eq!(fixture.base.dump(), before);
        let one = before.iter().rev().find(|item| {
            item.key.sort.as_str().starts_with(Sort::GRANTS) && item.body.contains(&cyd.id())
        });
        let sort = one.unwrap().key.sort.to_string();
        let id = sort.rsplit('#').next().unwrap();
        let path = format!("{}/grants/{id}", fixture.path());
        fixture.base.delete(&ana, &path).expect(204);
        fixture.grant_by_ben(body).expect(201);
    }

    #[test]
    fn grant_create_repeated_answers_the_first_grant() {
        let mut fixture = GrantFixture::new();
        let path = format!("{}/grants", fixture.path());
        let body = json!({ "principal": principal_of(&fixture.cyd.id()), "role": "viewer" });
        let headers = [("idempotency-key", "k1")];
        let send = |fixture: &mut GrantFixture| {
            let (ben, body) = (fixture.ben.clone(), Some(body.clone()));
            fixture.base.send(&ben, "POST", &path, &headers, body)
        };
        let first = send(&mut fixture).expect(201);
        let before = fixture.base.dump();
        assert_eq!(send(&mut fixture).expect(201).body, first.body);
        assert_eq!(fixture.base.dump(), before);
        let grant = format!("{path}/{}", first.id());
        fixture.base.delete(&fixture.ben, &grant).expect(204);
        send(&mut fixture).expect_problem("conflict");
        fixture
            .base
            .delete(&fixture.ana, &fixture.ben_grant())
            .expect(204);
        send(&mut fixture).expect_problem("not-found");
    }
}
