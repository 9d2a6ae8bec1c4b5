//! Lists read from an index: one page of it, then each of its rows again, strongly consistent, before
//! it is shown. An index may be behind.

use alloc::{string::String, vec, vec::Vec};

use serde::Serialize;

use crate::{
    operation::{Context, Facts, NotAsked, PageRequest, Problem, ReadRequest, Reply, view},
    record::{Body, Record},
    storage::{Index, IndexKey, Item, List, Page},
};

/// One page of an index, as a caller asked for it.
#[derive(Debug)]
pub struct Listing<'a> {
    request: &'a PageRequest,
    list: List,
}

impl<'a> Listing<'a> {
    /// The page asked for, of the rows in this index partition whose sort keys begin like this.
    ///
    /// # Errors
    /// 400 naming `cursor`.
    pub fn new(
        context: &Context<'_>,
        request: &'a PageRequest,
        index: Index,
        partition: String,
        prefix: &str,
    ) -> Result<Self, Problem> {
        let list = List {
            index,
            partition,
            prefix: prefix.into(),
            after: request.after(context)?,
            until: None,
            limit: request.limit,
        };
        Ok(Self { request, list })
    }

    /// The same with at most this many rows, for lists whose rows each take a range of their own to
    /// re-check.
    #[must_use]
    pub fn at_most(mut self, rows: u32) -> Self {
        self.list.limit = self.list.limit.min(rows);
        self
    }

    /// What to ask: the page, and once it is there, each of its rows.
    ///
    /// # Errors
    /// [`NotAsked`] never: the page is looked at only when it is there.
    pub fn reads(&self, facts: &Facts) -> Result<Vec<ReadRequest>, NotAsked> {
        let page = ReadRequest::List(self.list.clone());
        if !facts.has(&page) {
            return Ok(vec![page]);
        }
        let rows = self.page(facts)?.items.iter();
        Ok(rows.map(|row| ReadRequest::Get(row.key.clone())).collect())
    }

    /// The page as the index has it, not to be shown.
    ///
    /// # Errors
    /// [`NotAsked`] before the answer to [`Listing::reads`] is there.
    pub fn page<'f>(&self, facts: &'f Facts) -> Result<&'f Page, NotAsked> {
        facts.list(&self.list)
    }

    /// The rows that stand where the index has them. One that left the index since is not shown,
    /// and one that moved is shown at its present place only.
    ///
    /// # Errors
    /// 500 when a row is damaged.
    pub fn rows<B: Body>(&self, facts: &Facts) -> Result<Vec<Record<B>>, Problem> {
        let mut rows = Vec::new();
        for listed in &self.page(facts)?.items {
            let current = facts.item(&listed.key)?;
            if current.is_some_and(|item| self.place(item) == self.place(listed)) {
                rows.extend(facts.record(&listed.key)?);
            }
        }
        Ok(rows)
    }

    /// 200 with these rows and, where the index has more, the cursor of the next page.
    ///
    /// # Errors
    /// [`NotAsked`] before the answers to [`Listing::reads`] are there.
    pub fn reply<T: Serialize>(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        items: Vec<T>,
    ) -> Result<Reply, NotAsked> {
        let page = self.page(facts)?;
        let last = page.items.last().filter(|_| page.more);
        let last = last.and_then(|item| self.place(item));
        let last = last.map(|place| place.sort.as_str());
        Ok(view::page(context, self.request, items, last))
    }

    fn place<'i>(&self, item: &'i Item) -> Option<&'i IndexKey> {
        item.index.get(self.list.index.position())?.as_ref()
    }
}
