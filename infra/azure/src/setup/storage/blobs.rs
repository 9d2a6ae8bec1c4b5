//! Blob settings of the account: versions, deletion, lifecycle, other origins; and the container.

use serde_json::{Value, json};
use wm_deploy::plan::{OFF, Resource, Verdict};

use super::{ANOTHER, Found, STORAGE};
use crate::setup::{
    Wanted,
    step::{Comparison, Setting, Step, list, put, text},
};

/// The maximum number of rules for other origins.
const MOST_ORIGIN_RULES: usize = 5;
const ORIGIN_RULES: &str = "/properties/cors/corsRules";
const LIFECYCLE_RULES: &str = "/properties/policy/rules";

/// All blob settings that cannot be corrected.
pub(super) fn refusals(wanted: &Wanted, found: &Found) -> Vec<String> {
    let rules = found.blobs.as_ref();
    let rules = rules.map(|found| list(found, ORIGIN_RULES));
    let rules = rules.unwrap_or_default();
    let needs_one = !wanted.origins.is_empty() && own_rule(rules, &wanted.origins).is_none();
    if rules.len() < MOST_ORIGIN_RULES || !needs_one {
        return Vec::new();
    }
    let name = &wanted.storage_account;
    vec![format!(
        "the storage account `{name}` has {MOST_ORIGIN_RULES} rules for other origins, which is the maximum: remove one, or {ANOTHER}"
    )]
}

pub(super) fn compare(plan: &mut Resource<Step>, wanted: &Wanted, found: &Found) {
    let id = wanted
        .resource_group
        .storage_account(&wanted.storage_account);
    let there = found.account.as_ref().and(found.blobs.as_ref());
    let mut blobs = Comparison::new(plan, there);
    let versioning = Setting {
        name: "old versions kept",
        pointer: "/properties/isVersioningEnabled",
    };
    blobs.exactly(versioning, STORAGE.versioning);
    let mut body = std::mem::take(&mut blobs.body);
    for (name, pointer, days) in [
        (
            "deleted blobs kept",
            "/properties/deleteRetentionPolicy",
            STORAGE.deleted_blobs_days,
        ),
        (
            "deleted containers kept",
            "/properties/containerDeleteRetentionPolicy",
            STORAGE.deleted_containers_days,
        ),
    ] {
        compare_retention(plan, there, &mut body, (name, pointer), days);
    }
    compare_origins(plan, wanted, there, &mut body);
    if body.as_object().is_some_and(|body| !body.is_empty()) {
        // The service drops properties that a request does not name.
        let mut whole = json!({ "properties": there.and_then(|there| there.get("properties")) });
        merge(&mut whole, &body);
        let id = format!("{id}/blobServices/default");
        let label = "set the blob settings of the account";
        plan.steps.push(Step::put(label, &id, STORAGE.api, whole));
    }
    compare_lifecycle(plan, &id, found.lifecycle.as_ref());
}

fn compare_retention(
    plan: &mut Resource<Step>,
    found: Option<&Value>,
    body: &mut Value,
    (name, pointer): (&str, &str),
    days: u16,
) {
    let kept = |found: &Value| {
        let policy = found.pointer(pointer);
        let is_on = policy.and_then(|policy| policy.get("enabled")) == Some(&Value::Bool(true));
        let days = policy.and_then(|policy| policy.get("days")?.as_u64());
        if is_on { days.unwrap_or_default() } else { 0 }
    };
    let found = found.map(kept);
    let days = u64::from(days);
    let shown = |days: u64| match days {
        0 => OFF.to_owned(),
        days => format!("{days} days"),
    };
    // A longer retention of an existing account stays.
    let wanted = found.unwrap_or_default().max(days);
    if found != Some(wanted) {
        put(body, pointer, json!({ "enabled": true, "days": days }));
    }
    plan.compare(name, found.map(shown), shown(wanted), None);
}

/// The position of this program's rule: the rule for these origins, or else the first rule with the
/// same permissions.
fn own_rule(rules: &[Value], origins: &[String]) -> Option<usize> {
    let same = rules.iter().position(|rule| origins_of(rule) == origins);
    same.or_else(|| rules.iter().position(allows))
}

fn texts(rule: &Value, name: &str) -> Vec<String> {
    let found = rule.get(name).cloned().unwrap_or_default();
    serde_json::from_value(found).unwrap_or_default()
}

fn origins_of(rule: &Value) -> Vec<String> {
    texts(rule, "allowedOrigins")
}

/// Whether a rule gives the permissions of this program's rule, to any origins.
fn allows(rule: &Value) -> bool {
    let cors = &STORAGE.cors;
    texts(rule, "allowedMethods") == cors.methods
        && texts(rule, "allowedHeaders") == cors.headers
        && texts(rule, "exposedHeaders") == cors.exposed
        && rule.get("maxAgeInSeconds") == Some(&cors.max_age.into())
}

