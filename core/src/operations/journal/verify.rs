//! `GET /v1/accounts/{account}/journal/verification` and
//! `GET /v1/projects/{project}/journal/verification`

use alloc::{boxed::Box, vec, vec::Vec};

use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AFTER, Of, after,
    locate::{Located, locate},
};
use crate::{
    api::{Method, Parsed, Problem, QueryParameter, Route, schema},
    canonical,
    context::Context,
    facts::{Ask, Facts},
    journal::{self, Link, Verdict},
    model::Head,
    storage::{Item, Page},
    use_case::{Outcome, Reply, UseCase},
    value::Sha256,
};

/// The most entries one request verifies.
const ENTRIES: u32 = 10_000;

/// Verifies a journal: every entry is intact, numbered without a gap and chained to the one before,
/// and the last one is the one the head names.
///
/// One request verifies at most 10,000 entries; `next_after` then tells where to go on. Going on takes
/// the entry of that number at its word, which the request before has verified.
struct VerifyJournal {
    of: Of,
    after: u64,
}

const QUERY: [QueryParameter; 1] = [AFTER];

/// The route of an account's journal.
pub const ACCOUNT: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/journal/verification",
    "verify_account_journal",
    "Verifies the account's journal",
    |request| parse(request, Of::account(request)?),
)
.query(&QUERY)
.answers(&[(200, Some(schema::<VerificationView>))]);

/// The route of a project's journal.
pub const PROJECT: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/journal/verification",
    "verify_project_journal",
    "Verifies the project's journal",
    |request| parse(request, Of::project(request)?),
)
.query(&QUERY)
.answers(&[(200, Some(schema::<VerificationView>))]);

fn parse(request: &Parsed<'_>, of: Of) -> Result<Box<dyn UseCase>, Problem> {
    let after = after(request)?.unwrap_or(0);
    Ok(Box::new(VerifyJournal { of, after }))
}

/// What verifying found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verification")]
struct VerificationView {
    /// How many entries this request found good.
    entries: u64,
    head: HeadView,
    /// Whether everything this request looked at is good.
    valid: bool,
    /// The first entry that is damaged, missing, out of order, or not the one the head names.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_invalid: Option<u64>,
    /// Entries beyond this one are still to be verified: send it as `after`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<u64>,
}

/// The end of a journal.
#[derive(Debug, Serialize, JsonSchema)]
struct HeadView {
    seq: u64,
    hash: Sha256,
}

fn reply(verdict: &Verdict, head: &Head) -> Reply {
    let valid = verdict.first_invalid.is_none();
    let good = verdict.good.seq;
    Reply::ok(canonical::to_value(&VerificationView {
        entries: verdict.entries,
        head: HeadView {
            seq: head.seq,
            hash: head.hash,
        },
        valid,
        first_invalid: verdict.first_invalid,
        next_after: (valid && good < head.seq).then_some(good),
    }))
}

impl VerifyJournal {
    /// The entries to verify, led by the one to go on after.
    fn page<'a>(&self, facts: &'a Facts, head: &Head) -> Result<Located<'a>, Problem> {
        let before = self.after.saturating_sub(1);
        Ok(locate(facts, head, before, ENTRIES)?)
    }

    fn verify(&self, page: &Page, head: &Head) -> Verdict {
        let scope = self.of.scope();
        let (from, rest): (_, &[Item]) = match page.items.split_first() {
            Some((first, rest)) if self.after > 0 => (Link::at(scope, self.after, first), rest),
            _ if self.after > 0 => (None, &[]),
            _ => (Some(Link::genesis()), &page.items),
        };
        match from {
            Some(from) => journal::verify(scope, from, rest, page.more, head),
            None => Verdict {
                entries: 0,
                good: Link::genesis(),
                first_invalid: Some(self.after),
            },
        }
    }
}

impl UseCase for VerifyJournal {
    fn needs(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<Ask>, Problem> {
        let asks = self.of.asks(context);
        if !facts.has_all(&asks) {
            return Ok(asks);
        }
        let head = self.of.head(context, facts)?;
        Ok(match self.page(facts, &head)? {
            Located::Ask(ask) => vec![ask],
            Located::Page(_) => vec![],
        })
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let head = self.of.head(context, facts)?;
        if self.after > head.seq {
            let message = "must be the number of an entry";
            return Err(Problem::field("after", message));
        }
        let Located::Page(page) = self.page(facts, &head)? else {
            return Err(Problem::internal("a page of the journal is missing"));
        };
        Ok(Outcome::Reply(reply(&self.verify(page, &head), &head)))
    }
}
