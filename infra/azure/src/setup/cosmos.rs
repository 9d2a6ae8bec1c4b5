//! The database account, its database and its containers.

mod container;

use serde_json::{Value, json};
use wm_deploy::{
    plan::{Resource, Verdict},
    service_error::ServiceError,
};

use super::{
    Wanted,
    arm::Arm,
    baseline::{BASELINE, CosmosBaseline},
    resource_group,
    step::{Comparison, Setting, Step, list, put, text},
    storage::{compare_tags, location_conflict},
};

const COSMOS: &CosmosBaseline = &BASELINE.cosmos;
/// Versions of TLS, oldest first.
const TLS: &[&str] = &["Tls", "Tls11", "Tls12", "Tls13"];
/// Capabilities that select another API for the account.
const OTHER_INTERFACES: &[&str] = &[
    "EnableCassandra",
    "EnableTable",
    "EnableGremlin",
    "EnableMongo",
];
const ANOTHER: &str = "choose another with `--cosmos-account`";

#[derive(Debug)]
pub(super) struct Found {
    account: Option<Value>,
    database: Option<Value>,
    records: Option<Value>,
    leases: Option<Value>,
    /// The reason why the name is not available, if the group has no such account.
    name_conflict: Option<String>,
}

/// The ids of the account's resources.
struct Ids {
    account: String,
    database: String,
    records: String,
    leases: String,
}

impl Ids {
    fn of(wanted: &Wanted) -> Self {
        let account = wanted.resource_group.cosmos_account(&wanted.cosmos_account);
        let database = format!("{account}/sqlDatabases/{}", wanted.cosmos_database);
        let container = |name: &str| format!("{database}/containers/{name}");
        Self {
            records: container(&wanted.cosmos_container),
            leases: container(COSMOS.leases.name),
            account,
            database,
        }
    }
}

pub(super) async fn describe(arm: &Arm, wanted: &Wanted) -> Result<Found, ServiceError> {
    let ids = Ids::of(wanted);
    let mut found = Found {
        account: arm.get_when_done(&ids.account, COSMOS.api).await?,
        database: None,
        records: None,
        leases: None,
        name_conflict: None,
    };
    if found.account.is_none() {
        found.name_conflict = name_conflict(arm, wanted).await?;
        return Ok(found);
    }
    found.database = arm.get(&ids.database, COSMOS.api).await?;
    if found.database.is_some() {
        found.records = arm.get(&ids.records, COSMOS.api).await?;
        found.leases = arm.get(&ids.leases, COSMOS.api).await?;
    }
    Ok(found)
}

/// Account names are unique in the whole cloud.
async fn name_conflict(arm: &Arm, wanted: &Wanted) -> Result<Option<String>, ServiceError> {
    let name = &wanted.cosmos_account;
    let path = format!("/providers/Microsoft.DocumentDB/databaseAccountNames/{name}");
    let is_taken = arm.is_name_taken(&path, COSMOS.api).await?;
    let group = &wanted.resource_group.name;
    Ok(is_taken.then(|| {
        format!("the database account `{name}` is not in the group `{group}` and its name is taken: name its group with `--resource-group`, or {ANOTHER}")
    }))
}

pub(super) fn plan(
    wanted: &Wanted,
    found: &Found,
    location: &str,
) -> Result<Resource<Step>, Vec<String>> {
    let mut reasons: Vec<String> = found.name_conflict.iter().cloned().collect();
    if let Some(account) = &found.account {
        reasons.extend(refusals(wanted, account));
    }
    let name = &wanted.cosmos_container;
    reasons.extend(container::refusals(name, found.records.as_ref()));
    reasons.extend(container::refuse_leases(found.leases.as_ref()));
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let ids = Ids::of(wanted);
    let mut plan = Resource::new(format!("database account `{}`", wanted.cosmos_account));
    compare_account(&mut plan, wanted, found.account.as_ref(), location);
    compare_database(&mut plan, wanted, &ids, found);
    container::compare(&mut plan, wanted, &ids.records, found.records.as_ref());
    container::compare_leases(&mut plan, wanted, &ids.leases, found.leases.as_ref());
    Ok(plan)
}

