//! The access matrix: everybody there can be asks everything there is.
//!
//! A cell must not spoil a later one. So whoever may, is refused for a stale ETag on every route that takes
//! `If-Match`, which is all that change or end a thing; the others read, or make one thing more. Who sees the
//! project by its visibility asks while it is open to the account, and nobody else does.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use serde_json::{Value, json};
use wm_core::{
    operation::{Precondition, Requires, Route},
    value::{AccountRole, Capabilities, ProjectRole, TeamRole, Timestamp},
};

use crate::{
    client::{Answered, Person},
    golden,
    harness::Harness,
    suite::{
        fixture::{Fixture, takes_body},
        refusals::private_routes,
    },
};

/// What some routes have against a request of this suite, whoever sends it.
const OTHERWISE: &[(&str, &str)] = &[
    // The tokens in these bodies are none.
    ("establish_address", "400 invalid-request"),
    ("link_identity", "400 invalid-request"),
    ("accept_invitation", "400 invitation-invalid"),
    ("decline_invitation", "400 invitation-invalid"),
    // The version is available, and the derived output still waits for its bytes.
    ("reissue_version_upload", "409 conflict"),
    ("complete_derived", "409 conflict"),
    ("download_derived", "409 conflict"),
];

/// Where somebody stands.
#[derive(Debug, Clone, Copy)]
enum Membership {
    /// In an account of their own only.
    Stranger,
    /// Was an admin, and an owner of the project, until they were removed.
    Removed,
    /// The same, until they were suspended.
    Suspended,
    /// In the account, and perhaps on the project.
    In(AccountRole, Way),
}

/// How somebody comes to the project, beside their role in the account.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Not at all.
    None,
    /// By a grant of an owner's role, which has ended.
    Expired,
    Granted(ProjectRole),
    /// By the grant of the estate's team, which is a viewer's.
    Team(TeamRole),
    /// By its visibility, as a viewer.
    Visibility,
}

use Membership::{In, Removed, Stranger, Suspended};

/// Everybody, from who may least to who may most.
const EVERYBODY: &[(&str, Membership)] = &[
    ("stranger", Stranger),
    ("removed", Removed),
    ("suspended", Suspended),
    ("guest", In(AccountRole::Guest, Way::None)),
    ("expired", In(AccountRole::Guest, Way::Expired)),
    ("viewer", guest(ProjectRole::Viewer)),
    (
        "team-member",
        In(AccountRole::Guest, Way::Team(TeamRole::Member)),
    ),
    (
        "team-lead",
        In(AccountRole::Guest, Way::Team(TeamRole::Lead)),
    ),
    ("commenter", guest(ProjectRole::Commenter)),
    ("contributor", guest(ProjectRole::Contributor)),
    ("manager", guest(ProjectRole::Manager)),
    ("project-owner", guest(ProjectRole::Owner)),
    ("member", In(AccountRole::Member, Way::None)),
    ("by-visibility", In(AccountRole::Member, Way::Visibility)),
    ("admin", In(AccountRole::Admin, Way::None)),
    ("owner", In(AccountRole::Owner, Way::None)),
];

/// A guest of the account with a grant.
const fn guest(role: ProjectRole) -> Membership {
    In(AccountRole::Guest, Way::Granted(role))
}

impl Way {
    /// The role on the project that goes with it.
    fn role(self) -> Option<ProjectRole> {
        match self {
            Self::None | Self::Expired => None,
            Self::Granted(role) => Some(role),
            Self::Team(_) | Self::Visibility => Some(ProjectRole::Viewer),
        }
    }
}

impl Membership {
    /// The role they are brought in with, and the way to the project they are given.
    fn given(self) -> Option<(AccountRole, Way)> {
        match self {
            Stranger => None,
            Removed | Suspended => Some((AccountRole::Admin, Way::Granted(ProjectRole::Owner))),
            In(role, way) => Some((role, way)),
        }
    }

    /// The role that counts.
    fn role(self) -> Option<AccountRole> {
        match self {
            In(role, _) => Some(role),
            Stranger | Removed | Suspended => None,
        }
    }

    /// The role in the estate's team.
    fn team_role(self) -> Option<TeamRole> {
        match self {
            In(_, Way::Team(role)) => Some(role),
            _ => None,
        }
    }

