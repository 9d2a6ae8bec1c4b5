//! Whom an event is mailed to, and what the mail says, without doing any input or output.
//!
//! An invitation is always mailed to the invited address: [`Invited`]. Everything else goes to members
//! who asked for it and can see what it is about: [`Topic`]. Like use-cases, both say what to read,
//! are asked again until they ask nothing new, and then answer.

use alloc::{format, string::String, vec, vec::Vec};

use crate::{
    jobs::mail::{self, Message},
    operation::{
        FactError, Facts, ReadRequest, Surface,
        authority::{AccountRecords, ProjectRecords},
    },
    record::{
        Account, Author, Channel, CloudEvent, EventType, Family, Invitation, InvitationStatus,
        Preferences, Record, RuleScope, User,
    },
    storage::{Index, Key, List, Scope, Sort},
    value::{AccountId, Capability, Email, InvitationId, ProjectId, Sha256, Timestamp, UserId},
};

/// What the mark of a mail is filed under, so that one event sends one recipient one mail however
/// often it is delivered. Keyed, so that it tells nothing about the address.
#[must_use]
pub fn delivery_id(surface: &Surface, event: &CloudEvent, to: &Email) -> Sha256 {
    let parts = [b"delivery", event.id.as_bytes(), to.as_str().as_bytes()];
    Sha256::keyed(&surface.secret, &parts)
}

/// Whether these preferences ask for an event of this scope on a channel: the rule about the project
/// counts before that about its account, and that before the general one; without any, no.
#[must_use]
pub fn wants(
    preferences: &Preferences,
    event: EventType,
    channel: Channel,
    account: AccountId,
    project: Option<ProjectId>,
) -> bool {
    let narrowest_first = [
        project.map(RuleScope::Project).map(Some),
        Some(Some(RuleScope::Account(account))),
        Some(None),
    ];
    let rule = |scope: Option<RuleScope>| {
        let mut rules = preferences.rules.iter();
        rules.find(|rule| rule.event == event && rule.channel == channel && rule.scope == scope)
    };
    let decisive = narrowest_first.into_iter().flatten().find_map(rule);
    decisive.is_some_and(|rule| rule.enabled)
}

/// An invitation that was made or sent again.
#[derive(Debug, Clone, Copy)]
pub struct Invited {
    account: AccountId,
    invitation: InvitationId,
    version: u64,
}

impl Invited {
    /// The invitation an event speaks of, if that is what happened.
    #[must_use]
    pub fn of(event: &CloudEvent) -> Option<Self> {
        let sent = [EventType::InvitationCreated, EventType::InvitationResent];
        let account = match event.data.scope {
            Scope::Account(account) if sent.contains(&event.data.event) => account,
            _ => return None,
        };
        let mut changes = event.data.changes.iter();
        let change = changes.find(|change| change.family == Family::Invitation)?;
        Some(Self {
            account,
            invitation: change.id.parse().ok()?,
            version: change.version,
        })
    }

    fn keys(&self) -> [Key; 2] {
        let scope = Scope::Account(self.account);
        [
            scope.key(Sort::invitation(self.invitation)),
            scope.key(Sort::account()),
        ]
    }

    /// What to read.
    #[must_use]
    pub fn reads(&self) -> Vec<ReadRequest> {
        self.keys().map(ReadRequest::Get).into()
    }

    /// The mail; `None` when the invitation was answered, taken back or sent again since, or has
    /// expired.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn message(
        &self,
        surface: &Surface,
        facts: &Facts,
        now: Timestamp,
    ) -> Result<Option<Message>, FactError> {
        let [invitation, account] = self.keys();
        let invitation: Option<Record<Invitation>> = facts.record(&invitation)?;
        let account: Option<Record<Account>> = facts.record(&account)?;
        let stands = |invitation: &Record<Invitation>| {
            invitation.version == self.version
                && invitation.body.status == InvitationStatus::Pending
                && now < invitation.body.expires_at
        };
        let both = invitation.filter(stands).zip(account);
        Ok(both.map(|(invitation, account)| mail::invitation(surface, &invitation, &account)))
    }
}

