//! The reads of one page of the session, round by round.

use alloc::vec::Vec;

use super::position::{Position, ProjectPosition, Stage};
use crate::{
    operation::{
        Context, FactError, Facts, ReadRequest,
        authority::{AccountRecords, ProjectRecords},
    },
    record::{Grant, Member, Project, Record, Team, TeamMember},
    storage::{IndexRows, Key, List, Page, Scope, Sort},
    value::{AccountId, Capability, GrantId, MembershipId, Name, Principal, ProjectId},
};

/// The maximum number of projects that one page reads.
const PROJECTS: u32 = 50;
/// The maximum number of teams whose names one page reads.
const TEAMS: usize = 25;

/// The known facts of one page.
pub(super) struct Overview<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) facts: &'a Facts,
    pub(super) position: Position,
}

/// The projects of one page.
#[derive(Default)]
pub(super) struct Candidates {
    /// Projects on which the person has a grant.
    pub(super) granted: Vec<ProjectId>,
    /// Other projects of the window's accounts.
    pub(super) others: Vec<ProjectId>,
    /// The last processed grant, on this page or an earlier one.
    pub(super) last_grant: Option<GrantId>,
    /// The position of the next page.
    pub(super) next: Option<Position>,
}

impl Candidates {
    fn is_full(&self) -> bool {
        self.granted.len() + self.others.len() >= PROJECTS as usize
    }
}

impl<'a> Overview<'a> {
    /// The next reads. All are answered when the page is complete.
    pub(super) fn reads(&self) -> Result<Vec<ReadRequest>, FactError> {
        let mut reads = self.memberships_and_grants();
        // Each round depends on the answers of the previous one.
        for round in [Self::account_reads, Self::contents, Self::projects] {
            if !self.facts.has_all(&reads) {
                break;
            }
            reads = round(self)?;
        }
        Ok(reads)
    }

    fn memberships_and_grants(&self) -> Vec<ReadRequest> {
        let scope = Scope::User(self.context.user());
        let mut reads = Vec::from([
            ReadRequest::Get(scope.key(Sort::user())),
            ReadRequest::Get(scope.key(Sort::preferences())),
            ReadRequest::List(self.memberships()),
        ]);
        reads.extend(self.grants().map(ReadRequest::List));
        reads
    }

    fn account_reads(&self) -> Result<Vec<ReadRequest>, FactError> {
        let user = self.context.user();
        let window = self.window()?;
        let reads = |member: &Record<Member>| AccountRecords::reads(member.body.account_id, user);
        Ok(window.iter().flat_map(reads).collect())
    }

    /// The project lists of the accounts, and the names of the first teams.
    fn contents(&self) -> Result<Vec<ReadRequest>, FactError> {
        let mut reads = Vec::new();
        for records in self.accounts()? {
            let rows = records.teams.iter().map(|row| &row.body);
            let access = records.access();
            let current = rows.filter(|row| access.team_role(row.team_id).is_some());
            reads.extend(current.map(|row| ReadRequest::Get(team_key(row))));
        }
        reads.truncate(TEAMS);
        let lists = self.project_lists()?.into_iter();
        reads.extend(lists.map(|(_, list)| ReadRequest::List(list)));
        Ok(reads)
    }

    fn projects(&self) -> Result<Vec<ReadRequest>, FactError> {
        let user = self.context.user();
        let Candidates {
            granted, others, ..
        } = self.candidates()?;
        let reads = |project| ProjectRecords::reads(project, user);
        Ok(granted.into_iter().chain(others).flat_map(reads).collect())
    }

    fn memberships(&self) -> List {
        let rows = IndexRows::memberships_of_user(self.context.user());
        List {
            after: self.position.window.map(|after| rows.sort(after)),
            ..rows.list(Position::WINDOW)
        }
    }

    /// The list of the person's own grants. `None` if earlier pages processed all of them.
    fn grants(&self) -> Option<List> {
        let Stage::Granted(after) = &self.position.stage else {
            return None;
        };
        let rows = IndexRows::grants_to(Principal::User(self.context.user()));
        Some(List {
            after: after.map(|after| rows.sort(after)),
            ..rows.list(PROJECTS)
        })
    }

