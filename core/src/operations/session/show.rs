//! `GET /v1/session`

use alloc::{boxed::Box, string::String, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    UserView,
    overview::{Candidates, Overview},
    position::{Position, Stage},
};
use crate::{
    operation::{
        Budget, Context, Example, FactError, Facts, Method, Outcome, PAGE, PageRequest, Parsed,
        Problem, QueryParameter, ReadRequest, Reply, Route, Success, UseCase,
        authority::{AccountRecords, ProjectRecords},
        schema,
    },
    operations::{
        accounts::{self, AccountView},
        grants::{self, GrantView},
        preferences::{self, PreferencesView},
        projects::{self, ProjectView},
    },
    record::{Grant, Record},
    storage::{Scope, Sort},
    value::{AccountId, AccountRole, Capabilities, Name, Principal, TeamId, TeamRole, canonical},
};

/// A page takes at most four rounds of at most 50 reads each, for any number of memberships.
///
/// A page shows at most 25 accounts; `accounts_next_cursor` leads to the next ones. It reads at
/// most 50 projects of these accounts, starting with projects granted to the caller, and shows the
/// ones that the caller may view. `projects_next_cursor` leads to the next ones. A page may be
/// short or even empty before the last one. `grants` are the caller's own live grants on the
/// projects that were read. All teams of the accounts are shown, the first 25 with their names.
/// Every row comes from a strong read and passes the permission engine. Indexes only say which rows
/// to read.
struct ShowSession {
    page: PageRequest,
}

/// The cursor is the only query parameter, because all pages have one size.
const QUERY: [QueryParameter; 1] = [PAGE[1]];

pub(super) const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/session",
    "show_session",
    "Show the caller with accounts, teams, projects and grants",
    parse,
)
.describes(
    "A page covers at most 25 accounts and 50 projects; `accounts_next_cursor` and \
     `projects_next_cursor` lead on. Projects granted to the caller come first. A page may be \
     short, even empty, before the last one. `grants` are the caller's live grants on the \
     projects of this page.",
)
.budget(Budget::of(4, 0))
.query(&QUERY)
.answers(&[Success::ok(
    schema::<SessionView>,
    Example::Members(&[
        ("user", Example::Text(super::EXAMPLE)),
        ("accounts", Example::List(&ACCOUNT)),
        ("accounts_next_cursor", Example::Text("null")),
        ("teams", Example::Text("[]")),
        ("projects", Example::List(&Example::Text(projects::EXAMPLE))),
        ("projects_next_cursor", Example::Text("null")),
        ("grants", Example::List(&Example::Text(grants::EXAMPLE))),
        ("preferences", Example::Text(preferences::EXAMPLE)),
    ]),
)]);

const ACCOUNT: Example = Example::With(
    accounts::EXAMPLE,
    &[
        ("role", r#""owner""#),
        (
            "capabilities",
            r#"["account.view", "member.view", "team.view", "project.create"]"#,
        ),
    ],
);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let page = request.page("")?;
    Ok(Box::new(ShowSession { page }))
}

/// The caller, with everything they belong to.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionView {
    user: UserView,
    /// Accounts of this page.
    accounts: Vec<SessionAccount>,
    /// The `cursor` for further accounts. Null on the last page.
    accounts_next_cursor: Option<String>,
    /// The caller's teams in these accounts.
    teams: Vec<SessionTeam>,
    /// Projects of these accounts that the caller can see.
    projects: Vec<ProjectView>,
    /// The `cursor` for further projects. Null on the last page.
    projects_next_cursor: Option<String>,
    /// The caller's own live grants on the projects that this page looked at.
    grants: Vec<GrantView>,
    preferences: PreferencesView,
}

/// An account that the caller is a member of.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionAccount {
    #[serde(flatten)]
    account: AccountView,
    /// The caller's role. Null if the account confers nothing, such as when it is closed.
    role: Option<AccountRole>,
    /// What the caller may do in the account.
    capabilities: Capabilities,
}

/// A team that the caller is in.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionTeam {
    id: TeamId,
    account_id: AccountId,
    /// Left out beyond the first 25 teams.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Name>,
    role: TeamRole,
}

impl ShowSession {
    fn overview<'a>(
        &self,
        context: &'a Context<'a>,
        facts: &'a Facts,
    ) -> Result<Overview<'a>, Problem> {
        Ok(Overview {
            context,
            facts,
            position: Position::of(&self.page, context)?,
        })
    }
}

