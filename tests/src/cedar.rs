//! The permission rules in Cedar, over entities built from the same records.
//!
//! `tests/cedar/policy.cedar` holds the rules, and `tests/cedar/schema.cedarschema` the entities
//! that they read. Building the entities decides nothing: every record becomes an entity, current
//! or stale, and only the policies decide what it confers. Cedar cannot quantify over grants, so a
//! decision about a project takes one request for the project and one for each of its grants. The
//! records that are allowed are the reasons, like those of `explain`.

use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap, HashSet},
    fs,
};

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression as Value, Schema,
};
use wm_core::{
    record::{AccountStatus, Visibility},
    value::{Capability, GrantId, Principal, Timestamp},
};

use crate::{
    generator::{Generated, Person, StoredProject},
    repository,
};

/// Cedar with a policy.
pub struct Peer {
    authorizer: Authorizer,
    policies: PolicySet,
    schema: Schema,
    requests: Cell<u64>,
}

/// The entities of a generated state.
pub struct Prepared<'a> {
    state: &'a Generated,
    entities: Entities,
    context: Context,
}

/// Reads a file of `tests/cedar`.
#[must_use]
pub fn text(name: &str) -> String {
    fs::read_to_string(repository::root().join("tests/cedar").join(name)).unwrap()
}

#[must_use]
pub fn policy() -> String {
    text("policy.cedar")
}

/// The entity id of a record of this kind.
pub fn uid(kind: &EntityTypeName, id: impl ToString) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id.to_string()))
}

thread_local! {
    static KINDS: Kinds = Kinds::default();
}

struct Kinds {
    account: EntityTypeName,
    action: EntityTypeName,
    grant: EntityTypeName,
    project: EntityTypeName,
    stay: EntityTypeName,
    team: EntityTypeName,
    user: EntityTypeName,
}

impl Default for Kinds {
    fn default() -> Self {
        let kind = |name: &str| name.parse().unwrap();
        Self {
            account: kind("Account"),
            action: kind("Action"),
            grant: kind("Grant"),
            project: kind("Project"),
            stay: kind("Stay"),
            team: kind("Team"),
            user: kind("User"),
        }
    }
}

fn named(kind: fn(&Kinds) -> &EntityTypeName, id: impl ToString) -> EntityUid {
    KINDS.with(|kinds| uid(kind(kinds), id))
}

fn entity<const N: usize>(
    name: EntityUid,
    attributes: [(&str, Value); N],
    parents: HashSet<EntityUid>,
) -> Entity {
    let attributes = attributes.map(|(name, value)| (name.to_owned(), value));
    Entity::new(name, HashMap::from(attributes), parents).unwrap()
}

fn word(text: &str) -> Value {
    Value::new_string(text.into())
}

/// A time as a Cedar `datetime`.
#[must_use]
pub fn datetime(time: Timestamp) -> Value {
    Value::new_datetime(time.to_string())
}

fn account(state: &Generated) -> Option<Entity> {
    let account = state.account.as_ref()?;
    let retired = account.body.retired_teams.iter();
    let retired = retired.map(|team| Value::new_entity_uid(named(|kinds| &kinds.team, team.0)));
    let status = match account.body.status {
        AccountStatus::Active => "active",
        AccountStatus::Closed => "closed",
    };
    let attributes = [
        ("status", word(status)),
        ("deleted", Value::new_bool(account.deleted)),
        ("retired", Value::new_set(retired)),
    ];
    Some(entity(
        named(|kinds| &kinds.account, account.id),
        attributes,
        HashSet::new(),
    ))
}

fn person(state: &Generated, person: &Person) -> Vec<Entity> {
    let name = named(|kinds| &kinds.user, person.user);
    let mut teams = HashMap::<_, HashSet<_>>::new();
    for row in person.rows.iter().filter(|row| !row.deleted) {
        let team = named(|kinds| &kinds.team, row.body.team_id);
        teams
            .entry(row.body.membership_id)
            .or_default()
            .insert(team);
    }
    let stays = teams
        .into_iter()
        .map(|(stay, teams)| entity(named(|kinds| &kinds.stay, stay), [], teams));
    let member = person.member.as_ref().map(|member| {
        let fields = [
            (
                "account",
                Value::new_entity_uid(named(|kinds| &kinds.account, state.account_id)),
            ),
            (
                "stay",
                Value::new_entity_uid(named(|kinds| &kinds.stay, member.body.membership_id)),
            ),
            ("role", word(member.body.role.as_str())),
            ("status", word(member.body.status.as_str())),
            ("deleted", Value::new_bool(member.deleted)),
        ];
        Value::new_record(fields.map(|(name, value)| (name.to_owned(), value))).unwrap()
    });
    let attributes = member
        .map(|member| ("member".to_owned(), member))
        .into_iter()
        .collect();
    let user = Entity::new(name, attributes, HashSet::new()).unwrap();
    stays.chain([user]).collect()
}