    fn in_account(self) -> Capabilities {
        self.role()
            .map_or(Capabilities::NONE, AccountRole::capabilities)
    }

    fn on_project(self) -> Capabilities {
        let In(role, way) = self else {
            return Capabilities::NONE;
        };
        let roles = [role.project_role(), way.role()].into_iter().flatten();
        roles.fold(Capabilities::NONE, |sum, role| {
            sum.union(role.capabilities())
        })
    }

    /// Whether a place in the team is enough.
    fn may_by_team(self, requires: Requires) -> bool {
        match requires {
            Requires::TeamMember(_) => self.team_role().is_some(),
            Requires::TeamLead(_) => self.team_role() == Some(TeamRole::Lead),
            _ => false,
        }
    }

    fn is_owner(self) -> bool {
        self.role() == Some(AccountRole::Owner)
    }
}

/// What a caller is answered by the table of roles and by what the route requires: nothing of it comes
/// from a surface. The member that paths name is the owner of the account.
fn expected(route: &Route, standing: Membership) -> String {
    let requires = route.requires;
    let Some(capability) = requires.capability() else {
        return granted(route);
    };
    if standing.may_by_team(requires) {
        return granted(route);
    }
    let has = match requires {
        Requires::Project(_) => standing.on_project(),
        _ => standing.in_account(),
    };
    if has.is_empty() {
        return "404 not-found".to_owned();
    }
    if !has.has(capability) {
        return format!("403 forbidden {capability}");
    }
    if matches!(requires, Requires::HigherRole(_)) && !standing.is_owner() {
        return "403 escalation".to_owned();
    }
    granted(route)
}

/// What whoever may is answered.
fn granted(route: &Route) -> String {
    let mut otherwise = OTHERWISE.iter();
    if let Some((_, cell)) = otherwise.find(|(known, _)| *known == route.operation) {
        return (*cell).to_owned();
    }
    match route.precondition {
        Precondition::Ignored => route.answers[0].status.to_string(),
        Precondition::Optional | Precondition::Required => "412 precondition-failed".to_owned(),
    }
}

/// What somebody was answered: the status, the kind of problem, and the capability that is missing.
fn cell(answered: &Answered) -> String {
    let mut cell = answered.status.to_string();
    if let Some(kind) = answered.body["type"].as_str() {
        let kind = kind.strip_prefix("urn:wm:problem:").unwrap();
        cell = format!("{cell} {kind}");
        if kind == "forbidden" {
            let missing = answered.body["missing"].as_array().unwrap();
            let missing: Vec<_> = missing.iter().filter_map(Value::as_str).collect();
            cell = format!("{cell} {}", missing.join(" "));
        }
    }
    cell
}

/// Brings everybody to where they stand, as people come there.
async fn everybody<'a, H: Harness>(
    ana: &Person<'a, H>,
    estate: &Fixture,
) -> Vec<(&'static str, Membership, Person<'a, H>)> {
    let invitations = format!("/v1/accounts/{}/invitations", estate.id("account"));
    let person = |name| Person::new(ana.harness(), name);
    let people: Vec<_> = EVERYBODY
        .iter()
        .map(|(name, standing)| (*name, *standing, person(name)))
        .collect();
    for (_, standing, person) in &people {
        if let Some((role, _)) = standing.given() {
            let body = json!({ "email": person.email, "role": role });
            ana.post(&invitations, body).await.expect(201);
        }
    }
    for (_, standing, person) in &people {
        match standing.given() {
            None => drop(person.project(&person.account().await).await),
            Some((_, way)) => bring(ana, estate, *standing, way, person).await,
        }
    }
    people
}

