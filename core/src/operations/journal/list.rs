//! `GET /v1/accounts/{account}/journal` and `GET /v1/projects/{project}/journal`

use alloc::{boxed::Box, vec, vec::Vec};

use super::{
    EntryView, JournalOwner,
    locate::{Located, locate},
};
use crate::{
    operation::{
        Budget, Context, Example, FactError, Facts, Method, Outcome, PAGE, PageRequest, Parsed,
        Problem, QueryParameter, ReadRequest, Requires, Route, Success, UseCase, schema,
        view::{self, ListView},
    },
    record::{Head, JournalEntry, Record, Sequence},
    storage::{Range, Sort},
    value::Capability,
};

struct ListJournal {
    owner: JournalOwner,
    after: Option<u64>,
    page: PageRequest,
}

const QUERY: [QueryParameter; 3] = {
    let [limit, cursor] = PAGE;
    let after = QueryParameter::new("after", "Only entries with a greater `seq`.", schema::<u64>);
    [after, limit, cursor]
};

pub(super) const ACCOUNT: Route = Route::new(
    Method::Get,
    "/v1/accounts/{account}/journal",
    "list_account_journal",
    "List the journal of an account",
    |request| parse(request, JournalOwner::account(request)?),
)
.describes(
    "In order, from the first entry or behind `after`. The journal records every change with \
     its author and the hash of the entry before.",
)
.requires(Requires::Account(Capability::AuditView))
.budget(Budget::LIST)
.query(&QUERY)
.answers(&[Success::ok(
    schema::<ListView<EntryView>>,
    Example::Page(super::EXAMPLE),
)]);

pub(super) const PROJECT: Route = Route::new(
    Method::Get,
    "/v1/projects/{project}/journal",
    "list_project_journal",
    "List the journal of a project",
    |request| parse(request, JournalOwner::project(request)?),
)
.describes(
    "In order, from the first entry or behind `after`. The journal records every change with \
     its author and the hash of the entry before.",
)
.requires(Requires::Project(Capability::AuditView))
.budget(Budget::LIST)
.query(&QUERY)
.answers(&[Success::ok(
    schema::<ListView<EntryView>>,
    Example::Page(super::EXAMPLE),
)]);

fn parse(request: &Parsed<'_>, owner: JournalOwner) -> Result<Box<dyn UseCase>, Problem> {
    let after: Option<Sequence> = request.query("after")?;
    let page = request.page("")?;
    if after.is_some() && page.has_cursor() {
        let message = "cannot be sent together with `cursor`";
        return Err(Problem::field("after", message));
    }
    Ok(Box::new(ListJournal {
        owner,
        after: after.map(|seq| seq.0),
        page,
    }))
}

impl ListJournal {
    fn page<'a>(
        &self,
        context: &Context<'_>,
        facts: &'a Facts,
        head: &Head,
    ) -> Result<Located<'a>, Problem> {
        let Some(last) = self.page.after(context)? else {
            let after = self.after.unwrap_or(0);
            return Ok(locate(facts, head, after, self.page.limit)?);
        };
        let range = Range {
            after: Some(last),
            limit: Some(self.page.limit),
            ..Range::all(self.owner.scope(), Sort::JOURNAL)
        };
        let read = ReadRequest::Scan(range.clone());
        Ok(if facts.has(&read) {
            Located::Page(facts.scan(&range)?)
        } else {
            Located::Read(read)
        })
    }
}

