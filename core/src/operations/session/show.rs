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
    api::{Method, PAGE, PageRequest, Parsed, Problem, QueryParameter, Route, schema},
    authority::{AccountRecords, ProjectRecords},
    canonical,
    context::Context,
    facts::{Ask, FactError, Facts},
    model::{Grant, Principal, Record},
    operations::{
        accounts::AccountView, grants::GrantView, preferences::PreferencesView,
        projects::ProjectView,
    },
    permission::{AccountRole, Capabilities, TeamRole},
    storage::{Scope, Sort},
    use_case::{Outcome, Reply, UseCase},
    value::{AccountId, Name, TeamId},
};

/// Shows who calls and what they belong to, in at most four waves of at most 50 reads each, however
/// much that is.
///
/// A page speaks of at most 25 accounts: `accounts_next_cursor` leads to the next ones. Of their
/// projects it looks at no more than 50, those granted to the caller first, and shows what the
/// caller can view: `projects_next_cursor` leads on, and a page may be short, even empty, before the
/// last. `grants` are the caller's own live grants on the projects looked at. All teams of the
/// accounts are shown, the first 25 with their names. Every row was read strongly and went through the
/// permission engine; indexes only tell where to look.
struct ShowSession {
    page: PageRequest,
}

/// The cursor is the only parameter: pages have one size.
const QUERY: [QueryParameter; 1] = [PAGE[1]];

/// The route.
pub const ROUTE: Route = Route::new(
    Method::Get,
    "/v1/session",
    "show_session",
    "Shows who calls, their accounts, teams, projects and grants",
    parse,
)
.query(&QUERY)
.answers(&[(200, Some(schema::<SessionView>))]);

fn parse(request: &Parsed<'_>) -> Result<Box<dyn UseCase>, Problem> {
    let page = request.page("")?;
    Ok(Box::new(ShowSession { page }))
}

/// The session, as answered.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionView {
    user: UserView,
    accounts: Vec<SessionAccount>,
    accounts_next_cursor: Option<String>,
    teams: Vec<SessionTeam>,
    projects: Vec<ProjectView>,
    projects_next_cursor: Option<String>,
    grants: Vec<GrantView>,
    preferences: PreferencesView,
}

/// An account the caller is a member of.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionAccount {
    #[serde(flatten)]
    account: AccountView,
    role: Option<AccountRole>,
    capabilities: Capabilities,
}

/// A team the caller is in.
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
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        Ok(self.overview(context, facts)?.asks()?)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let overview = self.overview(context, facts)?;
        let preferences = Scope::User(context.user()).key(Sort::preferences());
        let preferences = facts.record(&preferences)?;
        let standings = overview.accounts()?;
        let candidates = overview.candidates()?;
        let records = project_records(&overview, &candidates)?;
        let cursor = |next: Option<Position>| next.map(|next| next.cursor(&self.page, context));
        let view = SessionView {
            user: UserView::from(&super::profile(context, facts)?),
            accounts: standings.iter().filter_map(account_row).collect(),
            accounts_next_cursor: cursor(overview.next_window()?),
            teams: team_rows(&overview, &standings)?,
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

/// The records of the projects that this page shows.
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

fn account_row(standing: &AccountRecords) -> Option<SessionAccount> {
    let access = standing.access();
    Some(SessionAccount {
        account: AccountView::from(standing.account.as_ref()?),
        role: access.role(),
        capabilities: access.effective(),
    })
}

fn team_rows(
    overview: &Overview<'_>,
    standings: &[AccountRecords],
) -> Result<Vec<SessionTeam>, FactError> {
    let mut teams = Vec::new();
    for standing in standings {
        for row in &standing.teams {
            if let Some(role) = standing.access().team_role(row.body.team_id) {
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
    let stay = records.standing.member.as_ref();
    let stay = stay.map(|member| member.body.membership_id);
    let current = |grant: &&Record<Grant>| {
        grant.body.principal == own
            && grant.body.membership_id == stay
            && grant.body.is_live(context.env.now)
    };
    let row = |grant| GrantView::at(grant, context.env.now);
    records.grants.iter().filter(current).map(row).collect()
}