fn capabilities(account: &Value) -> impl Iterator<Item = &str> {
    let found = list(account, "/properties/capabilities").iter();
    found.map(|capability| text(capability, "/name"))
}

fn is_serverless(account: &Value) -> bool {
    capabilities(account).any(|name| name == COSMOS.serverless)
}

fn takes_free_tier(account: &Value) -> bool {
    account.pointer("/properties/enableFreeTier") == Some(&Value::Bool(true))
}

/// All settings of the account that cannot be corrected.
fn refusals(wanted: &Wanted, account: &Value) -> Vec<String> {
    let name = &wanted.cosmos_account;
    let mut reasons = Vec::new();
    let kind = text(account, "/kind");
    let other = capabilities(account).find(|name| OTHER_INTERFACES.contains(name));
    if kind != COSMOS.kind || other.is_some() {
        let (is, wanted) = (other.unwrap_or(kind), COSMOS.kind);
        reasons.push(format!(
            "the database account `{name}` is of the kind `{is}`, not `{wanted}` for NoSQL: {ANOTHER}"
        ));
    }
    if wanted.free_tier == Some(true) && !takes_free_tier(account) {
        reasons.push(format!(
            "the database account `{name}` was created without the free tier, which cannot be changed: remove `AZURE_COSMOS_ENABLE_FREE_TIER`, or {ANOTHER}"
        ));
    }
    reasons.extend(location_conflict(
        "database account",
        name,
        account,
        wanted,
        ANOTHER,
    ));
    reasons
}

fn compare_account(
    plan: &mut Resource<Step>,
    wanted: &Wanted,
    found: Option<&Value>,
    location: &str,
) {
    let id = Ids::of(wanted).account;
    let there = found.map(|found| resource_group::normalised_location(text(found, "/location")));
    let desired = there.clone().unwrap_or_else(|| location.to_owned());
    plan.compare("location", there, desired, None);
    let free = found.map_or(wanted.free_tier == Some(true), takes_free_tier);
    let paid = match (free, found.is_none_or(is_serverless)) {
        (true, _) => "provisioned throughput, free tier",
        (false, true) => "serverless",
        (false, false) => "provisioned throughput",
    };
    plan.compare("billing", found.map(|_| paid.to_owned()), paid, None);
    let mut account = Comparison::new(plan, found);
    compare_settings(&mut account);
    let mut body = std::mem::take(&mut account.body);
    compare_backup(plan, found, &mut body);
    compare_tags(plan, &wanted.tags, found, &mut body);
    if found.is_none() {
        complete(&mut body, location, free);
        let label = "create the database account; this takes minutes";
        plan.steps.push(Step::put(label, &id, COSMOS.api, body));
    } else {
        plan.steps.extend(hardenings(&id, body));
    }
    let public = found.map(|found| text(found, "/properties/publicNetworkAccess"));
    if public.is_some_and(|public| !public.is_empty() && public != COSMOS.public_network) {
        plan.note("network", Verdict::Kept("private networks only".into()));
    }
}

/// Changes to an existing account. Some cannot be combined in one request: strong reads need a
/// single write region first, and a change of the backup kind is a migration.
fn hardenings(id: &str, mut body: Value) -> Vec<Step> {
    let mut steps = Vec::new();
    for (label, name) in [
        (
            "allow writes in one region only; this takes minutes",
            "enableMultipleWriteLocations",
        ),
        ("turn on continuous backup of the database", "backupPolicy"),
    ] {
        let properties = body.get_mut("properties").and_then(Value::as_object_mut);
        if let Some(value) = properties.and_then(|properties| properties.remove(name)) {
            let alone = json!({ "properties": { name: value } });
            steps.push(Step::patch(label, id, COSMOS.api, alone));
        }
    }
    let is_said = |value: &Value| value.as_object().is_some_and(|members| !members.is_empty());
    if body.get("properties").is_some_and(is_said) || body.get("tags").is_some() {
        let label = "harden the database account; this takes minutes";
        steps.push(Step::patch(label, id, COSMOS.api, body));
    }
    steps
}

