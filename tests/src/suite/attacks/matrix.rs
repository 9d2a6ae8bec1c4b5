//! The access matrix: every kind of caller sends every request.
//!
//! A cell must not affect a later one. So on routes with `If-Match`, which are all routes that
//! change or end an object, permitted callers are refused for a stale ETag. On other routes they
//! read, or create one more object. The project is open to the account only while callers with access
//! by visibility send their requests.

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

/// Routes that refuse the requests of this suite from any caller.
const OTHERWISE: &[(&str, &str)] = &[
    // The tokens in these bodies are malformed.
    ("establish_address", "400 invalid-request"),
    ("link_identity", "400 invalid-request"),
    ("accept_invitation", "400 invitation-invalid"),
    ("decline_invitation", "400 invitation-invalid"),
    // The version is available already, and the derived output still has no bytes.
    ("reissue_version_upload", "409 conflict"),
    ("complete_derived", "409 conflict"),
    ("download_derived", "409 conflict"),
];

/// The relation of a caller to the account and the project.
#[derive(Debug, Clone, Copy)]
enum Membership {
    /// A member of their own account only.
    Stranger,
    /// A removed member, earlier an admin and an owner of the project.
    Removed,
    /// A suspended member, earlier an admin and an owner of the project.
    Suspended,
    /// A member of the account, possibly with access to the project.
    In(AccountRole, Way),
}

/// The way in which a caller has access to the project, besides their account role.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// No access.
    None,
    /// By an expired grant with the role owner.
    Expired,
    Granted(ProjectRole),
    /// By the grant of the fixture's team, with the role viewer.
    Team(TeamRole),
    /// By the visibility of the project, as a viewer.
    Visibility,
}

use Membership::{In, Removed, Stranger, Suspended};

/// All callers, from the fewest to the most rights.
const CALLERS: &[(&str, Membership)] = &[
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
    /// The resulting role on the project.
    fn role(self) -> Option<ProjectRole> {
        match self {
            Self::None | Self::Expired => None,
            Self::Granted(role) => Some(role),
            Self::Team(_) | Self::Visibility => Some(ProjectRole::Viewer),
        }
    }
}

impl Membership {
    /// The role of their invitation, and the way in which they get access.
    fn given(self) -> Option<(AccountRole, Way)> {
        match self {
            Stranger => None,
            Removed | Suspended => Some((AccountRole::Admin, Way::Granted(ProjectRole::Owner))),
            In(role, way) => Some((role, way)),
        }
    }

    /// The effective account role.
    fn role(self) -> Option<AccountRole> {
        match self {
            In(role, _) => Some(role),
            Stranger | Removed | Suspended => None,
        }
    }

    /// The role in the fixture's team.
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

    /// Whether membership in the team is enough.
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

/// The expected answer, from the role table and from the route's requirement. No part comes from a
/// surface. The member in paths is the owner of the account.
fn expected(route: &Route, membership: Membership) -> String {
    let requires = route.requires;
    let Some(capability) = requires.capability() else {
        return granted(route);
    };
    if membership.may_by_team(requires) {
        return granted(route);
    }
    let has = match requires {
        Requires::Project(_) => membership.on_project(),
        _ => membership.in_account(),
    };
    if has.is_empty() {
        return "404 not-found".to_owned();
    }
    if !has.has(capability) {
        return format!("403 forbidden {capability}");
    }
    if matches!(requires, Requires::HigherRole(_)) && !membership.is_owner() {
        return "403 escalation".to_owned();
    }
    granted(route)
}

/// The answer to a permitted caller.
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

/// The received answer: the status, the type of the problem and the missing capability.
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

/// Brings all callers into their relation through regular requests.
async fn callers<'a, H: Harness>(
    ana: &Person<'a, H>,
    fixture: &Fixture,
) -> Vec<(&'static str, Membership, Person<'a, H>)> {
    let invitations = format!("/v1/accounts/{}/invitations", fixture.id("account"));
    let person = |name| Person::new(ana.harness(), name);
    let people: Vec<_> = CALLERS
        .iter()
        .map(|(name, membership)| (*name, *membership, person(name)))
        .collect();
    for (_, membership, person) in &people {
        if let Some((role, _)) = membership.given() {
            let body = json!({ "email": person.email, "role": role });
            ana.post(&invitations, body).await.expect(201);
        }
    }
    for (_, membership, person) in &people {
        match membership.given() {
            None => drop(person.project(&person.account().await).await),
            Some((_, way)) => bring(ana, fixture, *membership, way, person).await,
        }
    }
    people
}

