//! The people of an account with their teams.

use alloc::{format, vec, vec::Vec};

use crate::{
    operation::{FactError, Facts, Problem},
    permission::AccountAccess,
    record::{Account, Member, Record, TeamMember},
    storage::{Item, Range, Scope, Sort},
    value::{AccountId, UserId},
};

/// Consecutive members of an account, by user id, removed ones included, each with their team rows.
#[derive(Debug)]
pub struct Roster {
    people: Vec<Person>,
    /// Whether more people follow.
    pub more: bool,
}

#[derive(Debug)]
struct Person {
    member: Record<Member>,
    teams: Vec<Record<TeamMember>>,
}

impl Roster {
    /// What to scan for the people behind `after`: `rows` counts members and team rows.
    #[must_use]
    pub fn range(account: AccountId, after: Option<UserId>, rows: u32) -> Range {
        Range {
            // `~` sorts behind whatever a person's team rows go on with.
            after: after.map(|user| format!("{}#~", Sort::member(user))),
            limit: Some(rows),
            ..Range::all(Scope::Account(account), Sort::MEMBERS)
        }
    }

    /// The people out of the answer. The last one of a page that was cut off may lack team rows and is
    /// left to the next page.
    ///
    /// # Errors
    /// 409 when one person alone has more rows than were read.
    pub fn load(facts: &Facts, range: &Range) -> Result<Self, Problem> {
        let page = facts.scan(range)?;
        let mut people = people(&page.items)?;
        if page.more {
            people.pop();
        }
        if page.more && people.is_empty() {
            return Err(Problem::conflict(
                "someone is in more teams than can be looked at; take them out of some",
            ));
        }
        Ok(Self {
            people,
            more: page.more,
        })
    }

    /// The standing of everyone in the account, active or not.
    pub fn standings<'a>(
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

    /// The last person.
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
    fn case_60_a_page_never_cuts_a_person_from_their_teams() {
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
                let standings = roster.standings(None);
                found.extend(standings.map(|access| (access.user, access.teams.len())));
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
        // One row is never a whole person: nothing shows that no team row follows.
        let stuck = load(&fixture, &Roster::range(account, None, 1));
        assert_eq!(
            stuck.unwrap_err().kind,
            crate::operation::ProblemKind::Conflict
        );
    }
}