impl UseCase for ShowSession {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        Ok(self.overview(context, facts)?.reads()?)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let overview = self.overview(context, facts)?;
        let preferences = Scope::User(context.user()).key(Sort::preferences());
        let preferences = facts.record(&preferences)?;
        let memberships = overview.accounts()?;
        let candidates = overview.candidates()?;
        let records = project_records(&overview, &candidates)?;
        let cursor = |next: Option<Position>| next.map(|next| next.cursor(&self.page, context));
        let view = SessionView {
            user: UserView::from(&super::profile(context, facts)?),
            accounts: memberships.iter().filter_map(account_row).collect(),
            accounts_next_cursor: cursor(overview.next_window()?),
            teams: team_rows(&overview, &memberships)?,
            projects: records
                .iter()
                .filter_map(|records| project_row(context, records))
                .collect(),
            projects_next_cursor: cursor(candidates.next),
            grants: records
                .iter()
                .flat_map(|records| grant_rows(context, records))
                .collect(),
            preferences: PreferencesView::from(preferences.as_ref()),
        };
        Ok(Outcome::Reply(Reply::ok(canonical::to_value(&view))))
    }
}

/// The visible projects of this page.
fn project_records(
    overview: &Overview<'_>,
    candidates: &Candidates,
) -> Result<Vec<ProjectRecords>, FactError> {
    let before = match &overview.position.stage {
        Stage::Granted(after) => *after,
        Stage::All(..) => candidates.last_grant,
    };
    let granted = candidates.granted.iter().map(|project| (project, before));
    let last = candidates.last_grant;
    let others = candidates.others.iter().map(|project| (project, last));
    granted
        .chain(others)
        .filter_map(|(project, before)| overview.project(*project, before).transpose())
        .collect()
}

fn account_row(records: &AccountRecords) -> Option<SessionAccount> {
    let access = records.access();
    Some(SessionAccount {
        account: AccountView::from(records.account.as_ref()?),
        role: access.role(),
        capabilities: access.effective(),
    })
}

fn team_rows(
    overview: &Overview<'_>,
    memberships: &[AccountRecords],
) -> Result<Vec<SessionTeam>, FactError> {
    let mut teams = Vec::new();
    for records in memberships {
        for row in &records.teams {
            if let Some(role) = records.access().team_role(row.body.team_id) {
                teams.push(SessionTeam {
                    id: row.body.team_id,
                    account_id: row.body.account_id,
                    name: overview.team_name(&row.body)?,
                    role,
                });
            }
        }
    }
    Ok(teams)
}

fn project_row(context: &Context<'_>, records: &ProjectRecords) -> Option<ProjectView> {
    let access = records.access(context.env.now);
    let project = records.project.as_ref()?;
    Some(ProjectView::with_access(project, &access))
}

