//! `PUT /v1/accounts/{account}/teams/{team}/members/{user}`

use alloc::{boxed::Box, vec::Vec};

use schemars::JsonSchema;
use serde::Deserialize;

use super::{PathIds, TeamMemberView, check_adding, check_lead};
use crate::{
    operation::{
        Budget, Commit, Context, Example, FactError, Facts, IfMatch, Method, Outcome, Parsed,
        Precondition, Problem, ProblemKind, ReadRequest, Reply, Requires, Route, Success, UseCase,
        authority::{AccountRecords, act_on},
        schema, view,
    },
    record::{EventType, Member, MemberStatus, Record, TeamMember},
    storage::Scope,
    value::{Capability, TeamRole},
};

#[derive(Debug)]
struct PutTeamMember {
    ids: PathIds,
    if_match: IfMatch,
    input: Input,
}

/// The place of a person in a team.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PlaceInTeam")]
struct Input {
    role: TeamRole,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Put,
    "/v1/accounts/{account}/teams/{team}/members/{user}",
    "put_team_member",
    "Add a member to a team, or change the role in it",
    parse,
)
.describes(
    "The person must be an active member of the account. Answers 201 if the person was added \
     and 200 if they were in the team already. Leads manage members who are not leads.",
)
.requires(Requires::TeamLead(Capability::TeamManage))
.budget(Budget::ORDERED_WRITE)
.takes(schema::<Input>, r#"{ "role": "member" }"#)
.precondition(Precondition::Optional)
.answers(&[
    Success::ok(schema::<TeamMemberView>, Example::Text(super::EXAMPLE)),
    Success::created(schema::<TeamMemberView>, Example::Text(super::EXAMPLE)),
])
.refuses(&[
    (
        ProblemKind::Forbidden,
        "a lead without `team.manage` changes another lead or gives the role `lead`",
    ),
    (
        ProblemKind::Escalation,
        "the team may own projects and the caller is neither an owner of the account nor in \
         the team",
    ),
]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    Ok(Box::new(PutTeamMember {
        input: request.body()?,
        if_match: request.if_match()?,
        ids: PathIds::parse(request)?,
    }))
}

impl PutTeamMember {
    /// The person's membership, if it is active.
    fn active(&self, facts: &Facts) -> Result<Option<Record<Member>>, FactError> {
        let member = self.ids.member(facts)?;
        Ok(member.filter(|member| !member.deleted && member.body.status == MemberStatus::Active))
    }

    fn row(&self, member: &Record<Member>) -> TeamMember {
        TeamMember {
            account_id: self.ids.team.account,
            team_id: self.ids.team.team,
            membership_id: member.body.membership_id,
            role: self.input.role,
        }
    }

    /// Adds the row. Replaces an invalid row of an earlier stay or a deleted row.
    fn add(
        &self,
        mut commit: Commit<'_>,
        stored: Option<Record<TeamMember>>,
        member: &Record<Member>,
    ) -> Result<Outcome, Problem> {
        let row = match stored {
            Some(stored) => commit.update(&stored, self.row(member)),
            None => commit.create(member.id, self.row(member)),
        };
        let reply = view::created(&row, &TeamMemberView::from(&row));
        commit.finish(EventType::TeamMemberAdded, reply)
    }

    fn change(
        &self,
        mut commit: Commit<'_>,
        present: &Record<TeamMember>,
        member: &Record<Member>,
    ) -> Result<Outcome, Problem> {
        if present.body.role == self.input.role {
            return Ok(Outcome::Reply(shown(present)));
        }
        let row = commit.update(present, self.row(member));
        commit.finish(EventType::TeamMemberUpdated, shown(&row))
    }
}

fn shown(row: &Record<TeamMember>) -> Reply {
    view::shown(row, &TeamMemberView::from(row))
}

impl UseCase for PutTeamMember {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.ids.reads_to_change(context, facts))
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let PathIds { team, user } = &self.ids;
        let records = AccountRecords::load(facts, team.account, context.user())?;
        let access = records.access();
        let (permit, (record, member)) = act_on(
            team.is_seen_by(&access),
            access.permit_team(team.account, team.team),
            team.load(facts)?.zip(self.active(facts)?),
        )?;
        let present = self.ids.load(facts)?;
        let role = present
            .as_ref()
            .map_or(TeamRole::Member, |row| row.body.role);
        check_lead(&access, *user, &[role, self.input.role])?;
        if present.is_none() {
            check_adding(&access, &record)?;
        }
        self.if_match
            .check(present.as_ref().map(Record::etag).as_ref())?;
        let commit = Commit::open(context, permit, facts.record(&team.head())?)?;
        match present {
            Some(present) => self.change(commit, &present, &member),
            None => self.add(commit, self.ids.stored(facts)?, &member),
        }
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.ids.team.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        operation::authority::head_key,
        permission::Permit,
        record::Team,
        storage::Sort,
        testing::{Answered, Fixture, Person},
        value::{AccountId, AccountRole},
    };

    /// Ana owns an account with a team.
    struct TeamFixture {
        base: Fixture,
        ana: Person,
        account: String,
        team: String,
    }

    impl TeamFixture {
        fn new() -> Self {
            let mut fixture = Fixture::new();
            let ana = fixture.person("ana");
            let account = fixture.account(&ana);
            let team = fixture.team(&ana, &account);
            Self {
                base: fixture,
                ana,
                account,
                team,
            }
        }

        fn person(&mut self, name: &str, role: AccountRole) -> Person {
            let person = self.base.person(name);
            self.base.join(&self.account, &person, role);
            person
        }

        fn path(&self, target: &Person) -> String {
            let Self { account, team, .. } = self;
            format!(
                "/v1/accounts/{account}/teams/{team}/members/{}",
                target.id()
            )
        }

        fn put(&mut self, actor: &Person, target: &Person, role: &str) -> Answered {
            let path = self.path(target);
            self.base.put(actor, &path, json!({ "role": role }))
        }

        /// Ana puts a person into the team with this `If-Match` header.
        fn put_if(&mut self, etag: &str, target: &Person, role: &str) -> Answered {
            let (path, body) = (self.path(target), json!({ "role": role }));
            let headers = [("if-match", etag)];
            self.base
                .send(&self.ana, "PUT", &path, &headers, Some(body))
        }

        /// A person with this role in the account who leads the team.
        fn lead(&mut self, name: &str, role: AccountRole) -> Person {
            let lead = self.person(name, role);
            let ana = self.ana.clone();
            self.put(&ana, &lead, "lead").expect(201);
            lead
        }

        /// Marks the team as a possible owner, as the first grant as owner does.
        fn may_own(&mut self) {
            let account: AccountId = self.account.parse().unwrap();
            let scope = Scope::Account(account);
            let surface = self.base.surface.clone();
            let context = self.base.context(&surface, &self.ana, None);
            let head = self.base.record(&head_key(scope));
            let mut commit = Commit::open(&context, Permit::fixture(scope), head).unwrap();
            let key = scope.key(Sort::team(self.team.parse().unwrap()));
            let team: Record<Team> = self.base.record(&key).unwrap();
            let may_own = Team {
                may_own: true,
                ..team.body.clone()
            };
            commit.update(&team, may_own);
            let batch = commit.into_batch(EventType::TeamUpdated).unwrap();
            self.base.commit(&batch);
        }
    }

    #[test]
    fn admin_adds_team_member_and_makes_lead() {
        let mut case = TeamFixture::new();
        let admin = case.person("ben", AccountRole::Admin);
        let cyd = case.person("cyd", AccountRole::Guest);
        let added = case.put(&admin, &cyd, "member").expect(201);
        assert_eq!(case.base.rounds, 2);
        assert_eq!(added.body["role"], "member");
        assert_eq!(added.body["created_by"], admin.id());
        let raised = case.put(&admin, &cyd, "lead").expect(200);
        assert_eq!(raised.body["role"], "lead");
        assert_eq!(raised.body["version"], 2);
        let stored = case.base.dump();
        let same = case.put(&admin, &cyd, "lead").expect(200);
        assert_eq!(same.body, raised.body);
        assert_eq!(case.base.dump(), stored);
    }

    #[test]
    fn lead_adds_plain_members_but_no_leads() {
        let mut case = TeamFixture::new();
        let lead = case.lead("ben", AccountRole::Guest);
        let other = case.lead("cyd", AccountRole::Member);
        let dan = case.person("dan", AccountRole::Member);
        case.put(&lead, &dan, "member").expect(201);
        let before = case.base.dump();
        for (target, role) in [(&dan, "lead"), (&other, "member")] {
            let refused = case.put(&lead, target, role).expect(403);
            assert_eq!(refused.body["missing"], json!(["team.manage"]));
        }
        assert_eq!(case.base.dump(), before);
        case.put(&lead, &lead, "member").expect(200);
        let eli = case.person("eli", AccountRole::Member);
        case.put(&lead, &eli, "member").expect(403);
    }

    #[test]
    fn team_member_put_refuses_callers_without_permission() {
        let mut case = TeamFixture::new();
        let (ana, eve) = (case.ana.clone(), case.base.person("eve"));
        let [ben, cyd] = ["ben", "cyd"].map(|name| case.person(name, AccountRole::Member));
        case.put(&ana, &ben, "member").expect(201);
        let before = case.base.dump();
        for actor in [&ben, &cyd] {
            let refused = case.put(actor, &cyd, "member").expect(403);
            assert_eq!(refused.body["missing"], json!(["team.manage"]));
        }
        case.put(&ben, &ben, "lead").expect(403);
        case.put(&eve, &cyd, "member").expect_problem("not-found");
        case.put(&eve, &eve, "member").expect_problem("not-found");
        assert_eq!(case.base.dump(), before);
    }

    #[test]
    fn team_member_put_adds_only_active_account_members() {
        let mut case = TeamFixture::new();
        let (ana, eve) = (case.ana.clone(), case.base.person("eve"));
        let [ben, cyd] = ["ben", "cyd"].map(|name| case.person(name, AccountRole::Member));
        let member =
            |person: &Person| format!("/v1/accounts/{}/members/{}", case.account, person.id());
        let (ben_path, cyd_path) = (member(&ben), member(&cyd));
        case.base.delete(&ana, &ben_path).expect(204);
        let suspended = json!({ "status": "suspended" });
        case.base.patch(&ana, &cyd_path, suspended).expect(200);
        let before = case.base.dump();
        for target in [&ben, &cyd, &eve] {
            case.put(&ana, target, "member").expect_problem("not-found");
        }
        assert_eq!(case.base.dump(), before);
    }

    #[test]
    fn adding_to_an_owning_team_requires_ownership() {
        let mut case = TeamFixture::new();
        case.may_own();
        let ana = case.ana.clone();
        let admin = case.person("ben", AccountRole::Admin);
        let cyd = case.person("cyd", AccountRole::Member);
        let before = case.base.dump();
        for target in [&admin, &cyd] {
            let refused = case
                .put(&admin, target, "member")
                .expect_problem("escalation");
            let missing = json!(["project.archive", "project.delete"]);
            assert_eq!(refused.body["missing"], missing);
        }
        assert_eq!(case.base.dump(), before);
        let dan = case.lead("dan", AccountRole::Member);
        case.put(&dan, &cyd, "member").expect(201);
        case.put(&admin, &cyd, "lead").expect(200);
        case.put(&ana, &ana, "member").expect(201);
    }

    #[test]
    fn admin_joins_team_that_owns_nothing() {
        let mut case = TeamFixture::new();
        let admin = case.person("ben", AccountRole::Admin);
        case.put(&admin, &admin, "lead").expect(201);
    }

    #[test]
    fn case_35_rejoined_member_is_in_the_team_once_added_again() {
        let mut case = TeamFixture::new();
        let ana = case.ana.clone();
        let lead = case.lead("ben", AccountRole::Member);
        let path = format!("/v1/accounts/{}/members/{}", case.account, lead.id());
        case.base.delete(&lead, &path).expect(204);
        case.base
            .join(&case.account.clone(), &lead, AccountRole::Member);
        let row = case.path(&lead);
        case.base.get(&ana, &row).expect_problem("not-found");
        case.put(&lead, &ana, "member").expect(403);
        let added = case.put(&ana, &lead, "member").expect(201);
        let member = case.base.get(&ana, &path).expect(200);
        assert_eq!(added.text("membership_id"), member.text("membership_id"));
        case.base.get(&ana, &row).expect(200);
    }

    #[test]
    fn team_member_put_honours_if_match() {
        let mut case = TeamFixture::new();
        let ben = case.person("ben", AccountRole::Member);
        let missing = case.put_if("*", &ben, "member");
        missing.expect_problem("precondition-failed");
        let ana = case.ana.clone();
        let etag = case.put(&ana, &ben, "member").expect(201).etag.unwrap();
        case.put_if(&etag, &ben, "lead").expect(200);
        let stale = case.put_if(&etag, &ben, "member");
        stale.expect_problem("precondition-failed");
        case.put_if("*", &ben, "member").expect(200);
    }

    #[test]
    fn case_26_team_member_put_accepts_only_the_role() {
        let mut case = TeamFixture::new();
        let ana = case.ana.clone();
        let ben = case.person("ben", AccountRole::Member);
        let (path, before) = (case.path(&ben), case.base.dump());
        let bodies: [(Value, &str); 5] = [
            (json!({}), "role"),
            (json!({ "role": "owner" }), "role"),
            (
                json!({ "role": "member", "membership_id": "x" }),
                "membership_id",
            ),
            (json!({ "role": "member", "team_id": "x" }), "team_id"),
            (json!({ "role": "member", "version": 9 }), "version"),
        ];
        for (body, field) in bodies {
            let answer = case.base.put(&ana, &path, body).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], field);
        }
        assert_eq!(case.base.dump(), before);
    }
}
