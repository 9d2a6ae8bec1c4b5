//! The storage account and the private container in it.

mod blobs;

use serde_json::{Value, json};
use wm_deploy::{
    plan::{Resource, Verdict},
    service_error::ServiceError,
    tags::{Tags, shared, shown},
};

use super::{
    Wanted,
    arm::Arm,
    baseline::{BASELINE, BLOB_DATA_CONTRIBUTOR, StorageBaseline},
    resource_group, roles,
    step::{Comparison, Setting, Step, put, text},
};

const STORAGE: &StorageBaseline = &BASELINE.storage;
/// Versions of TLS, oldest first.
const TLS: &[&str] = &["TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"];
/// The sources of copies, if they are narrower than in the baseline.
const NARROWER_COPY: &str = "PrivateLink";
const ANOTHER: &str = "choose another with `--storage-account`";

#[derive(Debug)]
pub(super) struct Found {
    account: Option<Value>,
    blobs: Option<Value>,
    container: Option<Value>,
    lifecycle: Option<Value>,
    roles: Option<Value>,
    /// The reason why the name is not available, if the group has no such account.
    name_conflict: Option<String>,
}

pub(super) async fn describe(arm: &Arm, wanted: &Wanted) -> Result<Found, ServiceError> {
    let id = wanted
        .resource_group
        .storage_account(&wanted.storage_account);
    let api = STORAGE.api;
    let account = arm.get_when_done(&id, api).await?;
    let mut found = Found {
        name_conflict: None,
        account,
        blobs: None,
        container: None,
        lifecycle: None,
        roles: None,
    };
    if found.account.is_none() {
        found.name_conflict = name_conflict(arm, wanted).await?;
        return Ok(found);
    }
    found.blobs = arm.get(&format!("{id}/blobServices/default"), api).await?;
    let container = container_id(wanted);
    found.container = arm.get(&container, api).await?;
    let lifecycle = format!("{id}/managementPolicies/default");
    found.lifecycle = arm.get(&lifecycle, api).await?;
    if found.container.is_some() {
        let given = roles::describe(arm, &container, &wanted.principal);
        found.roles = Some(given.await?);
    }
    Ok(found)
}

/// Account names are unique in the whole cloud.
async fn name_conflict(arm: &Arm, wanted: &Wanted) -> Result<Option<String>, ServiceError> {
    let id = format!(
        "{}/providers/Microsoft.Storage/checkNameAvailability",
        wanted.resource_group.subscription_id()
    );
    let name = &wanted.storage_account;
    let body = json!({ "name": name, "type": "Microsoft.Storage/storageAccounts" });
    let answer = arm.post(&id, STORAGE.api, &body).await?;
    let is_free = answer.get("nameAvailable").and_then(Value::as_bool);
    let group = &wanted.resource_group.name;
    Ok((is_free == Some(false)).then(|| {
        format!("the storage account `{name}` is not in the group `{group}` and its name is taken: name its group with `--resource-group`, or {ANOTHER}")
    }))
}

fn container_id(wanted: &Wanted) -> String {
    let account = wanted
        .resource_group
        .storage_account(&wanted.storage_account);
    let container = &wanted.storage_container;
    format!("{account}/blobServices/default/containers/{container}")
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
    reasons.extend(blobs::refusals(wanted, found));
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let title = format!("storage account `{}`", wanted.storage_account);
    let mut plan = Resource::new(title);
    compare_account(&mut plan, wanted, found.account.as_ref(), location);
    blobs::compare(&mut plan, wanted, found);
    let container = container_id(wanted);
    blobs::compare_container(&mut plan, wanted, &container, found.container.as_ref());
    let role = ("Storage Blob Data Contributor", BLOB_DATA_CONTRIBUTOR);
    roles::plan(&mut plan, wanted, &container, found.roles.as_ref(), role);
    Ok(plan)
}

/// All settings of the account that cannot be corrected.
fn refusals(wanted: &Wanted, account: &Value) -> Vec<String> {
    let name = &wanted.storage_account;
    let mut reasons = Vec::new();
    let kind = text(account, "/kind");
    if kind != STORAGE.kind {
        let wanted = STORAGE.kind;
        reasons.push(format!(
            "the storage account `{name}` is of the kind `{kind}`, not `{wanted}`: {ANOTHER}"
        ));
    }
    if account.pointer("/properties/isHnsEnabled") == Some(&Value::Bool(true)) {
        reasons.push(format!(
            "the storage account `{name}` has directories and therefore cannot keep old versions: {ANOTHER}"
        ));
    }
    reasons.extend(location_conflict(
        "storage account",
        name,
        account,
        wanted,
        ANOTHER,
    ));
    reasons
}

