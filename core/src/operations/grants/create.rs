//! `POST /v1/projects/{project}/grants`

use alloc::{boxed::Box, format, vec::Vec};

use super::{
    GrantView, Proposal,
    proposal::{Recipient, heads, mark_owning_team},
};
use crate::{
    api::{Method, Parsed, Problem, ProblemKind, Route, schema, view},
    authority::{ProjectRecords, head_key, settle},
    commit::Commit,
    context::Context,
    facts::{Ask, Facts},
    model::{EventType, Grant, Principal, Record},
    permission::{Capability, ProjectRole},
    storage::{Key, Scope},
    use_case::{Outcome, Reply, UseCase},
    value::{ProjectId, Timestamp},
};

/// Grants a role on a project to a person or a team.
#[derive(Debug)]
struct CreateGrant {
    project: ProjectId,
    input: Proposal,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Post,
    "/v1/projects/{project}/grants",
    "create_grant",
    "Grants a role on a project to a member or a team; grants of one principal add up",
    parse,
)
.takes(schema::<Proposal>)
.answers(&[(201, Some(schema::<GrantView>))])
.refuses(&[ProblemKind::Escalation, ProblemKind::Conflict]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(CreateGrant {
        project: request.path("project")?,
        input: request.body()?,
    }))
}

fn reply(grant: &Record<Grant>, now: Timestamp) -> Reply {
    view::created(grant, &GrantView::at(grant, now))
}

/// Refuses a grant beyond the most a project can have.
pub(in crate::operations) fn check_limit(grants: &[Record<Grant>]) -> Result<(), Problem> {
    if grants.len() < Grant::LIVE_LIMIT {
        return Ok(());
    }
    Err(Problem::conflict(format!(
        "the project has {} grants, the most there can be; expired ones count until they are revoked",
        Grant::LIVE_LIMIT
    )))
}

impl CreateGrant {
    fn makes_owning_team(&self) -> bool {
        matches!(self.input.principal, Principal::Team(_)) && self.input.role == ProjectRole::Owner
    }
}

impl UseCase for CreateGrant {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let heads = heads(self.project, self.makes_owning_team());
        if !facts.has_all(&heads) {
            return Ok(heads);
        }
        let mut asks = ProjectRecords::asks(self.project, context.user());
        let account = self.project.account();
        asks.extend(Recipient::asks(account, self.input.principal));
        Ok(asks)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        let access = records.access(context.env.now);
        let recipient = Recipient::load(facts, self.project.account(), self.input.principal)?;
        let (permit, recipient) = settle(
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
        let mut commit = Commit::open(context, permit, head);
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
        // What is shown is what a reader of grants sees; the project may be archived by now.
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
        model::{EventType, Grant, JournalEntry, Member, MemberStatus, Principal, Team},
        operations::grants::stage::Stage,
        permission::{AccountRole, ProjectRole},
        storage::Sort,
        testing::{World, principal_of},
    };

    #[test]
    fn a_manager_grants_what_a_manager_has() {
        let mut stage = Stage::new();
        let body = json!({
            "principal": principal_of(&stage.cyd.id()),
            "role": "contributor",
            "expires_at": stage.world.now.after(Duration::from_secs(60)),
        });
        let made = stage.grant_by_ben(body.clone()).expect(201);
        assert_eq!(stage.world.waves, 2);
        assert_eq!(made.body["principal"], body["principal"]);
        assert_eq!(made.body["role"], "contributor");
        assert_eq!(made.body["expires_at"], body["expires_at"]);
        assert_eq!(made.body["status"], "live");
        assert_eq!(made.body["project_id"], stage.project);
        assert!(made.body.get("membership_id").is_none() && made.body.get("revoked").is_none());
        assert_eq!(stage.role_of(&stage.cyd.clone()), json!("contributor"));
    }

    #[test]
    fn refusals_name_their_reason_and_change_nothing() {
        let mut stage = Stage::new();
        let (cyd, eve) = (stage.cyd.clone(), stage.world.person("eve"));
        let path = format!("{}/grants", stage.path());
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        stage
            .world
            .post(&stage.ana, &path, body.clone())
            .expect(201);
        let before = stage.world.dump();
        let refused = stage.world.post(&cyd, &path, body.clone()).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.manage"]));
        stage
            .world
            .post(&eve, &path, body)
            .expect_problem("not-found");
        for (field, value) in [
            ("role", json!("admin")),
            ("principal", json!({ "type": "group", "id": cyd.id() })),
            ("principal", json!({ "type": "team", "id": cyd.id() })),
            ("principal", principal_of(&eve.id())),
            ("expires_at", json!(stage.world.now)),
            ("membership_id", json!("mbr_01h2xcejqtf2nbrexx3vqjhp41")),
        ] {
            let mut body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
            body[field] = value;
            let answer = stage.grant_by_ben(body).expect(400);
            let named = answer.body["errors"][0]["field"].as_str().unwrap();
            assert!(named.starts_with(field), "{named} {field}");
        }
        assert_eq!(stage.world.dump(), before);
    }

