//! Planning the steps for the table.

use std::fmt;

use aws_sdk_dynamodb::types::{IndexStatus, SseStatus, StreamViewType};
use wm_deploy::{
    plan::{OFF, Resource, Verdict, switched},
    tags::{Tags, shared, shown},
};

use super::{describe::FoundTable, refuse::refusals};
use crate::setup::baseline::{BASELINE, IndexBaseline, Keys, TableBaseline};

const TABLE: &TableBaseline = &BASELINE.table;

/// One change to the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableStep {
    /// Create the table, with all settings that creation allows.
    Create,
    Billing,
    /// Stop a stream with another content.
    StreamOff,
    StreamOn,
    /// Encrypt the table with a key of the key service.
    Encryption,
    DeletionProtection,
    Index(IndexBaseline),
    PointInTimeRecovery,
    /// Delete expired items.
    TimeToLive,
    Tags(Tags),
}

impl fmt::Display for TableStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create => formatter.write_str("create the table"),
            Self::Billing => formatter.write_str("bill the table by request"),
            Self::StreamOff => formatter.write_str("stop the table's old stream"),
            Self::StreamOn => formatter.write_str("start the table's stream"),
            Self::Encryption => formatter.write_str("encrypt the table"),
            Self::DeletionProtection => formatter.write_str("protect the table from deletion"),
            Self::Index(index) => write!(formatter, "add the index `{}`", index.name),
            Self::PointInTimeRecovery => {
                formatter.write_str("turn on point-in-time recovery of the table")
            }
            Self::TimeToLive => formatter.write_str("turn on time to live of the table"),
            Self::Tags(tags) => write!(formatter, "tag the table `{}`", shown(tags)),
        }
    }
}

pub(super) fn plan(
    name: &str,
    tags: &Tags,
    found: Option<&FoundTable>,
) -> Result<Resource<TableStep>, Vec<String>> {
    let reasons = found.map(|found| refusals(name, found)).unwrap_or_default();
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let mut plan = Resource::new(format!("table `{name}`"));
    if found.is_none() {
        plan.steps.push(TableStep::Create);
    }
    compare_keys(&mut plan, found);
    compare_settings(&mut plan, found);
    compare_safety(&mut plan, found);
    compare_tags(&mut plan, tags, found);
    Ok(plan)
}

/// A step for an existing table only. A new table is created with the setting.
fn after<T>(found: Option<&FoundTable>, step: T) -> Option<T> {
    found.map(|_| step)
}

fn compare_keys(plan: &mut Resource<TableStep>, found: Option<&FoundTable>) {
    let keys = shown_keys(TABLE.keys);
    plan.compare("keys", found.map(|_| keys.clone()), &keys, None);
    for index in TABLE.indexes {
        let exists = found
            .and_then(|found| found.indexes.get(index.name))
            .filter(|index| index.status != IndexStatus::Deleting);
        let keys = shown_keys(index.keys);
        let step = after(found, TableStep::Index(*index));
        plan.compare(index.name, exists.map(|_| keys.clone()), &keys, step);
    }
    let ours = |name: &str| TABLE.indexes.iter().any(|index| index.name == name);
    let names = found
        .map(|found| found.indexes.keys())
        .into_iter()
        .flatten();
    for foreign in names.filter(|name| !ours(name)) {
        plan.note(foreign, Verdict::Kept("not managed by wm".into()));
    }
}

fn compare_settings(plan: &mut Resource<TableStep>, found: Option<&FoundTable>) {
    plan.compare(
        "billing",
        found.map(|found| found.billing.as_str().to_owned()),
        TABLE.billing.as_str(),
        after(found, TableStep::Billing),
    );
    if found.is_some_and(|found| found.stream.is_some() && !streams(found)) {
        plan.steps.push(TableStep::StreamOff);
    }
    plan.compare(
        "stream",
        found.map(|found| shown_stream(found.stream.as_ref())),
        TABLE.stream.as_str(),
        after(found, TableStep::StreamOn),
    );
}