/// Something that happened in an account or a project, which members may have asked to be told of.
#[derive(Debug, Clone, Copy)]
pub struct Topic<'a> {
    event: &'a CloudEvent,
    account: AccountId,
    project: Option<ProjectId>,
    capability: Capability,
}

/// What one must be able to see to be told of an event; `None` for what happens to a person alone.
fn needed(event: EventType) -> Option<Capability> {
    let (family, _) = event.as_str().split_once('.')?;
    Some(match family {
        "account" => Capability::AccountView,
        "member" => Capability::MemberView,
        "team" | "team_member" => Capability::TeamView,
        "invitation" => Capability::InviteManage,
        "project" => Capability::ProjectView,
        "grant" => Capability::GrantView,
        "artifact" | "version" | "derived" => Capability::ArtifactView,
        "metadata" => Capability::MetadataView,
        "event" => Capability::EventView,
        _ => return None,
    })
}

impl<'a> Topic<'a> {
    /// The topic of an event, if there is anybody to be told.
    #[must_use]
    pub fn of(event: &'a CloudEvent) -> Option<Self> {
        let (account, project) = match event.data.scope {
            Scope::Account(account) => (account, None),
            Scope::Project(project) => (project.account(), Some(project)),
            Scope::User(_) | Scope::Identity(_) | Scope::Email(_) => return None,
        };
        Some(Self {
            event,
            account,
            project,
            capability: needed(event.data.event)?,
        })
    }

    /// A page of the people to consider: the members of the account, whom an index lists. Whether
    /// they are to be told is decided by strong reads.
    #[must_use]
    pub fn members(&self, after: Option<String>, limit: u32) -> List {
        List {
            index: Index::Gsi1,
            partition: format!("{}", Scope::Account(self.account)),
            prefix: Sort::MEMBERS.into(),
            after,
            until: None,
            limit,
        }
    }

    /// What to read about one of them: what they want first, then, for the few who do, what they can
    /// see.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn reads(&self, user: UserId, facts: &Facts) -> Result<Vec<ReadRequest>, FactError> {
        if self.event.data.actor == Author::User(user) {
            return Ok(vec![]);
        }
        let mut asks: Vec<ReadRequest> = profile_keys(user).map(ReadRequest::Get).into();
        if facts.has_all(&asks) && self.wanting(user, facts)?.is_some() {
            asks.extend(match self.project {
                None => AccountRecords::reads(self.account, user),
                Some(project) => ProjectRecords::reads(project, user),
            });
        }
        Ok(asks)
    }

    /// The address of somebody who asked to be told and has a verified one.
    fn wanting(&self, user: UserId, facts: &Facts) -> Result<Option<Email>, FactError> {
        let [profile, preferences] = profile_keys(user);
        let preferences: Option<Record<Preferences>> = facts.record(&preferences)?;
        let event = self.event.data.event;
        let wants = preferences.is_some_and(|record| {
            wants(
                &record.body,
                event,
                Channel::Mail,
                self.account,
                self.project,
            )
        });
        let profile: Option<Record<User>> = facts.record(&profile)?;
        Ok(profile.filter(|_| wants).and_then(|user| user.body.email))
    }

    /// The mail to one of them; `None` for who did it themselves, did not ask, has no verified
    /// address, or cannot see what it is about now.
    ///
    /// # Errors
    /// [`FactError`].
    pub fn message(
        &self,
        surface: &Surface,
        user: UserId,
        facts: &Facts,
        now: Timestamp,
    ) -> Result<Option<Message>, FactError> {
        if self.event.data.actor == Author::User(user) {
            return Ok(None);
        }
        let Some(to) = self.wanting(user, facts)? else {
            return Ok(None);
        };
        let (standing, project, effective) = match self.project {
            None => {
                let standing = AccountRecords::load(facts, self.account, user)?;
                let effective = standing.access().effective();
                (standing, None, effective)
            }
            Some(project) => {
                let records = ProjectRecords::load(facts, project, user)?;
                let effective = records.access(now).effective();
                (records.standing, records.project, effective)
            }
        };
        let account = standing.account.filter(|_| effective.has(self.capability));
        Ok(account
            .map(|account| mail::notification(surface, to, self.event, &account, project.as_ref())))
    }
}