/// Brings somebody who is invited to where they stand.
async fn bring<H: Harness>(
    ana: &Person<'_, H>,
    estate: &Fixture,
    standing: Membership,
    way: Way,
    person: &Person<'_, H>,
) {
    let (account, project) = (estate.id("account"), estate.id("project"));
    let id = person.id().await;
    let token = json!({ "token": person.invitation_token().await });
    person
        .post("/v1/invitations/accept", token)
        .await
        .expect(200);
    let account = format!("/v1/accounts/{account}");
    let member = format!("{account}/members/{id}");
    match way {
        Way::None | Way::Visibility => {}
        Way::Expired => {
            let joined = ana.get(&member).await.expect(200).text("created_at");
            grant_for_a_moment(ana, estate, &id, &joined).await;
        }
        Way::Granted(role) => drop(ana.grant(project, &id, role.as_str()).await),
        Way::Team(role) => {
            let place = format!("{account}/teams/{}/members/{id}", estate.id("team"));
            ana.put(&place, json!({ "role": role })).await.expect(201);
        }
    }
    match standing {
        Removed => drop(ana.delete(&member).await.expect(204)),
        Suspended => {
            let body = json!({ "status": "suspended" });
            ana.patch(&member, body).await.expect(200);
        }
        Stranger | In(..) => {}
    }
}

/// Grants what ends at once, and returns when it has. On every surface but memory the clock is the machine's.
async fn grant_for_a_moment<H: Harness>(
    ana: &Person<'_, H>,
    estate: &Fixture,
    user: &str,
    now: &str,
) {
    const MOMENT: Duration = Duration::from_secs(4);
    let grants = format!("/v1/projects/{}/grants", estate.id("project"));
    let now: Timestamp = now.parse().unwrap();
    let body = json!({
        "principal": { "type": "user", "id": user },
        "role": "owner",
        "expires_at": now.after(MOMENT),
    });
    let id = ana.post(&grants, body).await.expect(201).id();
    if ana.harness().pass(MOMENT).is_err() {
        tokio::time::sleep(MOMENT).await;
    }
    let ended = ana.get(&format!("{grants}/{id}")).await.expect(200);
    assert_eq!(ended.body["status"], "expired");
}

/// Opens the project to the account, or closes it.
async fn set_visibility<H: Harness>(ana: &Person<'_, H>, estate: &Fixture, visibility: &str) {
    let project = format!("/v1/projects/{}", estate.id("project"));
    let body = json!({ "visibility": visibility });
    ana.patch(&project, body).await.expect(200);
}

/// Asks a route of the estate, with a mark that nothing has.
async fn ask<H: Harness>(person: &Person<'_, H>, estate: &Fixture, route: &Route) -> Answered {
    let stale = format!("\"{}\"", "0".repeat(64));
    let headers: &[_] = match route.precondition {
        Precondition::Ignored => &[],
        Precondition::Optional | Precondition::Required => &[("if-match", stale.as_str())],
    };
    let body = takes_body(route).then(|| estate.body(route));
    let method = route.method.as_str();
    person
        .send(method, &estate.path(route), headers, body)
        .await
}

/// Everybody asks everything: each is answered what the table of roles says, and all of it is what was
/// agreed on.
pub async fn the_access_matrix<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let estate = Fixture::found(&ana).await;
    let mut matrix: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (name, standing, person) in everybody(&ana, &estate).await {
        let by_visibility = matches!(standing, In(_, Way::Visibility));
        if by_visibility {
            set_visibility(&ana, &estate, "account").await;
        }
        for route in private_routes() {
            let answered = cell(&ask(&person, &estate, route).await);
            let by_role = expected(route, standing);
            let operation = route.operation;
            let surface = surface.name();
            assert_eq!(answered, by_role, "{surface}: {name} asked `{operation}`");
            matrix.insert((operation, name), answered);
        }
        if by_visibility {
            set_visibility(&ana, &estate, "private").await;
        }
    }
    golden::check("attacks.txt", &table(&matrix));
}

/// For each operation each answer once, and who gets it, from who may least to who may most.
fn table(matrix: &BTreeMap<(&str, &str), String>) -> String {
    let mut text = String::from("What everybody is answered who asks with a stale ETag\n");
    for route in private_routes() {
        writeln!(text, "\n{}", route.operation).unwrap();
        let mut answers: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, _) in EVERYBODY {
            let answer = matrix[&(route.operation, *name)].as_str();
            match answers.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, names)) => names.push(name),
                None => answers.push((answer, vec![name])),
            }
        }
        for (answer, names) in answers {
            writeln!(text, "  {answer:<33} {}", names.join(" ")).unwrap();
        }
    }
    text
}