/// Brings an invited person into their relation.
async fn bring<H: Harness>(
    ana: &Person<'_, H>,
    fixture: &Fixture,
    membership: Membership,
    way: Way,
    person: &Person<'_, H>,
) {
    let (account, project) = (fixture.id("account"), fixture.id("project"));
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
            grant_for_a_moment(ana, fixture, &id, &joined).await;
        }
        Way::Granted(role) => drop(ana.grant(project, &id, role.as_str()).await),
        Way::Team(role) => {
            let place = format!("{account}/teams/{}/members/{id}", fixture.id("team"));
            ana.put(&place, json!({ "role": role })).await.expect(201);
        }
    }
    match membership {
        Removed => drop(ana.delete(&member).await.expect(204)),
        Suspended => {
            let body = json!({ "status": "suspended" });
            ana.patch(&member, body).await.expect(200);
        }
        Stranger | In(..) => {}
    }
}

/// Grants a role that expires at once, and returns after the expiry. Except for memory, surfaces
/// use the machine's clock.
async fn grant_for_a_moment<H: Harness>(
    ana: &Person<'_, H>,
    fixture: &Fixture,
    user: &str,
    now: &str,
) {
    const MOMENT: Duration = Duration::from_secs(4);
    let grants = format!("/v1/projects/{}/grants", fixture.id("project"));
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
async fn set_visibility<H: Harness>(ana: &Person<'_, H>, fixture: &Fixture, visibility: &str) {
    let project = format!("/v1/projects/{}", fixture.id("project"));
    let body = json!({ "visibility": visibility });
    ana.patch(&project, body).await.expect(200);
}

/// Sends a request to a route of the fixture, with an ETag that no record has.
async fn request<H: Harness>(person: &Person<'_, H>, fixture: &Fixture, route: &Route) -> Answered {
    let stale = format!("\"{}\"", "0".repeat(64));
    let headers: &[_] = match route.precondition {
        Precondition::Ignored => &[],
        Precondition::Optional | Precondition::Required => &[("if-match", stale.as_str())],
    };
    let body = takes_body(route).then(|| fixture.body(route));
    let method = route.method.as_str();
    person
        .send(method, &fixture.path(route), headers, body)
        .await
}

/// Every caller sends every request. Each answer must follow from the role table, and the whole
/// table must equal its golden.
pub async fn access_matrix_matches_role_table_and_golden<H: Harness>(surface: &H) {
    let ana = Person::new(surface, "ana");
    let fixture = Fixture::found(&ana).await;
    let mut matrix: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for (name, membership, person) in callers(&ana, &fixture).await {
        let by_visibility = matches!(membership, In(_, Way::Visibility));
        if by_visibility {
            set_visibility(&ana, &fixture, "account").await;
        }
        for route in private_routes() {
            let answered = cell(&request(&person, &fixture, route).await);
            let by_role = expected(route, membership);
            let operation = route.operation;
            let surface = surface.name();
            assert_eq!(answered, by_role, "{surface}: {name} asked `{operation}`");
            matrix.insert((operation, name), answered);
        }
        if by_visibility {
            set_visibility(&ana, &fixture, "private").await;
        }
    }
    golden::check("attacks.txt", &table(&matrix));
}

/// For each operation, each answer once with its callers, from the fewest to the most rights.
fn table(matrix: &BTreeMap<(&str, &str), String>) -> String {
    let mut text = String::from("What everybody is answered who asks with a stale ETag\n");
    for route in private_routes() {
        writeln!(text, "\n{}", route.operation).unwrap();
        let mut answers: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, _) in CALLERS {
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