/// The reason why an account in another location cannot be used.
pub(super) fn location_conflict(
    what: &str,
    name: &str,
    account: &Value,
    wanted: &Wanted,
    another: &str,
) -> Option<String> {
    let there = resource_group::normalised_location(text(account, "/location"));
    let here = wanted
        .location
        .as_deref()
        .map(resource_group::normalised_location)?;
    (there != here).then(|| {
        format!("the {what} `{name}` is in `{there}`, not in `{here}`: use `--location {there}`, or {another}")
    })
}

fn compare_account(
    plan: &mut Resource<Step>,
    wanted: &Wanted,
    found: Option<&Value>,
    location: &str,
) {
    let id = wanted
        .resource_group
        .storage_account(&wanted.storage_account);
    let there = found.map(|found| resource_group::normalised_location(text(found, "/location")));
    let desired = there.clone().unwrap_or_else(|| location.to_owned());
    plan.compare("location", there, desired, None);
    let mut account = Comparison::new(plan, found);
    compare_settings(&mut account);
    let mut body = std::mem::take(&mut account.body);
    compare_tags(plan, &wanted.tags, found, &mut body);
    if found.is_none() {
        put(&mut body, "/location", location.into());
        put(&mut body, "/kind", STORAGE.kind.into());
        put(&mut body, "/sku/name", STORAGE.sku.into());
        put(
            &mut body,
            "/properties/accessTier",
            STORAGE.access_tier.into(),
        );
        let namespace = STORAGE.hierarchical_namespace.into();
        put(&mut body, "/properties/isHnsEnabled", namespace);
        let network =
            json!({ "defaultAction": STORAGE.network_default, "bypass": "AzureServices" });
        put(&mut body, "/properties/networkAcls", network);
        put(
            &mut body,
            "/properties/publicNetworkAccess",
            STORAGE.public_network.into(),
        );
        let label = "create the storage account";
        plan.steps.push(Step::put(label, &id, STORAGE.api, body));
    } else if body.as_object().is_some_and(|body| !body.is_empty()) {
        let label = "harden the storage account";
        plan.steps.push(Step::patch(label, &id, STORAGE.api, body));
    }
    let narrowed = found.map(|found| text(found, "/properties/networkAcls/defaultAction"));
    if narrowed == Some("Deny") {
        let kept = Verdict::Kept("custom network rules".into());
        plan.note("network", kept);
    }
    let public = found.map(|found| text(found, "/properties/publicNetworkAccess"));
    if public.is_some_and(|public| !public.is_empty() && public != STORAGE.public_network) {
        plan.note("network", Verdict::Kept("private networks only".into()));
    }
}

fn compare_settings(account: &mut Comparison<'_>) {
    let setting = |name, pointer| Setting { name, pointer };
    account.exactly(
        setting("public blobs", "/properties/allowBlobPublicAccess"),
        STORAGE.public_blobs,
    );
    account.exactly(
        setting("account keys", "/properties/allowSharedKeyAccess"),
        STORAGE.shared_key,
    );
    account.exactly(
        setting(
            "identities by default",
            "/properties/defaultToOAuthAuthentication",
        ),
        STORAGE.identity_by_default,
    );
    account.exactly(
        setting(
            "replication to others",
            "/properties/allowCrossTenantReplication",
        ),
        STORAGE.cross_tenant_replication,
    );
    account.at_least(
        setting("copies from", "/properties/allowedCopyScope"),
        STORAGE.copy_scope,
        |found| found == NARROWER_COPY,
    );
    account.exactly(
        setting("local users", "/properties/isLocalUserEnabled"),
        STORAGE.local_users,
    );
    account.exactly(
        setting("TLS only", "/properties/supportsHttpsTrafficOnly"),
        STORAGE.https_only,
    );
    let age = |version: &str| TLS.iter().position(|known| *known == version);
    account.at_least(
        setting("oldest TLS", "/properties/minimumTlsVersion"),
        STORAGE.minimum_tls,
        |found| found.as_str().and_then(age) >= age(STORAGE.minimum_tls),
    );
}

/// Compares tags. If some are missing, all are written, because the service replaces them at once.
pub(super) fn compare_tags(
    plan: &mut Resource<Step>,
    wanted: &Tags,
    found: Option<&Value>,
    body: &mut Value,
) {
    let there = found.map(tags);
    let common = there.as_ref().map(|there| shown(&shared(there, wanted)));
    if common.as_deref() != Some(&shown(wanted)) {
        let mut all = there.unwrap_or_default();
        all.extend(wanted.clone());
        put(body, "/tags", json!(all));
    }
    plan.compare("tags", common, shown(wanted), None);
}

pub(super) fn tags(found: &Value) -> Tags {
    let tags = found.get("tags").cloned().unwrap_or_default();
    serde_json::from_value(tags).unwrap_or_default()
}