    fn grants_page(&self) -> Result<Option<&'a Page>, FactError> {
        let page = self.grants().map(|list| self.facts.list(&list));
        Ok(page.transpose()?)
    }

    fn window(&self) -> Result<Vec<Record<Member>>, FactError> {
        let page = self.facts.list(&self.memberships())?;
        Ok(Record::decode_all(&page.items)?)
    }

    /// The visible accounts of the window, each with the person's membership.
    fn visible(&self) -> Result<Vec<(Member, AccountRecords)>, FactError> {
        let mut accounts = Vec::new();
        for Record { body: member, .. } in self.window()? {
            let account = member.account_id;
            let records = AccountRecords::load(self.facts, account, self.context.user())?;
            let effective = records.access().effective();
            if effective.has(Capability::AccountView) {
                accounts.push((member, records));
            }
        }
        Ok(accounts)
    }

    /// The visible accounts of the window.
    pub(super) fn accounts(&self) -> Result<Vec<AccountRecords>, FactError> {
        let accounts = self.visible()?.into_iter();
        Ok(accounts.map(|(_, records)| records).collect())
    }

    /// The position after this window. `None` if it is the last one.
    pub(super) fn next_window(&self) -> Result<Option<Position>, FactError> {
        let more = self.facts.list(&self.memberships())?.more;
        let last = self.window()?.pop().filter(|_| more);
        Ok(last.map(|last| Position::after(last.body.membership_id)))
    }

    /// The name of a team. `None` if it was not read.
    pub(super) fn team_name(&self, row: &TeamMember) -> Result<Option<Name>, FactError> {
        let key = team_key(row);
        if !self.facts.has(&ReadRequest::Get(key.clone())) {
            return Ok(None);
        }
        let team = self.facts.record::<Team>(&key)?;
        Ok(team.map(|team| team.body.name))
    }

    /// The project list of each account that the page can reach, with the person's membership.
    fn project_lists(&self) -> Result<Vec<(MembershipId, List)>, FactError> {
        if self.grants_page()?.is_some_and(|page| page.more) {
            return Ok(Vec::new());
        }
        let done = self.position.stage.project_position();
        let list = |member: Member| {
            let here = done.filter(|place| place.membership == member.membership_id);
            let list = List {
                after: here.map(|place| place.project.clone()),
                ..IndexRows::projects_of_account(member.account_id).list(PROJECTS)
            };
            (member.membership_id, list)
        };
        let accounts = self.visible()?.into_iter().map(|(member, _)| member);
        // Earlier pages processed the accounts before this position.
        let ahead =
            |member: &Member| done.is_none_or(|place| member.membership_id >= place.membership);
        Ok(accounts.filter(ahead).map(list).collect())
    }

    /// The projects of this page, and the position of the next page.
    pub(super) fn candidates(&self) -> Result<Candidates, FactError> {
        let mut found = self.granted()?;
        if found.next.is_none() {
            found.next = self.next_window()?;
            self.fill(&mut found)?;
        }
        Ok(found)
    }

    fn granted(&self) -> Result<Candidates, FactError> {
        let mut found = Candidates {
            last_grant: self.position.stage.last_grant(),
            ..Candidates::default()
        };
        let Some(page) = self.grants_page()? else {
            return Ok(found);
        };
        let accounts = self.visible()?.into_iter();
        let accounts: Vec<AccountId> = accounts.map(|(member, _)| member.account_id).collect();
        for grant in Record::<Grant>::decode_all(&page.items)? {
            let project = grant.body.project_id;
            if accounts.contains(&project.account()) && !found.granted.contains(&project) {
                found.granted.push(project);
            }
            found.last_grant = Some(grant.id);
        }
        if page.more {
            found.next = Some(self.at(Stage::Granted(found.last_grant)));
        }
        Ok(found)
    }

    /// Adds projects of the accounts. Stops when the page is full or when a list has more projects
    /// than were read.
    fn fill(&self, found: &mut Candidates) -> Result<(), FactError> {
        let mut place = self.position.stage.project_position().cloned();
        for (membership, list) in self.project_lists()? {
            let page = self.facts.list(&list)?;
            for item in &page.items {
                if found.is_full() {
                    found.next = Some(self.at(Stage::All(found.last_grant, place)));
                    return Ok(());
                }
                let project = Record::<Project>::decode(item)?.id;
                if !found.granted.contains(&project) {
                    found.others.push(project);
                }
                let key = item.index.get(list.index.position()).cloned().flatten();
                place = key.map(|key| ProjectPosition {
                    membership,
                    project: key.sort,
                });
            }
            if page.more {
                found.next = Some(self.at(Stage::All(found.last_grant, place)));
                return Ok(());
            }
        }
        Ok(())
    }

    fn at(&self, stage: Stage) -> Position {
        Position {
            window: self.position.window,
            stage,
        }
    }

    /// The records of a project, if the person may view it and no earlier page processed it. An
    /// earlier page did so if it processed one of the person's live grants on the project.
    pub(super) fn project(
        &self,
        project: ProjectId,
        grants_before: Option<GrantId>,
    ) -> Result<Option<ProjectRecords>, FactError> {
        let user = self.context.user();
        let records = ProjectRecords::load(self.facts, project, user)?;
        let access = records.access(self.context.env.now);
        let visible = access.effective().has(Capability::ProjectView);
        let own = Principal::User(user);
        let shown = records
            .grants
            .iter()
            .any(|grant| grant.body.principal == own && Some(grant.id) <= grants_before);
        Ok((visible && !shown).then_some(records))
    }
}

fn team_key(row: &TeamMember) -> Key {
    Scope::Account(row.account_id).key(Sort::team(row.team_id))
}
