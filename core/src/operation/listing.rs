//! Lists read from an index. An index may be outdated, so each row of a page is read again by a
//! strong read before it is shown.

use alloc::{vec, vec::Vec};

use serde::Serialize;

use crate::{
    operation::{Context, FactNotRead, Facts, PageRequest, Problem, ReadRequest, Reply, view},
    record::{Body, Record},
    storage::{IndexRows, List, Page},
};

/// One page of an index, as requested by the caller.
#[derive(Debug)]
pub struct Listing<'a> {
    request: &'a PageRequest,
    list: List,
}

impl<'a> Listing<'a> {
    /// The requested page of these rows.
    ///
    /// # Errors
    /// 400 naming `cursor`.
    pub fn new(
        context: &Context<'_>,
        request: &'a PageRequest,
        rows: IndexRows,
    ) -> Result<Self, Problem> {
        let list = List {
            after: request.after(context)?,
            ..rows.list(request.limit)
        };
        Ok(Self { request, list })
    }

    /// Limits the number of rows, for lists that read a whole range for each row.
    #[must_use]
    pub fn at_most(mut self, rows: u32) -> Self {
        self.list.limit = self.list.limit.min(rows);
        self
    }

    /// The reads: first the page, then each of its rows.
    ///
    /// # Errors
    /// None in practice: the page is used only after it was read.
    pub fn reads(&self, facts: &Facts) -> Result<Vec<ReadRequest>, FactNotRead> {
        let page = ReadRequest::List(self.list.clone());
        if !facts.has(&page) {
            return Ok(vec![page]);
        }
        let rows = self.page(facts)?.items.iter();
        Ok(rows.map(|row| ReadRequest::Get(row.key.clone())).collect())
    }

    /// The page as the index has it. Its rows must not be shown.
    ///
    /// # Errors
    /// [`FactNotRead`] if the page of [`Listing::reads`] was not read yet.
    pub fn page<'f>(&self, facts: &'f Facts) -> Result<&'f Page, FactNotRead> {
        facts.list(&self.list)
    }

    /// The current records of the rows. Omits a record that left the index. Omits a record at an
    /// outdated position, because it appears at its current one.
    ///
    /// # Errors
    /// 500 if a row is damaged.
    pub fn rows<B: Body>(&self, facts: &Facts) -> Result<Vec<Record<B>>, Problem> {
        let mut rows = Vec::new();
        for listed in &self.page(facts)?.items {
            let current = facts.item(&listed.key)?;
            if current.is_some_and(|item| item.row(self.list.index) == listed.row(self.list.index))
            {
                rows.extend(facts.record(&listed.key)?);
            }
        }
        Ok(rows)
    }

    /// Builds a 200 with these rows. Adds the cursor of the next page if the index has more rows.
    ///
    /// # Errors
    /// [`FactNotRead`] if the reads of [`Listing::reads`] were not answered yet.
    pub fn reply<T: Serialize>(
        &self,
        context: &Context<'_>,
        facts: &Facts,
        items: Vec<T>,
    ) -> Result<Reply, FactNotRead> {
        let page = self.page(facts)?;
        let last = self.list.end_of(page);
        Ok(view::page(context, self.request, items, last))
    }
}