    #[test]
    fn case_28_a_manager_does_not_become_owner() {
        let mut stage = Stage::new();
        let before = stage.world.dump();
        let body = json!({ "principal": principal_of(&stage.ben.id()), "role": "owner" });
        let refused = stage.grant_by_ben(body).expect(403);
        let missing = json!(["project.archive", "project.delete"]);
        assert_eq!(refused.body["missing"], missing);
        refused.expect_problem("escalation");
        assert_eq!(stage.world.dump(), before);
    }

    #[test]
    fn case_29_nobody_hands_on_more_than_they_have() {
        let mut stage = Stage::new();
        let team = stage.world.team(&stage.ana, &stage.account);
        let before = stage.world.dump();
        for principal in [stage.cyd.id(), team] {
            let body = json!({ "principal": principal_of(&principal), "role": "owner" });
            stage.grant_by_ben(body).expect_problem("escalation");
        }
        assert_eq!(stage.world.dump(), before);
    }

    #[test]
    fn case_32_nothing_is_granted_to_who_is_not_there() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let (retiring, elsewhere) = (
            stage.world.team(&ana, &stage.account),
            stage.world.account(&ana),
        );
        let foreign = stage.world.team(&ana, &elsewhere);
        let key = stage.account_key(Sort::team(retiring.parse().unwrap()));
        let retire = |team: &mut Team| team.retiring = true;
        stage.world.amend(&ana, &key, retire);
        let suspended = stage.world.person("dan");
        stage
            .world
            .join(&stage.account, &suspended, AccountRole::Member);
        let key = stage.account_key(Sort::member(suspended.actor.user));
        let suspend = |member: &mut Member| member.status = MemberStatus::Suspended;
        stage.world.amend(&ana, &key, suspend);
        let left = format!("/v1/accounts/{}/members/{}", stage.account, cyd.id());
        stage.world.delete(&ana, &left).expect(204);
        let before = stage.world.dump();
        for principal in [retiring, foreign, suspended.id(), cyd.id()] {
            let body = json!({ "principal": principal_of(&principal), "role": "viewer" });
            let answer = stage.grant_by_ben(body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "principal");
        }
        assert_eq!(stage.world.dump(), before);
    }

    #[test]
    fn case_33_case_62_a_grant_ends_at_the_exact_instant_though_the_record_stays() {
        let mut stage = Stage::new();
        let cyd = stage.cyd.clone();
        let end = stage.world.now.after(Duration::from_millis(10));
        let principal = principal_of(&cyd.id());
        let body = json!({ "principal": principal, "role": "viewer", "expires_at": end });
        let grant = stage.grant_by_ben(body).expect(201).id();
        stage.world.pass(Duration::from_millis(9));
        assert_eq!(stage.role_of(&cyd), json!("viewer"));
        stage.world.pass(Duration::from_millis(1));
        stage
            .world
            .get(&cyd, &stage.path())
            .expect_problem("not-found");
        stage.world.collect_garbage();
        let path = format!("{}/grants/{grant}", stage.path());
        let kept = stage.world.get(&stage.ben, &path).expect(200);
        assert_eq!(kept.body["status"], "expired");
    }

    #[test]
    fn case_35_whoever_rejoins_has_none_of_the_old_grants() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let grant = stage.grant_by_ben(body.clone()).expect(201).id();
        let member = format!("/v1/accounts/{}/members/{}", stage.account, cyd.id());
        stage.world.delete(&ana, &member).expect(204);
        stage.world.join(&stage.account, &cyd, AccountRole::Member);
        stage
            .world
            .get(&cyd, &stage.path())
            .expect_problem("not-found");
        let path = format!("{}/grants/{grant}", stage.path());
        let change = json!({ "role": "commenter" });
        stage
            .world
            .patch(&ana, &path, change)
            .expect_problem("conflict");
        stage.grant_by_ben(body).expect(201);
        assert_eq!(stage.role_of(&cyd), json!("viewer"));
    }

    #[test]
    fn case_39_grants_of_one_person_add_up_and_never_take_away() {
        let mut stage = Stage::new();
        let cyd = stage.cyd.clone();
        let principal = principal_of(&cyd.id());
        let ids: Vec<_> = ["contributor", "viewer", "viewer"]
            .map(|role| json!({ "principal": principal, "role": role }))
            .into_iter()
            .map(|body| stage.grant_by_ben(body).expect(201).id())
            .collect();
        assert_eq!(stage.role_of(&cyd), json!("contributor"));
        for (id, role) in ids.iter().zip(["viewer", "viewer"]) {
            let path = format!("{}/grants/{id}", stage.path());
            stage.world.delete(&stage.ben, &path).expect(204);
            assert_eq!(stage.role_of(&cyd), json!(role));
        }
    }

    #[test]
    fn a_team_is_marked_in_the_account_before_it_owns_a_project() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let team = stage.world.team(&ana, &stage.account);
        stage.world.assign(&ana, &stage.account, &team, &cyd);
        let key = stage.account_key(Sort::team(team.parse().unwrap()));
        let may_own = |world: &World| world.record::<Team>(&key).unwrap().body.may_own;
        stage.world.grant(&ana, &stage.project, &team, "manager");
        assert!(!may_own(&stage.world));
        let body = json!({ "principal": principal_of(&team), "role": "owner" });
        let path = format!("{}/grants", stage.path());
        let decided = stage.world.outcome(&ana, "POST", &path, Some(body));
        assert!(matches!(decided, Ok(super::Outcome::Prepare(_))));
        stage.world.grant(&ana, &stage.project, &team, "owner");
        assert!(may_own(&stage.world));
        assert_eq!(stage.role_of(&cyd), json!("owner"));
        let mut entries = stage.world.dump().into_iter().filter(|item| {
            item.key.scope == key.scope && item.key.sort.as_str().starts_with(Sort::JOURNAL)
        });
        let last: JournalEntry = stage
            .world
            .record(&entries.next_back().unwrap().key)
            .unwrap()
            .body;
        assert_eq!(last.event, EventType::TeamUpdated);
        assert_eq!(last.actor.to_string(), ana.id());
    }

    #[test]
    fn the_limit_counts_what_is_not_revoked() {
        let mut stage = Stage::new();
        let (ana, cyd) = (stage.ana.clone(), stage.cyd.clone());
        let project = stage.project.parse().unwrap();
        let expired = Grant {
            project_id: project,
            principal: Principal::User(cyd.actor.user),
            membership_id: None,
            role: ProjectRole::Viewer,
            expires_at: Some(stage.world.now),
            revoked: None,
        };
        // The owner's and the manager's are there already.
        let mut left = Grant::LIVE_LIMIT - 2;
        while left > 0 {
            let chunk = left.min(80);
            let event = EventType::GrantCreated;
            let scope = crate::storage::Scope::Project(project);
            stage.world.write(&ana, scope, event, |context, commit| {
                for position in 0..chunk {
                    let id = context.env.id(&format!("{position}"));
                    commit.create(id, expired.clone());
                }
            });
            left -= chunk;
        }
        let body = json!({ "principal": principal_of(&cyd.id()), "role": "viewer" });
        let before = stage.world.dump();
        stage.grant_by_ben(body.clone()).expect_problem("conflict");
        assert_eq!(stage.world.dump(), before);
        let one = before.iter().rev().find(|item| {
            item.key.sort.as_str().starts_with(Sort::GRANTS) && item.body.contains(&cyd.id())
        });
        let sort = one.unwrap().key.sort.to_string();
        let id = sort.rsplit('#').next().unwrap();
        let path = format!("{}/grants/{id}", stage.path());
        stage.world.delete(&ana, &path).expect(204);
        stage.grant_by_ben(body).expect(201);
    }

    #[test]
    fn a_repetition_answers_the_grant_made_before() {
        let mut stage = Stage::new();
        let path = format!("{}/grants", stage.path());
        let body = json!({ "principal": principal_of(&stage.cyd.id()), "role": "viewer" });
        let headers = [("idempotency-key", "k1")];
        let send = |stage: &mut Stage| {
            let (ben, body) = (stage.ben.clone(), Some(body.clone()));
            stage.world.send(&ben, "POST", &path, &headers, body)
        };
        let first = send(&mut stage).expect(201);
        let before = stage.world.dump();
        assert_eq!(send(&mut stage).expect(201).body, first.body);
        assert_eq!(stage.world.dump(), before);
        let grant = format!("{path}/{}", first.id());
        stage.world.delete(&stage.ben, &grant).expect(204);
        send(&mut stage).expect_problem("conflict");
        stage
            .world
            .delete(&stage.ana, &stage.ben_grant())
            .expect(204);
        send(&mut stage).expect_problem("not-found");
    }
}
