//! How the databases of the clouds store an item: each part of it as an attribute.

use wm_core::{
    storage::{ETag, Index, IndexKey, IndexKeys, Item, Scope, Sort},
    value::Timestamp,
};

use crate::ports::{PortError, PortErrorKind};

/// The names of the attributes of a stored item.
#[derive(Debug)]
pub struct Layout {
    /// The kind of the store, such as `table`.
    pub store: &'static str,
    /// The partition key.
    pub partition: &'static str,
    /// The sort key.
    pub sort: &'static str,
    /// The ETag of the item's state.
    pub etag: &'static str,
    /// The record as JSON text.
    pub body: &'static str,
    /// The time at which the item expires, in milliseconds since 1970. Only items that expire have it.
    pub expires_at: &'static str,
    /// The partition and sort key of each index, in the order of [`Index::ALL`]. Only items that the index lists have
    /// them.
    pub index: [(&'static str, &'static str); 4],
}

/// A stored item that another program wrote: an attribute is missing or has an invalid value.
#[derive(Debug, thiserror::Error)]
#[error("an item of the {store} has no valid `{attribute}`: another program wrote it")]
pub struct Malformed {
    store: &'static str,
    attribute: &'static str,
}

/// Another attempt would read the same item.
impl From<Malformed> for PortError {
    fn from(error: Malformed) -> Self {
        Self::new(PortErrorKind::Refused, error)
    }
}

impl Layout {
    /// The partition and sort key of an index.
    #[must_use]
    pub fn index(&self, index: Index) -> (&'static str, &'static str) {
        let [gsi1, gsi2, gsi3, gsi4] = self.index;
        match index {
            Index::Gsi1 => gsi1,
            Index::Gsi2 => gsi2,
            Index::Gsi3 => gsi3,
            Index::Gsi4 => gsi4,
        }
    }

    /// The attributes of an item that are texts.
    pub fn texts<'a>(&self, item: &'a Item) -> impl Iterator<Item = (&'static str, &'a str)> {
        let own = [
            (self.sort, item.key.sort.as_str()),
            (self.etag, item.etag.as_str()),
            (self.body, item.body.as_str()),
        ];
        let listed = self.index.into_iter().zip(&item.index);
        let listed = listed.filter_map(|(names, key)| Some((names, key.as_ref()?)));
        own.into_iter()
            .chain(listed.flat_map(|((partition, sort), key)| {
                [
                    (partition, key.partition.as_str()),
                    (sort, key.sort.as_str()),
                ]
            }))
    }

    /// The item that was stored as these attributes. `expires_at` is the number in the attribute of that name, if
    /// there is one.
    ///
    /// # Errors
    /// [`Malformed`] if another program wrote them.
    pub fn item<'a>(
        &self,
        text: impl Fn(&'static str) -> Option<&'a str>,
        expires_at: Option<Option<i64>>,
    ) -> Result<Item, Malformed> {
        let required = |name| text(name).ok_or(self.malformed(name));
        let scope: Scope = required(self.partition)?
            .parse()
            .map_err(|_| self.malformed(self.partition))?;
        let etag: ETag = required(self.etag)?
            .parse()
            .map_err(|_| self.malformed(self.etag))?;
        let index: IndexKeys = self.index.map(|(partition, sort)| {
            Some(IndexKey {
                partition: text(partition)?.to_owned(),
                sort: text(sort)?.to_owned(),
            })
        });
        let expires_at = expires_at.map(|millis| {
            let millis = millis.ok_or(self.malformed(self.expires_at));
            millis.map(Timestamp::from_millis)
        });
        Ok(Item {
            key: scope.key(Sort::from_stored(required(self.sort)?.to_owned())),
            index,
            etag,
            body: required(self.body)?.to_owned(),
            expires_at: expires_at.transpose()?,
        })
    }

    /// The error about an attribute.
    #[must_use]
    pub fn malformed(&self, attribute: &'static str) -> Malformed {
        Malformed {
            store: self.store,
            attribute,
        }
    }
}
