//! Settings of the table that cannot be corrected.

use aws_sdk_dynamodb::types::{IndexStatus, TableStatus, TimeToLiveStatus};

use super::{describe::FoundTable, plan::shown_keys};
use crate::setup::baseline::{BASELINE, IndexBaseline, KEY_TYPE, TableBaseline};

const TABLE: &TableBaseline = &BASELINE.table;
const ANOTHER: &str = "choose another table with `--table`";

/// All settings that cannot be corrected, with what to do about each.
pub(super) fn refusals(name: &str, found: &FoundTable) -> Vec<String> {
    let indexes = TABLE.indexes.iter();
    let mut reasons: Vec<String> = [status(name, found), keys(name, found)]
        .into_iter()
        .chain(indexes.map(|index| self::index(name, index, found)))
        .flatten()
        .collect();
    reasons.extend(key_types(name, found));
    reasons.extend(time_to_live(name, found));
    reasons
}

fn status(name: &str, found: &FoundTable) -> Option<String> {
    match &found.status {
        TableStatus::Active | TableStatus::Updating => None,
        TableStatus::Deleting => Some(format!(
            "`{name}` is being deleted: wait until it is deleted, or {ANOTHER}"
        )),
        status => Some(format!("`{name}` is {status}: reactivate it, or {ANOTHER}")),
    }
}

fn keys(name: &str, found: &FoundTable) -> Option<String> {
    let wanted = shown_keys(TABLE.keys);
    let keys = found.keys.join(", ");
    (keys != wanted).then(|| {
        format!(
            "`{name}` has the keys `{keys}`, which cannot be changed into `{wanted}`: {ANOTHER}"
        )
    })
}

fn index(name: &str, index: &IndexBaseline, found: &FoundTable) -> Option<String> {
    let other = found.indexes.get(index.name)?;
    let keys = other.keys.join(", ");
    let fits =
        keys == shown_keys(index.keys) && other.projection.as_ref() == Some(TABLE.projection);
    if fits || other.status == IndexStatus::Deleting {
        return None;
    }
    let projection = other.projection.as_ref();
    let projection = projection.map_or("nothing", |kind| kind.as_str());
    let index = index.name;
    Some(format!(
        "`{index}` of `{name}` is an index of `{keys}` with the projection {projection}, which cannot be changed: delete the index and try again"
    ))
}

fn key_types(name: &str, found: &FoundTable) -> Vec<String> {
    let indexes = TABLE.indexes.iter().map(|index| index.keys);
    let keys = indexes.chain([TABLE.keys]);
    let wrong = |key: &str| {
        let kind = found
            .attributes
            .get(key)
            .filter(|kind| **kind != KEY_TYPE)?;
        Some(format!(
            "the key `{key}` of `{name}` is of type `{kind}`, not `{KEY_TYPE}`: {ANOTHER}"
        ))
    };
    keys.flat_map(|keys| [keys.partition, keys.sort])
        .filter_map(wrong)
        .collect()
}

/// Switching off another attribute takes an hour, so the operator decides.
fn time_to_live(name: &str, found: &FoundTable) -> Option<String> {
    let wanted = TABLE.time_to_live;
    match found.time_to_live.as_ref()? {
        (_, TimeToLiveStatus::Disabling) => Some(format!(
            "time to live of `{name}` is being disabled: wait an hour and try again"
        )),
        (attribute, _) if attribute != wanted => Some(format!(
            "`{name}` expires items by `{attribute}`, not `{wanted}`: disable that, wait an hour and try again"
        )),
        _ => None,
    }
}