fn compare_safety(plan: &mut Resource<TableStep>, found: Option<&FoundTable>) {
    let encrypted = |found: &FoundTable| {
        use SseStatus::{Enabled, Enabling, Updating};
        matches!(found.encryption, Some(Enabled | Enabling | Updating))
    };
    let key = |is_encrypted| match is_encrypted {
        true => "its own key",
        false => "a shared key",
    };
    plan.compare(
        "encryption",
        found.map(|found| key(encrypted(found)).to_owned()),
        key(TABLE.encryption),
        after(found, TableStep::Encryption),
    );
    let mut switch = |name, is_on: Option<bool>, wanted, step| {
        plan.compare(name, is_on.map(switched), switched(wanted), step);
    };
    switch(
        "deletion protection",
        found.map(|found| found.deletion_protection),
        TABLE.deletion_protection,
        after(found, TableStep::DeletionProtection),
    );
    switch(
        "point-in-time recovery",
        found.map(|found| found.point_in_time_recovery),
        TABLE.point_in_time_recovery,
        Some(TableStep::PointInTimeRecovery),
    );
    let attribute = |found: &FoundTable| match &found.time_to_live {
        Some((attribute, _)) => attribute.clone(),
        None => OFF.to_owned(),
    };
    let step = TableStep::TimeToLive;
    plan.compare(
        "time to live",
        found.map(attribute),
        TABLE.time_to_live,
        step,
    );
}

fn compare_tags(plan: &mut Resource<TableStep>, tags: &Tags, found: Option<&FoundTable>) {
    let there = found.map(|found| shown(&shared(&found.tags, tags)));
    let step = after(found, TableStep::Tags(tags.clone()));
    plan.compare("tags", there, shown(tags), step);
}

fn streams(found: &FoundTable) -> bool {
    found.stream.as_ref() == Some(TABLE.stream)
}

fn shown_stream(stream: Option<&StreamViewType>) -> String {
    stream.map_or(OFF, StreamViewType::as_str).to_owned()
}

/// The names of the keys, with the partition key first.
pub(super) fn shown_keys(keys: Keys) -> String {
    format!("{}, {}", keys.partition, keys.sort)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_dynamodb::types::{BillingMode, TableStatus, TimeToLiveStatus};

    use super::{super::describe::FoundIndex, *};

    fn hardened() -> FoundTable {
        let index = |index: &IndexBaseline| {
            let found = FoundIndex {
                keys: vec![index.keys.partition.into(), index.keys.sort.into()],
                projection: Some(TABLE.projection.clone()),
                status: IndexStatus::Active,
            };
            (index.name.to_owned(), found)
        };
        FoundTable {
            arn: "arn".into(),
            stream_arn: None,
            status: TableStatus::Active,
            keys: vec!["PK".into(), "SK".into()],
            attributes: BTreeMap::new(),
            indexes: TABLE.indexes.iter().map(index).collect(),
            billing: BillingMode::PayPerRequest,
            stream: Some(StreamViewType::NewImage),
            point_in_time_recovery: true,
            time_to_live: Some(("ttl".into(), TimeToLiveStatus::Enabling)),
            encryption: Some(SseStatus::Enabling),
            deletion_protection: true,
            tags: Tags::new(),
        }
    }

    fn index_of(table: &mut FoundTable) -> &mut FoundIndex {
        table.indexes.get_mut("GSI2").unwrap()
    }

    fn steps(found: &FoundTable) -> Vec<TableStep> {
        plan("t", &Tags::new(), Some(found)).unwrap().steps
    }

    fn refusal(found: &FoundTable) -> String {
        plan("t", &Tags::new(), Some(found)).unwrap_err().join("; ")
    }

    #[test]
    fn change_in_progress_is_not_planned_again() {
        let mut table = hardened();
        assert_eq!(steps(&table), []);
        for status in [IndexStatus::Creating, IndexStatus::Updating] {
            index_of(&mut table).status = status;
            assert_eq!(steps(&table), []);
        }
        table.status = TableStatus::Updating;
        assert_eq!(steps(&table), []);
    }

    #[test]
    fn index_under_deletion_is_created_again() {
        let mut table = hardened();
        index_of(&mut table).keys = vec!["other".into()];
        index_of(&mut table).status = IndexStatus::Deleting;
        assert_eq!(steps(&table), [TableStep::Index(TABLE.indexes[1])]);
        index_of(&mut table).status = IndexStatus::Active;
        assert!(refusal(&table).contains("`GSI2` of `t` is an index of `other`"));
    }

    #[test]
    fn table_under_deletion_or_inactive_is_refused() {
        let mut table = hardened();
        table.status = TableStatus::Deleting;
        assert!(refusal(&table).contains("`t` is being deleted"));
        table.status = TableStatus::Archived;
        assert!(refusal(&table).contains("`t` is ARCHIVED"));
        let mut table = hardened();
        table.time_to_live = Some(("ttl".into(), TimeToLiveStatus::Disabling));
        assert!(refusal(&table).contains("is being disabled: wait an hour"));
    }
}
