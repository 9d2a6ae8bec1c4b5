//! The containers of records and of leases.

use serde_json::{Value, json};
use wm_deploy::plan::{Resource, Verdict};

use super::COSMOS;
use crate::setup::{
    Wanted,
    baseline::ContainerBaseline,
    step::{Step, list, put, text},
    storage::tags,
};

const RECORDS: &ContainerBaseline = &COSMOS.records;
const RESOURCE: &str = "/properties/resource";
const ANOTHER: &str = "choose another with `--cosmos-container`";
const FOR_EVER: &str = "no limit";

fn paths(found: &Value) -> Vec<&str> {
    let paths = list(found, "/properties/resource/partitionKey/paths").iter();
    paths.filter_map(Value::as_str).collect()
}

/// All settings of the container of records that cannot be corrected.
pub(super) fn refusals(name: &str, found: Option<&Value>) -> Vec<String> {
    let Some(found) = found else {
        return Vec::new();
    };
    let mut reasons = Vec::new();
    let (paths, wanted) = (paths(found), RECORDS.partition_key);
    if paths != [wanted] {
        let paths = paths.join(", ");
        reasons.push(format!(
            "the container `{name}` has the partition key `{paths}`, which cannot be changed into `{wanted}`: {ANOTHER}"
        ));
    }
    let version = found.pointer("/properties/resource/partitionKey/version");
    if version.and_then(Value::as_u64).unwrap_or(1) < u64::from(RECORDS.partition_version) {
        reasons.push(format!(
            "the container `{name}` compares only the beginning of long partition keys, which cannot be changed: {ANOTHER}"
        ));
    }
    if !list(found, "/properties/resource/uniqueKeyPolicy/uniqueKeys").is_empty() {
        reasons.push(format!(
            "the container `{name}` has unique keys, which cannot be removed: {ANOTHER}"
        ));
    }
    reasons
}

/// The reason why the container of leases cannot be used.
pub(super) fn refuse_leases(found: Option<&Value>) -> Option<String> {
    let paths = paths(found?);
    let (name, wanted) = (COSMOS.leases.name, COSMOS.leases.partition_key);
    (paths != [wanted]).then(|| {
        let paths = paths.join(", ");
        format!("the container `{name}` has the partition key `{paths}`, not `{wanted}`: choose another database with `--cosmos-database`")
    })
}

pub(super) fn compare(plan: &mut Resource<Step>, wanted: &Wanted, id: &str, found: Option<&Value>) {
    let name = &wanted.cosmos_container;
    let setting = format!("container {name}");
    let key = format!("spread by {}", RECORDS.partition_key);
    plan.compare(&setting, found.map(|_| key.clone()), key, None);
    let there = found.and_then(|found| found.pointer(RESOURCE));
    let mut resource = json!({});
    compare_index(plan, there, &mut resource);
    compare_lifetime(plan, there, &mut resource);
    if resource.as_object().is_some_and(|change| change.is_empty()) {
        return;
    }
    let mut whole = match there {
        Some(there) => written(there),
        None => json!({
            "id": name,
            "partitionKey": {
                "paths": [RECORDS.partition_key],
                "kind": RECORDS.partition_kind,
                "version": RECORDS.partition_version,
            },
        }),
    };
    for (name, value) in resource.as_object().into_iter().flatten() {
        put(&mut whole, &format!("/{name}"), value.clone());
    }
    let mut tags = found.map(tags).unwrap_or_default();
    tags.extend(wanted.tags.clone());
    let body = json!({ "tags": tags, "properties": { "resource": whole, "options": {} } });
    let label = match found {
        Some(_) => "set the index policy and the item lifetime of the container of records",
        None => "create the container of records",
    };
    plan.steps.push(Step::put(label, id, COSMOS.api, body));
}

/// The writable part of a resource, without properties that the service manages.
fn written(found: &Value) -> Value {
    let members = found.as_object().into_iter().flatten();
    let members = members.filter(|(name, _)| !name.starts_with('_'));
    let members = members.map(|(name, value)| (name.clone(), value.clone()));
    members.collect()
}

fn compare_lifetime(plan: &mut Resource<Step>, found: Option<&Value>, resource: &mut Value) {
    let shown = |ttl: Option<i64>| match ttl {
        None => "for ever".to_owned(),
        Some(-1) => FOR_EVER.to_owned(),
        Some(seconds) => format!("{seconds} seconds"),
    };
    let ttl = |found: &Value| found.get("defaultTtl").and_then(Value::as_i64);
    let there = found.map(ttl);
    let wanted = Some(i64::from(RECORDS.default_ttl));
    if there != Some(wanted) {
        put(resource, "/defaultTtl", RECORDS.default_ttl.into());
    }
    plan.compare("item lifetime", there.map(shown), shown(wanted), None);
}

/// One list of an index policy: the entries of this program, and those of others.
struct Merged {
    all: Vec<Value>,
    foreign: usize,
    is_complete: bool,
}

/// The wanted entries first, then existing entries of others, unless they would undo a wanted one.
fn merged(ours: Vec<Value>, found: &[Value], undoes: impl Fn(&Value) -> bool) -> Merged {
    let plain: Vec<Value> = found.iter().map(simple).collect();
    let is_complete = ours.iter().all(|wanted| plain.contains(wanted));
    let foreign = plain.iter().filter(|item| !ours.contains(item));
    let (undoing, foreign): (Vec<&Value>, Vec<&Value>) = foreign.partition(|item| undoes(item));
    let is_complete = is_complete && undoing.is_empty();
    Merged {
        foreign: foreign.len(),
        all: ours.iter().chain(foreign).cloned().collect(),
        is_complete,
    }
}

