//! `GET /v1/projects/{project}/subjects`

use alloc::{boxed::Box, string::ToString, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ReasonView;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, PAGE, PageRequest, Parsed, Problem,
        ProblemKind, QueryParameter, ReadRequest, Requires, Route, Success, UseCase,
        authority::{ProjectRecords, Roster},
        schema,
        view::{self, ListView},
    },
    permission::{Access, Reason, subjects::subjects},
    storage::Range,
    value::{Capabilities, Capability, ProjectId, ProjectRole, UserId},
};

/// The number of rows of members and their teams that one page reads.
const ROWS: u32 = 1_000;

#[derive(Debug)]
struct ListSubjects {
    project: ProjectId,
    capability: Option<Capability>,
    page: PageRequest,
}

/// A person with access to a project.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
struct SubjectView {
    user: UserId,
    /// The strongest role.
    role: Option<ProjectRole>,
    /// Everything that the person may do.
    capabilities: Capabilities,
    /// The records that give the person access or the capability that was asked for.
    reasons: Vec<ReasonView>,
}

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/subjects",
    "list_subjects",
    "List the people who have access to a project",
    parse,
)
.describes("In the order of their user ids, with the records that give them access.")
.requires(Requires::Project(Capability::GrantView))
.budget(Budget::LIST)
.query(&[
    PAGE[0],
    PAGE[1],
    QueryParameter::new(
        "capability",
        "Only people who have this capability on the project.",
        schema::<Capability>,
    ),
])
.answers(&[Success::ok(
    schema::<ListView<SubjectView>>,
    Example::Page(EXAMPLE),
)])
.refuses(&[(
    ProblemKind::Conflict,
    "a person is in too many teams to be listed",
)]);

const EXAMPLE: &str = r#"{
  "user": "usr_01ks8vcv05qe9yjnxn3y5pwjh8",
  "role": "viewer",
  "capabilities": [
    "project.view", "artifact.view", "artifact.download", "metadata.view", "event.view"
  ],
  "reasons": [{
    "source": "user_grant",
    "record_id": "grt_01kcs1z5k03awkvp6macd9fw22",
    "role": "viewer",
    "capabilities": [
      "project.view", "artifact.view", "artifact.download", "metadata.view", "event.view"
    ]
  }]
}"#;

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let capability: Option<Capability> = request.query("capability")?;
    let known = ProjectRole::Owner.capabilities();
    if capability.is_some_and(|capability| !known.has(capability)) {
        return Err(Problem::field(
            "capability",
            "must be a capability that a role on a project confers",
        ));
    }
    Ok(Box::new(ListSubjects {
        project: request.path("project")?,
        capability,
        page: request.page(capability.map_or("", Capability::as_str))?,
    }))
}

impl ListSubjects {
    fn range(&self, context: &Context<'_>) -> Result<Range, Problem> {
        let after = self.page.after_id(context)?;
        Ok(Roster::range(self.project.account(), after, ROWS))
    }

    fn records(&self, context: &Context<'_>, facts: &Facts) -> Result<ProjectRecords, Problem> {
        let records = ProjectRecords::load(facts, self.project, context.user())?;
        records
            .access(context.env.now)
            .check(Capability::GrantView)?;
        Ok(records)
    }
}

