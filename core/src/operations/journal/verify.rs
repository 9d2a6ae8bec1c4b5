//! `GET /v1/accounts/{account}/journal/verification` and
//! `GET /v1/projects/{project}/journal/verification`

use alloc::{boxed::Box, string::String, vec, vec::Vec};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::JournalOwner;
use crate::{
    operation::{
        Budget, Context, Example, Facts, Method, Outcome, PAGE, PageRequest, Parsed, Problem,
        QueryParameter, ReadRequest, Reply, Requires, Route, Success, UseCase, schema,
    },
    record::{
        Head,
        chain::{self, Link, Verdict},
    },
    storage::{Range, Sort},
    value::{Capability, Sha256, canonical},
};

/// The maximum number of entries that one request verifies.
const ENTRIES: u32 = 10_000;

/// Checks that every entry is intact, that numbers have no gap, that each entry names the hash of
/// the previous one, and that the head names the last entry.
///
/// A request verifies at most 10,000 entries. `next_cursor` then leads to the next request. The
/// cursor is signed and holds the verified position, so that all requests together verify one
/// chain.
struct VerifyJournal {
    owner: JournalOwner,
    page: PageRequest,
    limit: u32,
}

/// The end of the verified part of the journal.
#[derive(Serialize, Deserialize)]
struct Position {
    /// The sort key of the last verified entry.
    last: Option<String>,
    good: Link,
}

const QUERY: [QueryParameter; 1] = [PAGE[1]];

pub(super) const ACCOUNT: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/journal/verification",
    "verify_account_journal",
    "Verify the journal of an account",
    |request| parse(request, JournalOwner::account(request)?),
)
.describes(
    "Checks that every entry is intact, numbered without a gap and chained to the one before, \
     and that the last one is the one that the head names. One request verifies at most \
     10,000 entries; `next_cursor` leads on.",
)
.requires(Requires::Account(Capability::AuditView))
.budget(Budget::LIST)
.query(&QUERY)
.answers(&[Success::ok(
    schema::<VerificationView>,
    Example::Text(EXAMPLE),
)]);

pub(super) const PROJECT: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/journal/verification",
    "verify_project_journal",
    "Verify the journal of a project",
    |request| parse(request, JournalOwner::project(request)?),
)
.describes(
    "Checks that every entry is intact, numbered without a gap and chained to the one before, \
     and that the last one is the one that the head names. One request verifies at most \
     10,000 entries; `next_cursor` leads on.",
)
.requires(Requires::Project(Capability::AuditView))
.budget(Budget::LIST)
.query(&QUERY)
.answers(&[Success::ok(
    schema::<VerificationView>,
    Example::Text(EXAMPLE),
)]);

const EXAMPLE: &str = r#"{
  "entries": 12,
  "head": {
    "seq": 12,
    "hash": "923fe53966c6cd9343e11af776cd4b05be315ea4b200b02e4d5dfb0f929b73bf"
  },
  "valid": true,
  "next_cursor": null
}"#;

fn parse(request: &Parsed<'_>, owner: JournalOwner) -> Result<Box<dyn UseCase>, Problem> {
    let page = request.page("")?;
    let limit = ENTRIES;
    Ok(Box::new(VerifyJournal { owner, page, limit }))
}

/// The result of verifying a journal.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verification")]
struct VerificationView {
    /// How many entries this request found intact.
    entries: u64,
    /// The end of the journal.
    head: HeadView,
    /// Whether everything that this request looked at is intact.
    valid: bool,
    /// The first entry that is damaged, missing, out of order, or not the one that the head names.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_invalid: Option<u64>,
    /// The `cursor` of the next request. Null if the journal was verified to its end or a fault was
    /// found.
    next_cursor: Option<String>,
}

/// The end of a journal.
#[derive(Debug, Serialize, JsonSchema)]
struct HeadView {
    /// The number of the last entry.
    seq: u64,
    /// The hash of the last entry.
    hash: Sha256,
}

impl VerifyJournal {
    fn position(&self, context: &Context<'_>) -> Result<Position, Problem> {
        let Some(text) = self.page.after(context)? else {
            return Ok(Position {
                last: None,
                good: Link::genesis(),
            });
        };
        let wrong = |_| Problem::field("cursor", "must be a cursor that verifying returned");
        serde_json::from_str(&text).map_err(wrong)
    }

    fn range(&self, position: &Position) -> Range {
        Range {
            after: position.last.clone(),
            limit: Some(self.limit),
            ..Range::all(self.owner.scope(), Sort::JOURNAL)
        }
    }

    fn reply(
        &self,
        context: &Context<'_>,
        verdict: &Verdict,
        next: Option<Position>,
        head: &Head,
    ) -> Reply {
        let next = next.filter(|_| verdict.first_invalid.is_none());
        let text = next.map(|next| serde_json::to_string(&next).unwrap_or_default());
        Reply::ok(canonical::to_value(&VerificationView {
            entries: verdict.entries,
            head: HeadView {
                seq: head.seq,
                hash: head.hash,
            },
            valid: verdict.first_invalid.is_none(),
            first_invalid: verdict.first_invalid,
            next_cursor: text.map(|text| self.page.next(context, &text)),
        }))
    }
}

