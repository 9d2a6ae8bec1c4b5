//! What a family of records defines about its bodies.

use alloc::string::{String, ToString};
use core::{fmt, str::FromStr};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Family, PermissionFacts, Usage, local};
use crate::{
    storage::{IndexKeys, Key, WorkPartitions},
    value::{Invalid, Timestamp},
};

/// The body of one family of records. It defines their key, index rows and text form.
pub trait Body: Clone + Serialize + DeserializeOwned {
    /// The family of these records.
    const FAMILY: Family;
    /// The current schema number. Raise it with every change that older code would misread.
    const SCHEMA: u16 = 1;
    /// Whether superseded states are kept under `HISTORY#`. Queries about access in the past read
    /// them.
    const KEEPS_HISTORY: bool = false;
    /// The members that belong to this surface only: see [`local`].
    const LOCAL: &'static [local::Path] = &[];
    /// The id of a record of this family.
    type Id: Clone + fmt::Display + FromStr<Err = Invalid>;

    /// The key of the record with this id.
    fn key(&self, id: &Self::Id) -> Key;

    /// The index rows. Not called for deleted records, which leave all indexes.
    fn index(&self, _id: &Self::Id, _context: &IndexContext) -> IndexKeys {
        IndexKeys::default()
    }

    /// The time after which a database may delete the record. Default: never.
    fn garbage_after(&self) -> Option<Timestamp> {
        None
    }

    /// The permission facts that the journal repeats, besides key and version. Default: none.
    fn permission_facts(&self) -> Option<PermissionFacts> {
        None
    }

    /// What this record adds to the usage of its scope. Not called for deleted records. Default:
    /// nothing.
    fn usage(&self) -> Usage {
        Usage::default()
    }

    /// The key under which superseded states are kept. See [`crate::storage::Sort::superseded`].
    fn history_key(&self, id: &Self::Id) -> String {
        self.key(id).sort.to_string()
    }

    /// Converts the id and the body of an older schema to the current form. The stored item stays
    /// unchanged. Default: the current form has only members that the older one may lack.
    ///
    /// # Errors
    /// [`Invalid`] if the body does not have that schema.
    fn upgrade(_schema: u16, id: &str, body: Value) -> Result<(String, Value), Invalid> {
        Ok((id.into(), body))
    }
}

/// What index rows are made from, beside the id and the body of a record.
#[derive(Debug, Clone, Copy)]
pub struct IndexContext {
    /// The time of creation.
    pub created_at: Timestamp,
    /// The time of the last change.
    pub updated_at: Timestamp,
    /// The clock of this surface when it stored the last change. See [`super::Record::applied_at`].
    pub applied_at: Timestamp,
    /// The partitions that the row of unfinished work belongs to.
    pub work: WorkPartitions,
}