fn view((access, reasons): (Access<'_>, Vec<Reason>)) -> SubjectView {
    SubjectView {
        user: access.account.user,
        role: access.role(),
        capabilities: access.effective(),
        reasons: ReasonView::all(&access, reasons),
    }
}

impl UseCase for ListSubjects {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let range = self.range(context)?;
        let reads = ProjectRecords::reads(self.project, context.user());
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        self.records(context, facts)?;
        Ok(vec![ReadRequest::Scan(range)])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = self.records(context, facts)?;
        let access = records.access(context.env.now);
        let roster = Roster::load(facts, &self.range(context)?)?;
        let members = roster.accesses(access.account.account);
        let mut found = subjects(access, members, self.capability);
        let items: Vec<_> = found
            .by_ref()
            .take(self.page.limit as usize)
            .map(view)
            .collect();
        let full = found.next().is_some();
        let last = if full {
            items.last().map(|subject| subject.user)
        } else {
            roster.last().filter(|_| roster.more)
        };
        let last = last.map(|user| user.to_string());
        let reply = view::page(context, &self.page, items, last.as_deref());
        Ok(Outcome::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeMap, format, string::String, vec::Vec};

    use serde_json::{Value, json};

    use super::ROWS;
    use crate::{
        record::{EventType, Member, MemberStatus},
        storage::Sort,
        testing::GrantFixture,
        testing::Person,
        value::{AccountRole, Capability, ProjectRole},
    };

    /// Twelve more people in all roles. Some are in a team that has a grant.
    fn fixture_with_members() -> (GrantFixture, Vec<Person>) {
        let mut fixture = GrantFixture::new();
        let team = fixture.base.team(&fixture.ana, &fixture.account);
        fixture
            .base
            .grant(&fixture.ana, &fixture.project, &team, "contributor");
        let mut people = [&fixture.ana, &fixture.ben, &fixture.cyd]
            .map(Clone::clone)
            .to_vec();
        for number in 0..12 {
            let person = fixture.base.person(&format!("p{number}"));
            let role = AccountRole::ALL[number % 4];
            fixture.base.join(&fixture.account, &person, role);
            if number % 3 == 0 {
                fixture
                    .base
                    .assign(&fixture.ana, &fixture.account, &team, &person);
            }
            people.push(person);
        }
        (fixture, people)
    }

    fn collect(fixture: &mut GrantFixture, query: &str) -> BTreeMap<String, Value> {
        let path = format!("{}/subjects?{query}", fixture.path());
        let (mut found, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let page = fixture.base.get(&fixture.ben, &format!("{path}{cursor}"));
            let page = page.expect(200).body;
            assert_eq!(fixture.base.rounds, 2);
            for item in page["items"].as_array().unwrap() {
                let user = item["user"].as_str().unwrap().into();
                assert!(found.insert(user, item.clone()).is_none(), "twice: {item}");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    }

    #[test]
    fn subject_list_agrees_with_each_persons_access() {
        let (mut fixture, people) = fixture_with_members();
        let all = collect(&mut fixture, "");
        for person in &people {
            let path = format!("{}/access?user={}", fixture.path(), person.id());
            let access = fixture.base.get(&fixture.ana, &path).expect(200).body;
            match all.get(&person.id()) {
                Some(listed) => {
                    assert_eq!(listed["reasons"], access["reasons"]);
                    assert_eq!(listed["capabilities"], access["capabilities"]);
                }
                None => assert_eq!(access["reasons"], json!([])),
            }
        }
        assert!(all.len() > 5 && all.len() < people.len());
        for limit in 1..5 {
            assert_eq!(collect(&mut fixture, &format!("limit={limit}")), all);
        }
    }

    #[test]
    fn subject_list_filters_people_and_reasons_by_capability() {
        let (mut fixture, _) = fixture_with_members();
        let all = collect(&mut fixture, "");
        for capability in ProjectRole::Owner.capabilities().iter() {
            let found = collect(&mut fixture, &format!("capability={capability}"));
            let has = |item: &Value| {
                item["capabilities"]
                    .as_array()
                    .unwrap()
                    .contains(&json!(capability))
            };
            let expected: Vec<_> = all
                .iter()
                .filter(|(_, item)| has(item))
                .map(|(user, _)| user)
                .collect();
            assert_eq!(found.keys().collect::<Vec<_>>(), expected, "{capability}");
            for reason in found
                .values()
                .flat_map(|item| item["reasons"].as_array().unwrap())
            {
                assert!(has(reason), "{capability} {reason}");
            }
        }
    }

    #[test]
    fn subject_list_refuses_callers_and_bad_parameters() {
        let mut fixture = GrantFixture::new();
        fixture.base.grant(
            &fixture.ben,
            &fixture.project,
            &fixture.cyd.id(),
            "contributor",
        );
        let path = format!("{}/subjects", fixture.path());
        let refused = fixture.base.get(&fixture.cyd, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.view"]));
        assert_eq!(fixture.base.rounds, 1);
        let eve = fixture.base.person("eve");
        fixture.base.get(&eve, &path).expect_problem("not-found");
        for capability in ["fly", Capability::MemberManage.as_str()] {
            let path = format!("{path}?capability={capability}");
            let answer = fixture.base.get(&fixture.ben, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "capability");
        }
    }
    #[test]
    fn case_60_subject_list_continues_past_pages_without_access() {
        let mut fixture = GrantFixture::new();
        let scope = fixture.account_key(Sort::account()).scope;
        let ana = fixture.ana.clone();
        for _ in 0..=ROWS / 40 {
            let event = EventType::InvitationAccepted;
            fixture.base.write(&ana, scope, event, |context, commit| {
                for position in 0..40 {
                    let member = Member {
                        account_id: fixture.account.parse().unwrap(),
                        membership_id: context.env.id(&format!("membership {position}")),
                        role: AccountRole::Member,
                        status: MemberStatus::Active,
                        invitation_id: None,
                    };
                    commit.create(context.env.id(&format!("user {position}")), member);
                }
            });
        }
        let last = fixture.base.dump().into_iter().rfind(|item| {
            item.key.scope == scope && item.key.sort.as_str().starts_with(Sort::MEMBERS)
        });
        let promote = |member: &mut Member| member.role = AccountRole::Admin;
        fixture.base.amend(&ana, &last.unwrap().key, promote);
        let page = fixture
            .base
            .get(&ana, &format!("{}/subjects", fixture.path()));
        assert!(page.expect(200).text("next_cursor").len() > 1);
        assert_eq!(collect(&mut fixture, "").len(), 3);
    }
}