fn project_entities(state: &Generated, stored: &StoredProject) -> Vec<Entity> {
    let name = named(|kinds| &kinds.project, stored.id);
    let project = stored.project.as_ref().map(|project| {
        let visibility = match project.body.visibility {
            Visibility::Private => "private",
            Visibility::Account => "account",
        };
        let attributes = [
            ("visibility", word(visibility)),
            ("archived", Value::new_bool(project.body.archived)),
            ("deleted", Value::new_bool(project.deleted)),
        ];
        let account = named(|kinds| &kinds.account, state.account_id);
        entity(name.clone(), attributes, HashSet::from([account]))
    });
    let grants = stored.grants.iter().map(|grant| {
        let whom = match grant.body.principal {
            Principal::User(user) => ("user", named(|kinds| &kinds.user, user)),
            Principal::Team(team) => ("team", named(|kinds| &kinds.team, team)),
        };
        let mut attributes = HashMap::from([
            (whom.0.to_owned(), Value::new_entity_uid(whom.1)),
            ("project".into(), Value::new_entity_uid(name.clone())),
            ("role".into(), word(grant.body.role.as_str())),
            (
                "revoked".into(),
                Value::new_bool(grant.body.revoked.is_some()),
            ),
            ("deleted".into(), Value::new_bool(grant.deleted)),
        ]);
        if let Some(stay) = grant.body.membership_id {
            let stay = named(|kinds| &kinds.stay, stay);
            attributes.insert("stay".into(), Value::new_entity_uid(stay));
        }
        if let Some(end) = grant.body.expires_at {
            attributes.insert("expires_at".into(), datetime(end));
        }
        let parents = HashSet::from([name.clone()]);
        Entity::new(named(|kinds| &kinds.grant, grant.id), attributes, parents).unwrap()
    });
    grants.chain(project).collect()
}

impl Peer {
    /// Cedar with this policy, which its validator must accept.
    #[must_use]
    pub fn new(policy: &str) -> Self {
        let (schema, warnings) = Schema::from_cedarschema_str(&text("schema.cedarschema")).unwrap();
        assert_eq!(
            warnings
                .map(|warning| warning.to_string())
                .collect::<Vec<_>>(),
            [""; 0]
        );
        let policies: PolicySet = policy.parse().unwrap();
        let validator = cedar_policy::Validator::new(schema.clone());
        let result = validator.validate(&policies, cedar_policy::ValidationMode::Strict);
        let problems = result
            .validation_errors()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        assert!(problems.is_empty(), "{problems:?}");
        Self {
            authorizer: Authorizer::new(),
            policies,
            schema,
            requests: Cell::default(),
        }
    }

    /// Builds the entities of a generated state and checks them against the schema.
    #[must_use]
    pub fn prepare<'a>(&self, state: &'a Generated) -> Prepared<'a> {
        let people = state.people.iter().flat_map(|one| person(state, one));
        let projects = state
            .projects
            .iter()
            .flat_map(|one| project_entities(state, one));
        let entities = account(state).into_iter().chain(people).chain(projects);
        let now = ("now".to_owned(), datetime(state.now));
        Prepared {
            state,
            entities: Entities::from_entities(entities, Some(&self.schema)).unwrap(),
            context: Context::from_pairs([now]).unwrap(),
        }
    }

    /// The number of requests that Cedar has answered.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.get()
    }

    fn allows(
        &self,
        facts: &Prepared<'_>,
        who: &Person,
        capability: Capability,
        what: EntityUid,
    ) -> bool {
        let who = named(|kinds| &kinds.user, who.user);
        let action = named(|kinds| &kinds.action, capability);
        let request = Request::new(who, action, what, facts.context.clone(), None).unwrap();
        self.requests.set(self.requests.get() + 1);
        let response = self
            .authorizer
            .is_authorized(&request, &self.policies, &facts.entities);
        response.decision() == Decision::Allow
    }

    /// Decides whether the person has a capability in the account.
    #[must_use]
    pub fn allows_in_account(
        &self,
        facts: &Prepared<'_>,
        who: &Person,
        capability: Capability,
    ) -> bool {
        let what = named(|kinds| &kinds.account, facts.state.account_id);
        self.allows(facts, who, capability, what)
    }

    fn sufficient<'a>(
        &'a self,
        facts: &'a Prepared<'_>,
        who: &'a Person,
        stored: &'a StoredProject,
        capability: Capability,
    ) -> impl Iterator<Item = String> + 'a {
        let project = || {
            (
                named(|kinds| &kinds.project, stored.id),
                stored.id.to_string(),
            )
        };
        let grant = |id: GrantId| (named(|kinds| &kinds.grant, id), id.to_string());
        let grants = stored.grants.iter().map(move |one| grant(one.id));
        std::iter::once_with(project)
            .chain(grants)
            .filter(move |(what, _)| self.allows(facts, who, capability, what.clone()))
            .map(|(_, id)| id)
    }

    /// The ids of the project and the grants that give the person the capability. Empty if access
    /// is refused.
    #[must_use]
    pub fn reasons(
        &self,
        facts: &Prepared<'_>,
        who: &Person,
        stored: &StoredProject,
        capability: Capability,
    ) -> BTreeSet<String> {
        self.sufficient(facts, who, stored, capability).collect()
    }

    /// The first reason only, for callers that need no more.
    #[must_use]
    pub fn first_reason(
        &self,
        facts: &Prepared<'_>,
        who: &Person,
        stored: &StoredProject,
        capability: Capability,
    ) -> Option<String> {
        self.sufficient(facts, who, stored, capability).next()
    }
}