/// An entry of an index policy, without the defaults that the service adds.
fn simple(entry: &Value) -> Value {
    match entry {
        Value::Array(pair) => {
            let ordered = |part: &Value| {
                let order = match text(part, "/order") {
                    "" => "ascending".to_owned(),
                    order => order.to_ascii_lowercase(),
                };
                json!({ "path": text(part, "/path"), "order": order })
            };
            pair.iter().map(ordered).collect()
        }
        entry => json!({ "path": text(entry, "/path") }),
    }
}

fn compare_index(plan: &mut Resource<Step>, found: Option<&Value>, resource: &mut Value) {
    let policy = found.and_then(|found| found.get("indexingPolicy"));
    let there = |name: &str| policy.map(|found| list(found, name)).unwrap_or_default();
    let path = |path: &&str| json!({ "path": path });
    let pair = |pair: &[&str; 2]| -> Value {
        let part = |path: &&str| json!({ "path": path, "order": "ascending" });
        pair.iter().map(part).collect()
    };
    let ours = RECORDS.indexed.iter().map(path).collect();
    let everything = json!({ "path": "/*" });
    let included = merged(ours, there("/includedPaths"), |path| *path == everything);
    let ours = RECORDS.not_indexed.iter().map(path).collect();
    let excluded = merged(ours, there("/excludedPaths"), |path| {
        included.all.contains(path)
    });
    let ours = RECORDS.ordered.iter().map(pair).collect();
    let ordered = merged(ours, there("/compositeIndexes"), |_| false);
    let mode = policy.map(|policy| text(policy, "/indexingMode").to_ascii_lowercase());
    let is_same = [&included, &excluded, &ordered]
        .iter()
        .all(|list| list.is_complete)
        && mode.as_deref() == Some(RECORDS.indexing_mode);
    if !is_same {
        let mut whole = policy.cloned().unwrap_or_else(|| json!({}));
        for (name, value) in [
            ("indexingMode", json!(RECORDS.indexing_mode)),
            ("automatic", json!(true)),
            ("includedPaths", json!(included.all)),
            ("excludedPaths", json!(excluded.all)),
            ("compositeIndexes", json!(ordered.all)),
        ] {
            put(&mut whole, &format!("/{name}"), value);
        }
        put(resource, "/indexingPolicy", whole);
    }
    let as_wanted = format!(
        "{} paths, {} pairs",
        RECORDS.indexed.len(),
        RECORDS.ordered.len()
    );
    let current = found.map(|_| match is_same {
        true => as_wanted.clone(),
        false => "something else".to_owned(),
    });
    plan.compare("index", current, as_wanted, None);
    let foreign = included.foreign + excluded.foreign + ordered.foreign;
    if foreign > 0 {
        let kept = Verdict::Kept(format!("{foreign} entries not managed by wm"));
        plan.note("other index entries", kept);
    }
}

pub(super) fn compare_leases(
    plan: &mut Resource<Step>,
    wanted: &Wanted,
    id: &str,
    found: Option<&Value>,
) {
    let leases = &COSMOS.leases;
    let body = json!({
        "tags": wanted.tags,
        "properties": {
            "resource": {
                "id": leases.name,
                "partitionKey": {
                    "paths": [leases.partition_key],
                    "kind": RECORDS.partition_kind,
                    "version": RECORDS.partition_version,
                },
            },
            "options": {},
        },
    });
    let setting = format!("container {}", leases.name);
    let key = format!("spread by {}", leases.partition_key);
    let step = Step::put("create the container of leases", id, COSMOS.api, body);
    plan.compare(&setting, found.map(|_| key.clone()), key, step);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy in the form of the service.
    fn policy(more: &[&str]) -> Value {
        let mut plan = Resource::new("x");
        let mut change = json!({});
        compare_index(&mut plan, None, &mut change);
        let mut policy = change["indexingPolicy"].take();
        for path in policy["includedPaths"].as_array_mut().unwrap() {
            path["indexes"] = json!([{ "kind": "Range", "precision": -1 }]);
        }
        for path in more {
            let paths = policy["includedPaths"].as_array_mut().unwrap();
            paths.push(json!({ "path": path }));
        }
        json!({ "indexingPolicy": policy })
    }

    fn change(found: &Value) -> Value {
        let mut change = json!({});
        compare_index(&mut Resource::new("x"), Some(found), &mut change);
        change
    }

    #[test]
    fn index_entry_is_equal_in_every_form_of_the_service() {
        assert_eq!(change(&policy(&[])), json!({}));
        assert_eq!(change(&policy(&["/body/theirs/?"])), json!({}));
    }

    #[test]
    fn merged_policy_keeps_entries_of_others() {
        let mut found = policy(&["/*", "/body/theirs/?"]);
        found["indexingPolicy"]["excludedPaths"] = json!([]);
        let change = change(&found);
        let paths = change["indexingPolicy"]["includedPaths"]
            .as_array()
            .unwrap();
        assert_eq!(paths.len(), RECORDS.indexed.len() + 1);
        assert!(paths.contains(&json!({ "path": "/body/theirs/?" })));
        let excluded = &change["indexingPolicy"]["excludedPaths"];
        assert_eq!(excluded.as_array().unwrap().len(), 2);
    }

    #[test]
    fn refusals_name_what_cannot_be_corrected() {
        let found = json!({ "properties": { "resource": {
            "partitionKey": { "paths": ["/id"], "kind": "Hash" },
            "uniqueKeyPolicy": { "uniqueKeys": [{ "paths": ["/name"] }] },
        } } });
        let reasons = refusals("items", Some(&found));
        assert_eq!(reasons.len(), 3, "{reasons:?}");
        assert!(reasons[0].contains("`/id`, which cannot be changed into `/pk`"));
    }
}