impl UseCase for ListJournal {
    fn reads(&self, context: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let reads = self.owner.reads(context);
        self.page.after(context)?;
        if !facts.has_all(&reads) {
            return Ok(reads);
        }
        let head = self.owner.head(context, facts)?;
        Ok(match self.page(context, facts, &head)? {
            Located::Read(read) => vec![read],
            Located::Page(_) => vec![],
        })
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome, Problem> {
        let head = self.owner.head(context, facts)?;
        let Located::Page(page) = self.page(context, facts, &head)? else {
            return Err(Problem::internal("a page of the journal is missing"));
        };
        let entries: Vec<Record<JournalEntry>> =
            Record::decode_all(&page.items).map_err(FactError::from)?;
        let entries = entries.iter().map(|entry| &entry.body);
        let behind = entries.filter(|entry| self.after.is_none_or(|after| entry.seq > after));
        let items = behind.map(EntryView::from);
        let last = page.items.last().filter(|_| page.more);
        let last = last.map(|item| item.key.sort.as_str());
        let reply = view::page::<EntryView>(context, &self.page, items.collect(), last);
        Ok(Outcome::Reply(reply))
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String, vec::Vec};

    use serde_json::{Value, json};

    use crate::{
        testing::{Fixture, Person},
        value::AccountRole,
    };

    /// Ana owns an account whose journal has four entries.
    fn journal_of_four() -> (Fixture, Person, String, String) {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        for _ in 0..3 {
            fixture.team(&ana, &account);
        }
        let path = format!("/v1/accounts/{account}/journal");
        (fixture, ana, account, path)
    }

    fn numbers(body: &Value) -> Vec<u64> {
        let items = body["items"].as_array().unwrap().iter();
        items.map(|item| item["seq"].as_u64().unwrap()).collect()
    }

    #[test]
    fn journal_list_starts_at_first_entry_number_or_cursor() {
        let (mut fixture, ana, account, path) = journal_of_four();
        let all = fixture.get(&ana, &path).expect(200).body;
        assert_eq!(fixture.rounds, 2);
        assert_eq!(numbers(&all), [1, 2, 3, 4]);
        assert_eq!(all["items"][0]["event"], "account.created");
        assert_eq!(all["items"][0]["actor"], ana.id());
        assert_eq!(all["items"][0]["changes"][0]["id"], account);
        assert_eq!(all["items"][1]["previous"], all["items"][0]["hash"]);
        assert!(all["next_cursor"].is_null());
        let behind = fixture.get(&ana, &format!("{path}?after=2&limit=1"));
        let behind = behind.expect(200);
        assert_eq!(numbers(&behind.body), [3]);
        let cursor = behind.text("next_cursor");
        let rest = fixture.get(&ana, &format!("{path}?cursor={cursor}"));
        assert_eq!(numbers(&rest.expect(200).body), [4]);
        let end = fixture.get(&ana, &format!("{path}?after=4")).expect(200);
        assert!(numbers(&end.body).is_empty());
        let both = fixture.get(&ana, &format!("{path}?after=2&cursor={cursor}"));
        assert_eq!(both.expect(400).body["errors"][0]["field"], "after");
    }

    #[test]
    fn project_has_its_own_journal() {
        let (mut fixture, ana, account, _) = journal_of_four();
        let project = fixture.project(&ana, &account);
        let answer = fixture.get(&ana, &format!("/v1/projects/{project}/journal"));
        let answer = answer.expect(200);
        assert_eq!(fixture.rounds, 2);
        assert_eq!(answer.body["items"][0]["event"], "project.created");
    }

    fn restore(fixture: &mut Fixture) {
        fixture.surface.id = fixture.surface.id.renewed(fixture.now, &[7; 32]);
    }

    #[test]
    fn case_69_numbers_continue_after_a_restore() {
        let (mut fixture, ana, account, path) = journal_of_four();
        for _ in 0..3 {
            restore(&mut fixture);
            fixture.team(&ana, &account);
        }
        restore(&mut fixture);
        for after in 0..=7 {
            let answer = fixture.get(&ana, &format!("{path}?after={after}"));
            let expected: Vec<u64> = (after + 1..=7).collect();
            assert_eq!(numbers(&answer.expect(200).body), expected, "{after}");
            let one = fixture.get(&ana, &format!("{path}?after={after}&limit=1"));
            let expected: Vec<u64> = expected.into_iter().take(1).collect();
            assert_eq!(numbers(&one.expect(200).body), expected, "{after}");
        }
    }

    #[test]
    fn case_17_only_auditors_read_the_journal() {
        let (mut fixture, ana, account, path) = journal_of_four();
        let (ben, eve) = (fixture.person("ben"), fixture.person("eve"));
        fixture.join(&account, &ben, AccountRole::Member);
        let other = fixture.account(&eve);
        let project = fixture.project(&ana, &account);
        fixture.grant(&ana, &project, &ben.id(), "contributor");
        for suffix in ["", "/verification"] {
            let answer = fixture.get(&ben, &format!("{path}{suffix}")).expect(403);
            assert_eq!(answer.body["missing"], json!(["audit.view"]));
            fixture.get(&eve, &format!("{path}{suffix}")).expect(404);
            let path = format!("/v1/projects/{project}/journal{suffix}");
            let answer = fixture.get(&ben, &path).expect(403);
            assert_eq!(answer.body["missing"], json!(["audit.view"]));
            fixture.get(&eve, &path).expect(404);
        }
        let cursor = fixture.get(&ana, &format!("{path}?limit=1")).expect(200);
        let cursor = cursor.text("next_cursor");
        let stolen = format!("/v1/accounts/{other}/journal?cursor={cursor}");
        fixture.get(&eve, &stolen).expect(400);
    }
}