fn profile_keys(user: UserId) -> [Key; 2] {
    let scope = Scope::User(user);
    [scope.key(Sort::user()), scope.key(Sort::preferences())]
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        operation::Answer,
        record::{JournalEntry, Rule},
        storage::Range,
        testing::{Fixture, Person},
        value::AccountRole,
    };

    /// The last event of a scope.
    fn last_event(world: &Fixture, scope: Scope) -> CloudEvent {
        let mut items = world.store.scan(&Range::all(scope, Sort::JOURNAL)).items;
        let entry = Record::<JournalEntry>::decode(&items.pop().unwrap()).unwrap();
        CloudEvent::of(&entry.body)
    }

    fn answer(world: &Fixture, asks: Vec<ReadRequest>, facts: &mut Facts) {
        for ask in asks {
            let answer = match &ask {
                ReadRequest::Get(key) => Answer::Item(world.store.get(key).cloned()),
                ReadRequest::Scan(range) => Answer::Page(world.store.scan(range)),
                other => panic!("{other:?} is not read for a mail"),
            };
            facts.insert(ask, answer);
        }
    }

    fn told(world: &Fixture, event: &CloudEvent, person: &Person) -> Option<Message> {
        let topic = Topic::of(event)?;
        let (user, mut facts) = (person.actor.user, Facts::default());
        for _ in 0..2 {
            let asks = topic.reads(user, &facts).unwrap();
            answer(world, asks, &mut facts);
        }
        let surface = &world.surface;
        topic.message(surface, user, &facts, world.now).unwrap()
    }

    fn prefer(world: &mut Fixture, person: &Person, rules: &[(Option<&str>, bool)], event: &str) {
        let rule = |(scope, enabled): &(Option<&str>, bool)| json!({ "event": event, "channel": "mail", "scope": scope, "enabled": enabled });
        let rules: Vec<Value> = rules.iter().map(rule).collect();
        let body = json!({ "rules": rules });
        world
            .put(person, "/v1/preferences/notifications", body)
            .expect(200);
    }

    fn project_scope(project: &str) -> Scope {
        Scope::Project(project.parse().unwrap())
    }

    #[test]
    fn the_narrower_rule_wins() {
        let project: ProjectId = "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp42"
            .parse()
            .unwrap();
        let rule = |scope, enabled| Rule {
            event: EventType::GrantCreated,
            channel: Channel::Mail,
            scope,
            enabled,
        };
        let asks = |rules: Vec<Rule>, project: Option<ProjectId>| {
            let account = "acc_01h2xcejqtf2nbrexx3vqjhp41".parse().unwrap();
            let preferences = Preferences { rules };
            wants(
                &preferences,
                EventType::GrantCreated,
                Channel::Mail,
                account,
                project,
            )
        };
        let account = Some(RuleScope::Account(project.account()));
        let narrow = Some(RuleScope::Project(project));
        assert!(!asks(vec![], Some(project)));
        assert!(asks(vec![rule(None, true)], Some(project)));
        assert!(!asks(
            vec![rule(None, true), rule(account, false)],
            Some(project)
        ));
        let all = vec![rule(narrow, true), rule(None, true), rule(account, false)];
        assert!(asks(all.clone(), Some(project)));
        assert!(!asks(all, None));
    }

    #[test]
    fn every_event_of_an_account_or_project_has_a_capability() {
        for event in EventType::ALL {
            let personal = ["user.", "identity.", "preferences."];
            let personal = personal
                .iter()
                .any(|start| event.as_str().starts_with(start));
            assert_eq!(needed(*event).is_none(), personal, "{}", event.as_str());
        }
    }

    #[test]
    fn whoever_asked_and_can_see_it_is_told() {
        let mut world = Fixture::new();
        let (ana, ben, eve) = (
            world.person("ana"),
            world.person("ben"),
            world.person("eve"),
        );
        let account = world.account(&ana);
        world.join(&account, &ben, AccountRole::Admin);
        world.join(&account, &eve, AccountRole::Member);
        for person in [&ana, &ben, &eve] {
            prefer(
                &mut world,
                person,
                &[(Some(&account), true)],
                "project.created",
            );
        }
        let project = world.project(&ana, &account);
        let event = last_event(&world, project_scope(&project));
        let mail = told(&world, &event, &ben).unwrap();
        assert_eq!(mail.to.as_str(), "ben@example.com");
        assert_eq!(mail.subject, "Survey: project.created");
        assert!(mail.text.contains(&project));
        // The first did it; the second cannot see the private project.
        assert_eq!(told(&world, &event, &ana), None);
        assert_eq!(told(&world, &event, &eve), None);
        // A rule about the project silences the one about the account.
        let rules = [
            (Some(account.as_str()), true),
            (Some(project.as_str()), false),
        ];
        prefer(&mut world, &ben, &rules, "project.created");
        assert_eq!(told(&world, &event, &ben), None);
    }

    #[test]
    fn case_36_a_suspended_member_is_told_nothing() {
        let mut world = Fixture::new();
        let (ana, ben) = (world.person("ana"), world.person("ben"));
        let account = world.account(&ana);
        world.join(&account, &ben, AccountRole::Admin);
        prefer(&mut world, &ben, &[(None, true)], "team.created");
        world.team(&ana, &account);
        let event = last_event(&world, Scope::Account(account.parse().unwrap()));
        assert!(told(&world, &event, &ben).is_some());
        let path = format!("/v1/accounts/{account}/members/{}", ben.id());
        world
            .patch(&ana, &path, json!({ "status": "suspended" }))
            .expect(200);
        assert_eq!(told(&world, &event, &ben), None);
    }

    #[test]
    fn an_invitation_is_mailed_while_this_sending_of_it_stands() {
        let mut world = Fixture::new();
        let ana = world.person("ana");
        let account = world.account(&ana);
        let path = format!("/v1/accounts/{account}/invitations");
        let body = json!({ "email": "ben@example.com", "role": "member" });
        let id = world.post(&ana, &path, body).expect(201).id();
        let scope = Scope::Account(account.parse().unwrap());
        let event = last_event(&world, scope);
        let mail = |world: &Fixture, event: &CloudEvent| {
            let invited = Invited::of(event).unwrap();
            let mut facts = Facts::default();
            answer(world, invited.reads(), &mut facts);
            let surface = &world.surface;
            invited.message(surface, &facts, world.now).unwrap()
        };
        let first = mail(&world, &event).unwrap();
        assert_eq!(first.to.as_str(), "ben@example.com");
        let link = "http://surface.test/invitations/accept?token=";
        let line = first.text.lines().find(|line| line.starts_with(link));
        assert_eq!(line.unwrap().len(), link.len() + 92);
        let resend = format!("{path}/{id}/resend");
        world.send(&ana, "POST", &resend, &[], None).expect(200);
        assert_eq!(mail(&world, &event), None);
        let again = mail(&world, &last_event(&world, scope)).unwrap();
        assert_ne!(again.text, first.text);
        // Only an invitation's own events carry it.
        world.delete(&ana, &format!("{path}/{id}")).expect(204);
        assert!(Invited::of(&last_event(&world, scope)).is_none());
    }

    #[test]
    fn one_event_and_recipient_make_one_mark() {
        let mut world = Fixture::new();
        let ana = world.person("ana");
        let scope = Scope::User(ana.actor.user);
        let event = last_event(&world, scope);
        let [ana, ben] = ["ana@example.com", "ben@example.com"].map(|to| to.parse().unwrap());
        let mark = delivery_id(&world.surface, &event, &ana);
        assert_eq!(mark, delivery_id(&world.surface, &event.clone(), &ana));
        assert_ne!(mark, delivery_id(&world.surface, &event, &ben));
    }
}