fn grant_rows(context: &Context<'_>, records: &ProjectRecords) -> Vec<GrantView> {
    let own = Principal::User(context.user());
    let stay = records.account_records.member.as_ref();
    let stay = stay.map(|member| member.body.membership_id);
    let current = |grant: &&Record<Grant>| {
        grant.body.principal == own
            && grant.body.membership_id == stay
            && grant.body.is_live(context.env.now)
    };
    let row = |grant| GrantView::at(grant, context.env.now);
    records.grants.iter().filter(current).map(row).collect()
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, format};

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Fixture, Person};

    const PATH: &str = "/v1/session";

    /// Reads a page of the session and checks its budget.
    fn page(fixture: &mut Fixture, person: &Person, cursor: Option<&str>) -> Value {
        let query = cursor.map(|cursor| format!("?cursor={cursor}"));
        let path = format!("{PATH}{}", query.unwrap_or_default());
        let body = fixture.get(person, &path).expect(200).body;
        assert!(fixture.rounds <= 4 && fixture.widest <= 50);
        body
    }

    fn ids(rows: &Value) -> Vec<String> {
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().into()).collect()
    }

    /// All rows of one list over all pages. Asserts that no row appears twice.
    fn all_rows(fixture: &mut Fixture, person: &Person, list: &str) -> BTreeSet<String> {
        let (mut seen, mut cursor) = (BTreeSet::new(), None);
        loop {
            let body = page(fixture, person, cursor.as_deref());
            for id in ids(&body[list]) {
                assert!(seen.insert(id.clone()), "{id} is shown twice");
            }
            match body[format!("{list}_next_cursor")].as_str() {
                Some(next) => cursor = Some(String::from(next)),
                None => return seen,
            }
        }
    }

    fn projects(fixture: &mut Fixture, owner: &Person, account: &str, count: usize) -> Vec<String> {
        (0..count)
            .map(|_| fixture.project(owner, account))
            .collect()
    }

    #[test]
    fn session_of_a_new_person_is_empty() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let body = page(&mut fixture, &ana, None);
        assert_eq!(body["user"]["id"], ana.id());
        assert_eq!(body["user"]["email"], "ana@example.com");
        assert!(body["user"].get("identities").is_none());
        for list in ["accounts", "teams", "projects", "grants"] {
            assert_eq!(body[list], json!([]));
        }
        assert!(body["projects_next_cursor"].is_null() && body["accounts_next_cursor"].is_null());
        assert_eq!(body["preferences"], json!({ "rules": [] }));
    }

    #[test]
    fn session_shows_memberships_with_capabilities() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        let team = fixture.team(&ana, &account);
        fixture.join(&account, &ben, AccountRole::Guest);
        let row = format!("/v1/accounts/{account}/teams/{team}/members/{}", ben.id());
        fixture
            .put(&ana, &row, json!({ "role": "member" }))
            .expect(201);
        let [own, teams, hidden] = [(); 3].map(|()| fixture.project(&ana, &account));
        let grant = fixture.grant(&ana, &own, &ben.id(), "contributor");
        fixture.grant(&ana, &teams, &team, "viewer");
        let body = page(&mut fixture, &ben, None);
        assert_eq!(ids(&body["accounts"]), [account.as_str()]);
        assert_eq!(body["accounts"][0]["role"], "guest");
        assert_eq!(body["accounts"][0]["capabilities"], json!(["account.view"]));
        assert_eq!(
            body["teams"],
            json!([{ "id": team, "account_id": account, "name": "Review", "role": "member" }])
        );
        assert_eq!(ids(&body["projects"]), [own, teams]);
        assert_eq!(body["projects"][0]["role"], "contributor");
        assert_eq!(body["projects"][1]["role"], "viewer");
        assert_eq!(ids(&body["grants"]), [grant]);
        assert!(!ids(&body["projects"]).contains(&hidden));
    }

    #[test]
    fn session_of_a_guest_starts_with_the_granted_project() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        let all = projects(&mut fixture, &ana, &account, 70);
        fixture.join(&account, &ben, AccountRole::Guest);
        let last = all.last().unwrap();
        fixture.grant(&ana, last, &ben.id(), "viewer");
        let body = page(&mut fixture, &ben, None);
        assert_eq!(ids(&body["projects"]), [last.as_str()]);
        assert_eq!(all_rows(&mut fixture, &ben, "projects").len(), 1);
    }

    #[test]
    fn session_shows_every_project_once() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        let all = projects(&mut fixture, &ana, &account, 120);
        // The owner created all projects, so the owner has a grant on each.
        let seen = all_rows(&mut fixture, &ana, "projects");
        assert_eq!(seen, all.iter().cloned().collect());
        fixture.join(&account, &ben, AccountRole::Admin);
        for project in all.iter().step_by(2) {
            fixture.grant(&ana, project, &ben.id(), "viewer");
            fixture.grant(&ana, project, &ben.id(), "commenter");
        }
        assert_eq!(all_rows(&mut fixture, &ben, "projects"), seen);
    }

    #[test]
    fn session_windows_show_further_accounts_with_projects() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let mut accounts = BTreeSet::new();
        let mut all = BTreeSet::new();
        for _ in 0..30 {
            let account = fixture.account(&ana);
            all.extend(projects(&mut fixture, &ana, &account, 2));
            accounts.insert(account);
        }
        let first = page(&mut fixture, &ana, None);
        assert_eq!(first["accounts"].as_array().unwrap().len(), 25);
        assert_eq!(all_rows(&mut fixture, &ana, "accounts"), accounts);
        assert_eq!(all_rows(&mut fixture, &ana, "projects"), all);
    }

    #[test]
    fn case_21_session_lists_nothing_of_others() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        let project = fixture.project(&ana, &account);
        fixture.join(&account, &ben, AccountRole::Member);
        fixture.grant(&ana, &project, &ben.id(), "viewer");
        assert_eq!(ids(&page(&mut fixture, &ben, None)["projects"]), [project]);
        let path = format!("/v1/accounts/{account}/members/{}", ben.id());
        fixture
            .patch(&ana, &path, json!({ "status": "suspended" }))
            .expect(200);
        let body = page(&mut fixture, &ben, None);
        for list in ["accounts", "teams", "projects", "grants"] {
            assert_eq!(body[list], json!([]), "{list}");
        }
    }

    #[test]
    fn case_19_and_20_foreign_or_edited_cursor_is_refused() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        projects(&mut fixture, &ana, &account, 60);
        let cursor = page(&mut fixture, &ana, None)["projects_next_cursor"].clone();
        let cursor = cursor.as_str().unwrap();
        let edited = format!("A{cursor}");
        for (person, cursor) in [(&ben, cursor), (&ana, edited.as_str()), (&ana, "x")] {
            let answer = fixture.get(person, &format!("{PATH}?cursor={cursor}"));
            assert_eq!(answer.expect(400).body["errors"][0]["field"], "cursor");
        }
        let answer = fixture.get(&ana, &format!("{PATH}?limit=5")).expect(400);
        assert_eq!(answer.body["errors"][0]["field"], "limit");
    }
}
