//! Lists of an account's members and teams, read from an index.

use alloc::{boxed::Box, vec::Vec};
use core::marker::PhantomData;

use serde::Serialize;

use crate::{
    operation::{
        self, Context, Facts, Outcome, PageRequest, Parsed, Problem, ReadRequest, UseCase,
        authority::AccountRecords,
    },
    record::{Body, Record},
    storage::IndexRows,
    value::{AccountId, Capability},
};

/// One page of an account's records of one family.
pub(crate) struct Listing<B, V> {
    account: AccountId,
    rows: IndexRows,
    capability: Capability,
    page: PageRequest,
    shows: PhantomData<fn(B) -> V>,
}

impl<B, V> Listing<B, V>
where
    B: Body + 'static,
    V: Serialize + for<'a> From<&'a Record<B>> + 'static,
{
    /// A list of the account's `rows` for callers with this capability.
    pub(crate) fn parse(
        request: &Parsed<'_>,
        rows: fn(AccountId) -> IndexRows,
        capability: Capability,
    ) -> Result<Box<dyn UseCase>, Problem> {
        let page = request.page("")?;
        let account = request.path("account")?;
        Ok(Box::new(Self {
            account,
            rows: rows(account),
            capability,
            page,
            shows: PhantomData,
        }))
    }

    fn listing(&self, context: &Context<'_>) -> Result<operation::Listing<'_>, Problem> {
        operation::Listing::new(context, &self.page, self.rows.clone())
    }

    fn authorise(&self, context: &Context<'_>, facts: &Facts) -> Result<(), Problem> {
        let records = AccountRecords::load(facts, self.account, context.user())?;
        records.access().permit(self.account, self.capability)?;
        Ok(())
    }
}

impl<B, V> UseCase for Listing<B, V>
where
    B: Body + 'static,
    V: Serialize + for<'a> From<&'a Record<B>> + 'static,
{
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let listing = self.listing(context)?;
        let first = AccountRecords::reads(self.account, context.user());
        if !facts.has_all(&first) {
            return Ok(first);
        }
        self.authorise(context, facts)?;
        Ok(listing.reads(facts)?)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        self.authorise(context, facts)?;
        let listing = self.listing(context)?;
        let records: Vec<Record<B>> = listing.rows(facts)?;
        let items = records.iter().map(V::from).collect();
        Ok(Outcome::Reply(listing.reply(context, facts, items)?))
    }
}
