//! The records that a permission decision would have read at a past time.

use alloc::{format, vec, vec::Vec};

use super::{AccountRecords, ProjectRecords};
use crate::{
    operation::{Facts, Problem, ReadRequest},
    permission::history,
    record::{Body, Record},
    storage::{Item, Range, Scope, Sort},
    value::{AccountId, ProjectId, Timestamp, UserId},
};

/// The maximum number of superseded states of one kind that one request reads.
pub const ROWS: u32 = 5_000;

fn range(scope: Scope, prefix: &str) -> Range {
    Range {
        limit: Some(ROWS),
        ..Range::all(scope, prefix)
    }
}

fn account_range(account: AccountId) -> Range {
    range(Scope::Account(account), Sort::ACCOUNT_HISTORY)
}

fn member_range(account: AccountId, user: UserId) -> Range {
    let prefix = format!("{}{}", Sort::HISTORY, Sort::member(user));
    range(Scope::Account(account), &prefix)
}

fn project_ranges(project: ProjectId) -> [Range; 3] {
    let prefixes = [
        Sort::PROJECT_HISTORY,
        Sort::GRANT_HISTORY,
        Sort::REVOKED_GRANTS,
    ];
    prefixes.map(|prefix| range(Scope::Project(project), prefix))
}

/// The reads of a person's past access. They follow the reads of the present records, so a record
/// that is superseded in between still appears in the history.
#[must_use]
pub fn reads(project: ProjectId, user: UserId) -> Vec<ReadRequest> {
    let account = project.account();
    let mut ranges = vec![account_range(account), member_range(account, user)];
    ranges.extend(project_ranges(project));
    ranges.into_iter().map(ReadRequest::Scan).collect()
}

/// Takes the records from the facts, in their state at the time `at`.
///
/// # Errors
/// 409 if there is more history than one request reads.
pub fn load(
    facts: &Facts,
    present: ProjectRecords,
    project: ProjectId,
    at: Timestamp,
) -> Result<ProjectRecords, Problem> {
    let [projects, grants, revoked] = project_ranges(project);
    let mut states = present.grants;
    states.extend(decode(items(facts, &revoked)?)?);
    states.extend(decode(items(facts, &grants)?)?);
    let mut grants = history::at(states, at);
    grants.sort_by_key(|grant| (grant.body.principal, grant.id));
    let projects = decode(items(facts, &projects)?)?;
    Ok(ProjectRecords {
        account_records: load_membership(facts, present.account_records, project.account(), at)?,
        head: None,
        project: record_at(projects, present.project, at),
        grants,
    })
}

fn load_membership(
    facts: &Facts,
    present: AccountRecords,
    account: AccountId,
    at: Timestamp,
) -> Result<AccountRecords, Problem> {
    let user = present.user;
    let accounts = decode(items(facts, &account_range(account))?)?;
    let rows = items(facts, &member_range(account, user))?;
    let own = format!("{}{}#TEAM#", Sort::HISTORY, Sort::member(user));
    let (teams, own): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|item| item.key.sort.as_str().starts_with(&own));
    let teams = decode(teams)?.into_iter().chain(present.teams);
    Ok(AccountRecords {
        user,
        account: record_at(accounts, present.account, at),
        member: record_at(decode(own)?, present.member, at),
        teams: history::at(teams, at),
    })
}

fn record_at<B: Body>(
    superseded: Vec<Record<B>>,
    present: Option<Record<B>>,
    at: Timestamp,
) -> Option<Record<B>> {
    let states = superseded.into_iter().chain(present);
    history::at(states, at).into_iter().next()
}

fn items<'a>(facts: &'a Facts, range: &Range) -> Result<&'a [Item], Problem> {
    let page = facts.scan(range)?;
    if page.more {
        return Err(Problem::conflict(format!(
            "there are more than {ROWS} changes of one kind, too many to evaluate a past time; leave out `at` to ask about now"
        )));
    }
    Ok(&page.items)
}

fn decode<'a, B: Body>(
    items: impl IntoIterator<Item = &'a Item>,
) -> Result<Vec<Record<B>>, Problem> {
    let records = items.into_iter().map(Record::decode);
    let records: Result<_, _> = records.collect();
    Ok(records.map_err(crate::operation::FactError::from)?)
}
