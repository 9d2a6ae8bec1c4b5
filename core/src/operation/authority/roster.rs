//! The people of an account with their teams.

use alloc::{format, vec, vec::Vec};

use crate::{
    operation::{FactError, Facts, Problem},
    permission::AccountAccess,
    record::{Account, Member, Record, TeamMember},
    storage::{Item, Range, Scope, Sort},
    value::{AccountId, UserId},
};

/// Consecutive members of an account, sorted by user id, each with their team rows. Includes
/// removed members.
#[derive(Debug)]
pub struct Roster {
    people: Vec<Person>,
    /// Whether the account has more members after these.
    pub more: bool,
}

#[derive(Debug)]
struct Person {
    member: Record<Member>,
    teams: Vec<Record<TeamMember>>,
}

impl Roster {
    /// The range of members after `after`. `rows` limits the number of members and team rows
    /// together.
    #[must_use]
    pub fn range(account: AccountId, after: Option<UserId>, rows: u32) -> Range {
        Range {
            // `~` sorts after the rest of any key of this person's team rows.
            after: after.map(|user| format!("{}#~", Sort::member(user))),
            limit: Some(rows),
            ..Range::all(Scope::Account(account), Sort::MEMBERS)
        }
    }

    /// Takes the people from the facts. If the page was cut off, the last person may lack team
    /// rows, so the next page starts with that person.
    ///
    /// # Errors
    /// 409 if one person alone has more than the limit of rows.
    pub fn load(facts: &Facts, range: &Range) -> Result<Self, Problem> {
        let page = facts.scan(range)?;
        let mut people = people(&page.items)?;
        if page.more {
            people.pop();
        }
        if page.more && people.is_empty() {
            return Err(Problem::conflict(
                "a person is in too many teams to be listed; remove the person from some teams",
            ));
        }
        Ok(Self {
            people,
            more: page.more,
        })
    }

    /// The access of each person to the account, active or not.
    pub fn accesses<'a>(
        &'a self,
        account: Option<&'a Record<Account>>,
    ) -> impl Iterator<Item = AccountAccess<'a>> {
        self.people.iter().map(move |person| AccountAccess {
            user: person.member.id,
            account,
            member: Some(&person.member),
            teams: &person.teams,
        })
    }

    /// The id of the last person.
    #[must_use]
    pub fn last(&self) -> Option<UserId> {
        self.people.last().map(|person| person.member.id)
    }
}

fn people(items: &[Item]) -> Result<Vec<Person>, FactError> {
    let mut people: Vec<Person> = Vec::new();
    for item in items {
        match people.last_mut() {
            Some(person) if is_team_row(item) => person.teams.push(Record::decode(item)?),
            _ => people.push(Person {
                member: Record::decode(item)?,
                teams: vec![],
            }),
        }
    }
    Ok(people)
}

fn is_team_row(item: &Item) -> bool {
    let place = item.key.sort.as_str().strip_prefix(Sort::MEMBERS);
    place.is_some_and(|place| place.contains('#'))
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::{
        operation::{Answer, ReadRequest},
        testing::Fixture,
        value::AccountRole,
    };

    fn load(fixture: &Fixture, range: &Range) -> Result<Roster, Problem> {
        let mut facts = Facts::default();
        let page = fixture.store.scan(range);
        facts.insert(ReadRequest::Scan(range.clone()), Answer::Page(page));
        Roster::load(&facts, range)
    }

    #[test]
    fn case_60_page_never_splits_a_person_from_their_teams() {
        let mut fixture = Fixture::new();
        let people = ["ana", "ben", "cyd"].map(|name| fixture.person(name));
        let account = fixture.account(&people[0]);
        let teams = [0; 3].map(|_| fixture.team(&people[0], &account));
        for person in &people[1..] {
            fixture.join(&account, person, AccountRole::Member);
        }
        for (person, team) in [(0, 0), (1, 0), (1, 1), (1, 2), (2, 1)] {
            fixture.assign(&people[0], &account, &teams[team], &people[person]);
        }
        let account = account.parse().unwrap();
        for rows in 5..12 {
            let (mut after, mut found) = (None, Vec::new());
            loop {
                let roster = load(&fixture, &Roster::range(account, after, rows)).unwrap();
                let accesses = roster.accesses(None);
                found.extend(accesses.map(|access| (access.user, access.teams.len())));
                after = roster.last();
                if !roster.more {
                    break;
                }
            }
            let mut expected: Vec<_> = people
                .iter()
                .map(|person| person.actor.user)
                .zip([1, 3, 1])
                .collect();
            expected.sort();
            assert_eq!(found, expected, "{rows}");
        }
        // A page that ends after one row does not show whether team rows follow.
        let stuck = load(&fixture, &Roster::range(account, None, 1));
        assert_eq!(
            stuck.unwrap_err().kind,
            crate::operation::ProblemKind::Conflict
        );
    }
}
