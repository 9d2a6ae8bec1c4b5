//! `GET /v1/projects/{project}/subjects`

use alloc::{boxed::Box, string::ToString, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::ReasonView;
use crate::{
    api::{
        Method, PAGE, PageRequest, Parsed, Problem, QueryParameter, Route, schema,
        view::{self, ListView},
    },
    authority::{ProjectRecords, Roster},
    context::Context,
    facts::{Ask, Facts},
    permission::{Access, Capabilities, Capability, ProjectRole, Reason, subjects::subjects},
    storage::Range,
    use_case::{Outcome, UseCase},
    value::{ProjectId, UserId},
};

/// How many rows of members and their teams are looked at for one page.
const ROWS: u32 = 1_000;

/// Lists who has access to a project.
#[derive(Debug)]
struct ListSubjects {
    project: ProjectId,
    capability: Option<Capability>,
    page: PageRequest,
}

/// A person with access, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Subject")]
struct SubjectView {
    user: UserId,
    /// The strongest role.
    role: Option<ProjectRole>,
    /// Everything they may do.
    capabilities: Capabilities,
    /// The records that give them access, or the capability that was asked for.
    reasons: Vec<ReasonView>,
}

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/subjects",
    "list_subjects",
    "Lists the people who have access to a project, by user id, and the records that give it",
    parse,
)
.query(&[
    PAGE[0],
    PAGE[1],
    QueryParameter {
        name: "capability",
        description: "only who has this capability on the project",
        schema: schema::<Capability>,
    },
])
.answers(&[(200, Some(schema::<ListView<SubjectView>>))]);

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
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let range = self.range(context)?;
        let asks = ProjectRecords::asks(self.project, context.user());
        if !facts.has_all(&asks) {
            return Ok(asks);
        }
        self.records(context, facts)?;
        Ok(vec![Ask::Scan(range)])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let records = self.records(context, facts)?;
        let access = records.access(context.env.now);
        let roster = Roster::load(facts, &self.range(context)?)?;
        let everyone = roster.standings(access.account.account);
        let mut found = subjects(access, everyone, self.capability);
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
        model::{EventType, Member, MemberStatus},
        operations::grants::stage::Stage,
        permission::{AccountRole, Capability, ProjectRole},
        storage::Sort,
        testing::Person,
    };

    /// Twelve more people of all roles, some of them in a team that has a grant.
    fn crowd() -> (Stage, Vec<Person>) {
        let mut stage = Stage::new();
        let team = stage.world.team(&stage.ana, &stage.account);
        stage
            .world
            .grant(&stage.ana, &stage.project, &team, "contributor");
        let mut people = [&stage.ana, &stage.ben, &stage.cyd]
            .map(Clone::clone)
            .to_vec();
        for number in 0..12 {
            let person = stage.world.person(&format!("p{number}"));
            let role = AccountRole::ALL[number % 4];
            stage.world.join(&stage.account, &person, role);
            if number % 3 == 0 {
                stage
                    .world
                    .assign(&stage.ana, &stage.account, &team, &person);
            }
            people.push(person);
        }
        (stage, people)
    }

    fn collect(stage: &mut Stage, query: &str) -> BTreeMap<String, Value> {
        let path = format!("{}/subjects?{query}", stage.path());
        let (mut found, mut cursor) = (BTreeMap::new(), String::new());
        loop {
            let page = stage.world.get(&stage.ben, &format!("{path}{cursor}"));
            let page = page.expect(200).body;
            assert_eq!(stage.world.waves, 2);
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
    fn the_list_agrees_with_what_everyone_is_told_on_pages_of_any_size() {
        let (mut stage, people) = crowd();
        let all = collect(&mut stage, "");
        for person in &people {
            let path = format!("{}/access?user={}", stage.path(), person.id());
            let access = stage.world.get(&stage.ana, &path).expect(200).body;
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
            assert_eq!(collect(&mut stage, &format!("limit={limit}")), all);
        }
    }

    #[test]
    fn a_capability_leaves_who_has_it_and_the_records_that_give_it() {
        let (mut stage, _) = crowd();
        let all = collect(&mut stage, "");
        for capability in ProjectRole::Owner.capabilities().iter() {
            let found = collect(&mut stage, &format!("capability={capability}"));
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
    fn refusals() {
        let mut stage = Stage::new();
        stage
            .world
            .grant(&stage.ben, &stage.project, &stage.cyd.id(), "contributor");
        let path = format!("{}/subjects", stage.path());
        let refused = stage.world.get(&stage.cyd, &path).expect(403);
        assert_eq!(refused.body["missing"], json!(["grant.view"]));
        assert_eq!(stage.world.waves, 1);
        let eve = stage.world.person("eve");
        stage.world.get(&eve, &path).expect_problem("not-found");
        for capability in ["fly", Capability::MemberManage.as_str()] {
            let path = format!("{path}?capability={capability}");
            let answer = stage.world.get(&stage.ben, &path).expect(400);
            assert_eq!(answer.body["errors"][0]["field"], "capability");
        }
    }
    #[test]
    fn case_60_the_list_goes_on_past_pages_of_members_without_access() {
        let mut stage = Stage::new();
        let scope = stage.account_key(Sort::account()).scope;
        let ana = stage.ana.clone();
        for _ in 0..=ROWS / 40 {
            let event = EventType::InvitationAccepted;
            stage.world.write(&ana, scope, event, |context, commit| {
                for position in 0..40 {
                    let member = Member {
                        account_id: stage.account.parse().unwrap(),
                        membership_id: context.env.id(&format!("membership {position}")),
                        role: AccountRole::Member,
                        status: MemberStatus::Active,
                        invitation_id: None,
                    };
                    commit.create(context.env.id(&format!("user {position}")), member);
                }
            });
        }
        let last = stage.world.dump().into_iter().rfind(|item| {
            item.key.scope == scope && item.key.sort.as_str().starts_with(Sort::MEMBERS)
        });
        let promote = |member: &mut Member| member.role = AccountRole::Admin;
        stage.world.amend(&ana, &last.unwrap().key, promote);
        let page = stage.world.get(&ana, &format!("{}/subjects", stage.path()));
        assert!(page.expect(200).text("next_cursor").len() > 1);
        assert_eq!(collect(&mut stage, "").len(), 3);
    }
}