fn compare_origins(
    plan: &mut Resource<Step>,
    wanted: &Wanted,
    found: Option<&Value>,
    body: &mut Value,
) {
    let rules = found.map(|found| list(found, ORIGIN_RULES));
    let rules = rules.unwrap_or_default();
    let at = own_rule(rules, &wanted.origins);
    let mine = at.and_then(|at| rules.get(at));
    let others = rules.iter().enumerate();
    let others = others.filter(|(index, _)| Some(*index) != at);
    let others: Vec<&Value> = others.map(|(_, rule)| rule).collect();
    let origins = match mine {
        Some(rule) if wanted.origins.is_empty() => origins_of(rule),
        _ => wanted.origins.clone(),
    };
    if origins.is_empty() {
        let none = Verdict::Unchanged("none; `--origin` names some".into());
        plan.note("origins", none);
    } else {
        let current = mine.map(|rule| match allows(rule) {
            true => origins_of(rule).join(", "),
            false => "something else".to_owned(),
        });
        let shown = origins.join(", ");
        if current.as_deref() != Some(&shown) {
            let cors = &STORAGE.cors;
            let rule = json!({
                "allowedOrigins": origins,
                "allowedMethods": cors.methods,
                "allowedHeaders": cors.headers,
                "exposedHeaders": cors.exposed,
                "maxAgeInSeconds": cors.max_age,
            });
            let all: Vec<&Value> = others.iter().copied().chain([&rule]).collect();
            put(body, ORIGIN_RULES, json!(all));
        }
        plan.compare("origins", current, shown, None);
    }
    for rule in others {
        let kept = Verdict::Kept("not managed by wm".into());
        plan.note(&format!("origins {}", origins_of(rule).join(", ")), kept);
    }
}

fn compare_lifecycle(plan: &mut Resource<Step>, account: &str, found: Option<&Value>) {
    let rule = &STORAGE.old_versions;
    let wanted = json!({
        "name": rule.name,
        "enabled": true,
        "type": "Lifecycle",
        "definition": {
            "filters": { "blobTypes": rule.blob_types },
            "actions": { "version": { "delete": { "daysAfterCreationGreaterThan": rule.days } } },
        },
    });
    let rules = found.map(|found| list(found, LIFECYCLE_RULES));
    let rules = rules.unwrap_or_default();
    let is_own = |found: &&Value| text(found, "/name") == rule.name;
    let mine = rules.iter().find(is_own);
    let others: Vec<&Value> = rules.iter().filter(|rule| !is_own(rule)).collect();
    let as_wanted = format!("deleted {} days after creation", rule.days);
    let current = mine.map(|mine| match is_same_rule(mine, &wanted) {
        true => as_wanted.clone(),
        false => "something else".to_owned(),
    });
    let all: Vec<&Value> = others.iter().copied().chain([&wanted]).collect();
    let body = json!({ "properties": { "policy": { "rules": all } } });
    let id = format!("{account}/managementPolicies/default");
    let label = "set the rules of the account's lifecycle";
    let step = Step::once(label, &id, STORAGE.api, body);
    plan.compare(&format!("rule {}", rule.name), current, as_wanted, step);
    for other in others {
        let kept = Verdict::Kept("not managed by wm".into());
        plan.note(&format!("rule {}", text(other, "/name")), kept);
    }
}

/// Whether two rules are equal. The service adds defaults and writes numbers with fractions.
fn is_same_rule(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            let mut names = found.iter().filter(|(_, value)| !value.is_null());
            names.all(|(name, value)| {
                wanted
                    .get(name)
                    .is_some_and(|wanted| is_same_rule(value, wanted))
            }) && wanted.keys().all(|name| found.contains_key(name))
        }
        (Value::Number(found), Value::Number(wanted)) => found.as_f64() == wanted.as_f64(),
        (found, wanted) => found == wanted,
    }
}

pub(super) fn compare_container(
    plan: &mut Resource<Step>,
    wanted: &Wanted,
    id: &str,
    found: Option<&Value>,
) {
    let name = format!("container {}", wanted.storage_container);
    let seen = |access: &str| match access {
        "" | "None" => "private".to_owned(),
        access => format!("public: {access}"),
    };
    let access = found.map(|found| seen(text(found, "/properties/publicAccess")));
    let body = json!({ "properties": { "publicAccess": STORAGE.container_access } });
    let mut step = match found {
        Some(_) => Step::patch("make the container private", id, STORAGE.api, body),
        None => Step::put("create the container", id, STORAGE.api, body),
    };
    step.has_provisioning_state = false;
    plan.compare(&name, access, seen(STORAGE.container_access), step);
}

/// Merges the change into the existing value. Lists are replaced.
fn merge(into: &mut Value, patch: &Value) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) => {
            for (name, value) in patch {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, patch) => *into = patch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_is_equal_in_every_form_of_the_service() {
        let wanted = json!({ "a": { "days": 30 }, "b": ["x"] });
        let written = json!({ "a": { "days": 30.0, "other": null }, "b": ["x"] });
        assert!(is_same_rule(&written, &wanted));
        for other in [
            json!({ "a": { "days": 31 }, "b": ["x"] }),
            json!({ "a": { "days": 30, "tier": 1 }, "b": ["x"] }),
            json!({ "a": { "days": 30 } }),
        ] {
            assert!(!is_same_rule(&other, &wanted), "{other}");
        }
    }

    #[test]
    fn merge_replaces_lists_and_keeps_other_values() {
        let mut there = json!({ "properties": { "kept": 1, "cors": { "corsRules": [1, 2] } } });
        merge(
            &mut there,
            &json!({ "properties": { "cors": { "corsRules": [3] }, "new": true } }),
        );
        assert_eq!(
            there,
            json!({ "properties": { "kept": 1, "cors": { "corsRules": [3] }, "new": true } })
        );
        let mut nothing = json!({ "properties": null });
        merge(&mut nothing, &json!({ "properties": { "new": true } }));
        assert_eq!(nothing, json!({ "properties": { "new": true } }));
    }
}