/// Adds the settings that only a new account gets.
fn complete(body: &mut Value, location: &str, free: bool) {
    put(body, "/location", location.into());
    put(body, "/kind", COSMOS.kind.into());
    let locations =
        json!([{ "locationName": location, "failoverPriority": 0, "isZoneRedundant": false }]);
    let capabilities = match free {
        true => json!([]),
        false => json!([{ "name": COSMOS.serverless }]),
    };
    for (name, value) in [
        ("databaseAccountOfferType", COSMOS.offer.into()),
        ("locations", locations),
        ("enableAutomaticFailover", COSMOS.automatic_failover.into()),
        ("publicNetworkAccess", COSMOS.public_network.into()),
        ("networkAclBypass", "None".into()),
        ("enableFreeTier", free.into()),
        ("capabilities", capabilities),
    ] {
        put(body, &format!("/properties/{name}"), value);
    }
}

fn compare_settings(account: &mut Comparison<'_>) {
    let setting = |name, pointer| Setting { name, pointer };
    account.exactly(
        setting(
            "consistency",
            "/properties/consistencyPolicy/defaultConsistencyLevel",
        ),
        COSMOS.consistency,
    );
    account.exactly(
        setting(
            "several writing regions",
            "/properties/enableMultipleWriteLocations",
        ),
        COSMOS.multiple_writers,
    );
    account.exactly(
        setting("account keys refused", "/properties/disableLocalAuth"),
        COSMOS.local_auth_disabled,
    );
    account.exactly(
        setting(
            "keys refused for containers",
            "/properties/disableKeyBasedMetadataWriteAccess",
        ),
        COSMOS.key_metadata_writes_disabled,
    );
    let age = |version: &str| TLS.iter().position(|known| *known == version);
    account.at_least(
        setting("oldest TLS", "/properties/minimalTlsVersion"),
        COSMOS.minimal_tls,
        |found| found.as_str().and_then(age) >= age(COSMOS.minimal_tls),
    );
}

fn compare_backup(plan: &mut Resource<Step>, found: Option<&Value>, body: &mut Value) {
    let tier = "/properties/backupPolicy/continuousModeProperties/tier";
    let wanted = format!("{}, {}", COSMOS.backup, COSMOS.backup_tier);
    let current = found.map(|found| {
        let kind = text(found, "/properties/backupPolicy/type");
        match text(found, tier) {
            "" => kind.to_owned(),
            tier => format!("{kind}, {tier}"),
        }
    });
    if current.as_deref() != Some(&wanted) {
        let policy = json!({
            "type": COSMOS.backup,
            "continuousModeProperties": { "tier": COSMOS.backup_tier },
        });
        put(body, "/properties/backupPolicy", policy);
    }
    plan.compare("backup", current, wanted, None);
}

fn compare_database(plan: &mut Resource<Step>, wanted: &Wanted, ids: &Ids, found: &Found) {
    let name = &wanted.cosmos_database;
    let is_free = match &found.account {
        Some(account) => takes_free_tier(account),
        None => wanted.free_tier == Some(true),
    };
    let options = match is_free {
        true => json!({ "throughput": COSMOS.free_throughput }),
        false => json!({}),
    };
    let body = json!({
        "tags": wanted.tags,
        "properties": { "resource": { "id": name }, "options": options },
    });
    let step = Step::put("create the database", &ids.database, COSMOS.api, body);
    let there = found.database.as_ref().map(|_| name.clone());
    plan.compare("database", there, name, step);
}
