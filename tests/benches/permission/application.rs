//! Cedar as an application would use it if every decision must be fast, with
//! `tests/cedar/grouped.cedar`.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression as Value, SlotId,
};
use wm_core::{
    permission::Access,
    record::{Grant, Record, Visibility},
    value::{AccountRole, Capability, Principal, ProjectRole, TeamId},
};
use wm_tests::cedar::{text, uid};

/// How grants reach Cedar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Grants {
    /// As memberships in the group of a role. This is the fastest way, and the answer names no
    /// grant.
    Folded,
    /// As policies linked from a template in advance, so that the answer names a grant.
    Linked,
}

/// Cedar with the policies of one project.
pub(crate) struct Application {
    grants: Grants,
    authorizer: Authorizer,
    policies: PolicySet,
    kinds: [EntityTypeName; 5],
}

/// The entities and the request of one decision, built from the records.
pub(crate) struct Question {
    request: Request,
    entities: Entities,
}

const GROUPS: [&str; 5] = [
    "viewers",
    "commenters",
    "contributors",
    "managers",
    "owners",
];

impl Application {
    /// For [`Grants::Linked`], the policies include those of the project's live grants.
    pub(crate) fn new(grants: Grants, access: &Access<'_>) -> Self {
        let policies = match grants {
            Grants::Folded => text("grouped.cedar"),
            Grants::Linked => text("grouped.cedar") + &text("linked.cedar"),
        };
        let mut application = Self {
            grants,
            authorizer: Authorizer::new(),
            policies: named(&policies),
            kinds: ["Action", "Project", "Role", "Team", "User"].map(|name| name.parse().unwrap()),
        };
        if grants == Grants::Linked {
            let live = access.grants.iter().filter(|grant| is_live(grant, access));
            live.for_each(|grant| application.link(grant));
        }
        application
    }

    fn link(&mut self, grant: &Record<Grant>) {
        let principal = match grant.body.principal {
            Principal::User(user) => self.user(user),
            Principal::Team(team) => self.team(team),
        };
        let resource = self.project(grant.body.project_id);
        let slots = [
            (SlotId::principal(), principal),
            (SlotId::resource(), resource),
        ];
        let template = PolicyId::new(grant.body.role.as_str());
        let name = PolicyId::new(grant.id.to_string());
        self.policies
            .link(template, name, HashMap::from(slots))
            .unwrap();
    }

    fn user(&self, id: impl ToString) -> EntityUid {
        uid(&self.kinds[4], id)
    }

    fn team(&self, id: impl ToString) -> EntityUid {
        uid(&self.kinds[3], id)
    }

    fn project(&self, id: impl ToString) -> EntityUid {
        uid(&self.kinds[1], id)
    }

    fn group(&self, project: &str, role: usize) -> EntityUid {
        uid(&self.kinds[2], format!("{project}/{}", GROUPS[role]))
    }

    /// Builds the entities of one request.
    pub(crate) fn build(&self, access: &Access<'_>, capability: Capability) -> Question {
        let record = access.project.unwrap();
        let project = record.id.to_string();
        let (mut own, mut teams) = self.memberships(access, &project);
        own.extend(teams.keys().map(|team| self.team(team)));
        let active = Value::new_bool(access.account.membership().is_some());
        let active = HashMap::from([("active".to_owned(), active)]);
        let person = Entity::new(self.user(access.account.user), active, own).unwrap();
        let teams = teams
            .drain()
            .map(|(team, groups)| Entity::new_no_attrs(self.team(team), groups));
        let groups = (0..GROUPS.len()).map(|role| {
            let weaker = (0..role).map(|weaker| self.group(&project, weaker));
            Entity::new_no_attrs(self.group(&project, role), weaker.collect())
        });
        let group = |role: usize| Value::new_entity_uid(self.group(&project, role));
        let named = (0..GROUPS.len()).map(|role| (GROUPS[role].to_owned(), group(role)));
        let archived = ("archived".to_owned(), Value::new_bool(record.body.archived));
        let attributes = named.chain([archived]).collect();
        let resource = Entity::new(self.project(&project), attributes, HashSet::new()).unwrap();
        let entities = teams.chain(groups).chain([person, resource]);
        Question {
            entities: Entities::from_entities(entities, None).unwrap(),
            request: Request::new(
                self.user(access.account.user),
                uid(&self.kinds[0], capability),
                self.project(&project),
                Context::empty(),
                None,
            )
            .unwrap(),
        }
    }

    /// The groups of the caller, and those of each of their teams.
    fn memberships(
        &self,
        access: &Access<'_>,
        project: &str,
    ) -> (HashSet<EntityUid>, HashMap<TeamId, HashSet<EntityUid>>) {
        let group = |role: ProjectRole| self.group(project, role as usize);
        let mut own = HashSet::new();
        let rows = access.account.current_teams();
        let mut teams: HashMap<_, HashSet<_>> =
            rows.map(|row| (row.team_id, HashSet::new())).collect();
        if let Some(member) = access.account.membership() {
            own.extend(member.body.role.project_role().map(group));
            let open = access.project.unwrap().body.visibility == Visibility::Account;
            let viewer =
                (open && member.body.role != AccountRole::Guest).then_some(ProjectRole::Viewer);
            own.extend(viewer.map(group));
        }
        if self.grants == Grants::Folded {
            for grant in access.grants.iter().filter(|grant| is_live(grant, access)) {
                let groups = match grant.body.principal {
                    Principal::User(_) => Some(&mut own),
                    Principal::Team(team) => teams.get_mut(&team),
                };
                groups.into_iter().for_each(|groups| {
                    groups.insert(group(grant.body.role));
                });
            }
        }
        (own, teams)
    }

    pub(crate) fn allows(&self, question: &Question) -> bool {
        let response =
            self.authorizer
                .is_authorized(&question.request, &self.policies, &question.entities);
        response.decision() == Decision::Allow
    }
}

/// A policy set whose templates are identified by their `@id`.
fn named(source: &str) -> PolicySet {
    let parsed: PolicySet = source.parse().unwrap();
    let mut named = PolicySet::new();
    for policy in parsed.policies() {
        named.add(policy.clone()).unwrap();
    }
    for template in parsed.templates() {
        let id = PolicyId::new(template.annotation("id").unwrap());
        named.add_template(template.new_id(id)).unwrap();
    }
    named
}

fn is_live(grant: &Record<Grant>, access: &Access<'_>) -> bool {
    let stay = access
        .account
        .member
        .map(|member| member.body.membership_id);
    let theirs = match grant.body.principal {
        Principal::User(user) => user == access.account.user && grant.body.membership_id == stay,
        Principal::Team(_) => true,
    };
    theirs && !grant.deleted && grant.body.is_live(access.now)
}