impl UseCase for VerifyJournal {
    /// The head is read before the entries. Entries written in between have higher numbers than the
    /// head.
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let position = self.position(context)?;
        let reads = self.owner.reads(context);
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        self.owner.head(context, facts)?;
        Ok(vec![ReadRequest::Scan(self.range(&position))])
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let head = self.owner.head(context, facts)?;
        let position = self.position(context)?;
        let page = facts.scan(&self.range(&position))?;
        let scope = self.owner.scope();
        let verdict = chain::verify(scope, position.good, &page.items, page.more, &head);
        let last = page.items.last().filter(|_| verdict.good.seq < head.seq);
        let next = last.map(|last| Position {
            last: Some(last.key.sort.as_str().into()),
            good: verdict.good,
        });
        Ok(Outcome::Reply(self.reply(context, &verdict, next, &head)))
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::{
        operation::Batch,
        storage::{Condition, Item, Operation, Scope},
        testing::{Fixture, Person},
        value::{CommitId, Cursor, id::Id},
    };

    fn account_journal() -> (Fixture, Person, Scope, String) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        for _ in 0..4 {
            fixture.team(&ana, &account);
        }
        let path = format!("/v1/accounts/{account}/journal/verification");
        (fixture, ana, Scope::Account(account.parse().unwrap()), path)
    }

    /// Changes a stored entry without the application.
    fn tamper(
        fixture: &mut Fixture,
        scope: Scope,
        position: usize,
        change: impl FnOnce(Item) -> Option<Item>,
    ) {
        let entries = fixture.store.scan(&Range::all(scope, Sort::JOURNAL)).items;
        let item = entries[position].clone();
        let matches = Condition::Matches(item.etag.clone());
        let sort = item.key.sort.clone();
        let operation = match change(item) {
            Some(item) => Operation::Put(item, matches),
            None => Operation::Delete(sort, matches),
        };
        let commit_id = CommitId::from_ulid(ulid::Ulid::nil());
        fixture.commit(&Batch::unchecked(scope, commit_id, vec![operation]));
    }

    fn verify(fixture: &mut Fixture, ana: &Person, path: &str) -> serde_json::Value {
        let found = fixture.get(ana, path).expect(200).body;
        assert_eq!(found["valid"], found.get("first_invalid").is_none());
        found
    }

    #[test]
    fn journal_is_valid_as_written_and_across_a_restore() {
        let (mut fixture, ana, scope, path) = account_journal();
        let whole = verify(&mut fixture, &ana, &path);
        assert_eq!(fixture.rounds, 2);
        assert_eq!(whole["entries"], 5);
        assert_eq!(whole["head"]["seq"], 5);
        assert!(whole["valid"] == true && whole["next_cursor"].is_null());
        fixture.surface.id = fixture.surface.id.renewed(fixture.now, &[7; 32]);
        let Scope::Account(account) = scope else {
            panic!("an account")
        };
        fixture.team(&ana, &format!("{account}"));
        let whole = verify(&mut fixture, &ana, &path);
        assert_eq!(whole["entries"], 6);
        assert_eq!(whole["valid"], true);
    }

    #[test]
    fn case_65_changed_or_missing_entry_is_named() {
        for position in 0..5 {
            let (mut fixture, ana, scope, path) = account_journal();
            tamper(&mut fixture, scope, position, |mut item| {
                item.body = item.body.replacen("\"seq\":", "\"seQ\":", 1);
                Some(item)
            });
            let found = fixture.get(&ana, &path).expect(200).body;
            assert_eq!(found["valid"], false);
            assert_eq!(found["first_invalid"], position + 1);
            assert_eq!(found["entries"], position);
            let (mut fixture, ana, scope, path) = account_journal();
            tamper(&mut fixture, scope, position, |_| None);
            let found = fixture.get(&ana, &path).expect(200).body;
            assert_eq!(found["first_invalid"], position + 1);
        }
    }

    #[test]
    fn journal_requests_together_verify_one_chain() {
        let (mut fixture, ana, scope, path) = account_journal();
        let Scope::Account(account) = scope else {
            panic!("an account")
        };
        let first = VerifyJournal {
            owner: JournalOwner::Account(account),
            page: PageRequest::first(1),
            limit: 2,
        };
        let body = fixture.run(&ana, &first, None).unwrap().body.unwrap();
        assert_eq!(
            (&body["entries"], &body["valid"]),
            (&2.into(), &true.into())
        );
        assert!(body["next_cursor"].is_string());
        // The same position, signed for this route.
        let entries = fixture.store.scan(&Range::all(scope, Sort::JOURNAL)).items;
        let head = fixture.record::<Head>(&crate::operation::authority::head_key(scope));
        let head = head.unwrap().body;
        let mut position = Position {
            last: Some(entries[1].key.sort.as_str().into()),
            good: chain::verify(scope, Link::genesis(), &entries[..2], true, &head).good,
        };
        let cursor = |position: &Position| {
            let list = format!("{path}?");
            let user = ana.id();
            let text = serde_json::to_string(position).unwrap();
            let parts = [user.as_bytes(), list.as_bytes()];
            Cursor::sign(&[7; 32], &parts, &text).into_string()
        };
        let rest = format!("{path}?cursor={}", cursor(&position));
        let found = verify(&mut fixture, &ana, &rest);
        assert_eq!(
            (&found["entries"], &found["valid"]),
            (&3.into(), &true.into())
        );
        // The position of another chain does not fit the next entry.
        position.good.hash = Sha256::of(b"another");
        let other = format!("{path}?cursor={}", cursor(&position));
        let found = verify(&mut fixture, &ana, &other);
        assert_eq!(found["first_invalid"], 3);
    }
}
