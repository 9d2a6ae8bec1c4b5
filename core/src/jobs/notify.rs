//! Recipients and texts of the mails about an event, without input and output.
//!
//! An invitation is always mailed to the invited address: [`Invited`]. All other mails go to
//! members who asked for them and may see what the event is about: [`Topic`]. Like use-cases, both
//! name their reads until they need no new ones, and then give the message.

use alloc::{string::String, vec, vec::Vec};

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
    storage::{IndexRows, Key, List, Scope, Sort},
    value::{AccountId, Capability, Email, InvitationId, ProjectId, Sha256, Timestamp, UserId},
};

/// The id of the delivery claim of a mail, so that one event sends one mail to one recipient. It is
/// a keyed hash, so it reveals nothing about the address.
#[must_use]
pub fn delivery_id(surface: &Surface, event: &CloudEvent, to: &Email) -> Sha256 {
    let parts = [b"delivery", event.id.as_bytes(), to.as_str().as_bytes()];
    Sha256::keyed(&surface.secret, &parts)
}

/// Whether these preferences ask for an event of this scope on a channel. A rule for the project
/// takes precedence over a rule for its account, and both over a general rule. Default: no.
#[must_use]
pub fn is_subscribed(
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
    let matching_rule = narrowest_first.into_iter().flatten().find_map(rule);
    matching_rule.is_some_and(|rule| rule.enabled)
}

/// An invitation that was created or sent again.
#[derive(Debug, Clone, Copy)]
pub struct Invited {
    account: AccountId,
    invitation: InvitationId,
    version: u64,
}

impl Invited {
    /// The invitation of this event, if the event created it or sent it again.
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

    /// The reads that [`Invited::message`] needs.
    #[must_use]
    pub fn reads(&self) -> Vec<ReadRequest> {
        self.keys().map(ReadRequest::Get).into()
    }

    /// The mail. `None` if the invitation expired or was since answered, revoked or sent again.
    ///
    /// # Errors
    /// [`FactError`] if a fact is missing or damaged.
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
            invitation.version() == self.version
                && invitation.body.status == InvitationStatus::Pending
                && now < invitation.body.expires_at
        };
        let both = invitation.filter(stands).zip(account);
        Ok(both.map(|(invitation, account)| mail::invitation(surface, &invitation, &account)))
    }
}

/// An event of an account or a project that members may have asked for.
#[derive(Debug, Clone, Copy)]
pub struct Topic<'a> {
    event: &'a CloudEvent,
    account: AccountId,
    project: Option<ProjectId>,
    capability: Capability,
}

/// The capability that a recipient needs. `None` for events of one person alone.
fn required_capability(event: EventType) -> Option<Capability> {
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
    /// The topic of an event, if members can be notified of it.
    #[must_use]
    pub fn of(event: &'a CloudEvent) -> Option<Self> {
        let (account, project) = match event.data.scope {
            Scope::Account(account) => (account, None),
            Scope::Project(project) => (project.account(), Some(project)),
            Scope::User(_) | Scope::Identity(_) | Scope::Email(_) | Scope::Surface => return None,
        };
        Some(Self {
            event,
            account,
            project,
            capability: required_capability(event.data.event)?,
        })
    }

    /// One page of the account's members, read from an index. Strong reads then decide which of
    /// them get a mail.
    #[must_use]
    pub fn members(&self, after: Option<String>, limit: u32) -> List {
        List {
            after,
            ..IndexRows::members_of_account(self.account).list(limit)
        }
    }

    /// The reads about one member: first their preferences, then, if they want the mail, their
    /// access.
    ///
    /// # Errors
    /// [`FactError`] if a fact is missing or damaged.
    pub fn reads(&self, user: UserId, facts: &Facts) -> Result<Vec<ReadRequest>, FactError> {
        if self.event.data.actor == Author::User(user) {
            return Ok(vec![]);
        }
        let mut reads: Vec<ReadRequest> = profile_keys(user).map(ReadRequest::Get).into();
        if facts.has_all(&reads) && self.subscribed_email(user, facts)?.is_some() {
            reads.extend(match self.project {
                None => AccountRecords::reads(self.account, user),
                Some(project) => ProjectRecords::reads(project, user),
            });
        }
        Ok(reads)
    }

    /// The verified address of a member who asked for this event.
    fn subscribed_email(&self, user: UserId, facts: &Facts) -> Result<Option<Email>, FactError> {
        let [profile, preferences] = profile_keys(user);
        let preferences: Option<Record<Preferences>> = facts.record(&preferences)?;
        let event = self.event.data.event;
        let is_subscribed = preferences.is_some_and(|record| {
            is_subscribed(
                &record.body,
                event,
                Channel::Mail,
                self.account,
                self.project,
            )
        });
        let profile: Option<Record<User>> = facts.record(&profile)?;
        Ok(profile
            .filter(|_| is_subscribed)
            .and_then(|user| user.body.email))
    }

    /// The mail to one member. `None` if the member caused the event, did not ask for it, has no
    /// verified address, or may not see what it is about at this time.
    ///
    /// # Errors
    /// [`FactError`] if a fact is missing or damaged.
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
        let Some(to) = self.subscribed_email(user, facts)? else {
            return Ok(None);
        };
        let (account_records, project, effective) = match self.project {
            None => {
                let account_records = AccountRecords::load(facts, self.account, user)?;
                let effective = account_records.access().effective();
                (account_records, None, effective)
            }
            Some(project) => {
                let records = ProjectRecords::load(facts, project, user)?;
                let effective = records.access(now).effective();
                (records.account_records, records.project, effective)
            }
        };
        let account = account_records
            .account
            .filter(|_| effective.has(self.capability));
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
    use alloc::format;

    use serde_json::{Value, json};

    use super::*;
    use crate::{
        operation::Answer,
        record::{JournalEntry, Rule},
        storage::Range,
        testing::{Fixture, Person},
        value::AccountRole,
    };

    fn last_event(fixture: &Fixture, scope: Scope) -> CloudEvent {
        let mut items = fixture.store.scan(&Range::all(scope, Sort::JOURNAL)).items;
        let entry = Record::<JournalEntry>::decode(&items.pop().unwrap()).unwrap();
        CloudEvent::of(&entry.body)
    }

    fn answer(fixture: &Fixture, reads: Vec<ReadRequest>, facts: &mut Facts) {
        for read in reads {
            let answer = match &read {
                ReadRequest::Get(key) => Answer::Item(fixture.store.get(key).cloned()),
                ReadRequest::Scan(range) => Answer::Page(fixture.store.scan(range)),
                other => panic!("{other:?} is not a read for a mail"),
            };
            facts.insert(read, answer);
        }
    }

    fn mail_to(fixture: &Fixture, event: &CloudEvent, person: &Person) -> Option<Message> {
        let topic = Topic::of(event)?;
        let (user, mut facts) = (person.actor.user, Facts::default());
        for _ in 0..2 {
            let reads = topic.reads(user, &facts).unwrap();
            answer(fixture, reads, &mut facts);
        }
        let surface = &fixture.surface;
        topic.message(surface, user, &facts, fixture.now).unwrap()
    }

    fn prefer(fixture: &mut Fixture, person: &Person, rules: &[(Option<&str>, bool)], event: &str) {
        let rule = |(scope, enabled): &(Option<&str>, bool)| json!({ "event": event, "channel": "mail", "scope": scope, "enabled": enabled });
        let rules: Vec<Value> = rules.iter().map(rule).collect();
        let body = json!({ "rules": rules });
        fixture
            .put(person, "/v1/preferences/notifications", body)
            .expect(200);
    }

    fn project_scope(project: &str) -> Scope {
        Scope::Project(project.parse().unwrap())
    }

    #[test]
    fn narrower_rule_wins() {
        let project: ProjectId = "prj_01h2xcejqtf2nbrexx3vqjhp4101h2xcejqtf2nbrexx3vqjhp42"
            .parse()
            .unwrap();
        let rule = |scope, enabled| Rule {
            event: EventType::GrantCreated,
            channel: Channel::Mail,
            scope,
            enabled,
        };
        let enabled = |rules: Vec<Rule>, project: Option<ProjectId>| {
            let account = "acc_01h2xcejqtf2nbrexx3vqjhp41".parse().unwrap();
            let preferences = Preferences { rules };
            is_subscribed(
                &preferences,
                EventType::GrantCreated,
                Channel::Mail,
                account,
                project,
            )
        };
        let account = Some(RuleScope::Account(project.account()));
        let narrow = Some(RuleScope::Project(project));
        assert!(!enabled(vec![], Some(project)));
        assert!(enabled(vec![rule(None, true)], Some(project)));
        assert!(!enabled(
            vec![rule(None, true), rule(account, false)],
            Some(project)
        ));
        let all = vec![rule(narrow, true), rule(None, true), rule(account, false)];
        assert!(enabled(all.clone(), Some(project)));
        assert!(!enabled(all, None));
    }

    #[test]
    fn every_account_and_project_event_needs_a_capability() {
        for event in EventType::ALL {
            let personal = ["user.", "identity.", "preferences."];
            let personal = personal
                .iter()
                .any(|start| event.as_str().starts_with(start));
            assert_eq!(
                required_capability(*event).is_none(),
                personal,
                "{}",
                event.as_str()
            );
        }
    }

    #[test]
    fn member_who_asked_and_has_access_is_notified() {
        let mut fixture = Fixture::new();
        let (ana, ben, eve) = (
            fixture.person("ana"),
            fixture.person("ben"),
            fixture.person("eve"),
        );
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        fixture.join(&account, &eve, AccountRole::Member);
        for person in [&ana, &ben, &eve] {
            prefer(
                &mut fixture,
                person,
                &[(Some(&account), true)],
                "project.created",
            );
        }
        let project = fixture.project(&ana, &account);
        let event = last_event(&fixture, project_scope(&project));
        let mail = mail_to(&fixture, &event, &ben).unwrap();
        assert_eq!(mail.to.as_str(), "ben@example.com");
        assert_eq!(mail.subject, "Survey: project.created");
        assert!(mail.text.contains(&project));
        // Ana caused the event. Eve cannot see the private project.
        assert_eq!(mail_to(&fixture, &event, &ana), None);
        assert_eq!(mail_to(&fixture, &event, &eve), None);
        // A rule for the project disables what the rule for the account enables.
        let rules = [
            (Some(account.as_str()), true),
            (Some(project.as_str()), false),
        ];
        prefer(&mut fixture, &ben, &rules, "project.created");
        assert_eq!(mail_to(&fixture, &event, &ben), None);
    }

    #[test]
    fn case_36_suspended_member_is_not_notified() {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        fixture.join(&account, &ben, AccountRole::Admin);
        prefer(&mut fixture, &ben, &[(None, true)], "team.created");
        fixture.team(&ana, &account);
        let event = last_event(&fixture, Scope::Account(account.parse().unwrap()));
        assert!(mail_to(&fixture, &event, &ben).is_some());
        let path = format!("/v1/accounts/{account}/members/{}", ben.id());
        fixture
            .patch(&ana, &path, json!({ "status": "suspended" }))
            .expect(200);
        assert_eq!(mail_to(&fixture, &event, &ben), None);
    }

    #[test]
    fn invitation_is_mailed_only_for_its_latest_sending() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let account = fixture.account(&ana);
        let path = format!("/v1/accounts/{account}/invitations");
        let body = json!({ "email": "ben@example.com", "role": "member" });
        let id = fixture.post(&ana, &path, body).expect(201).id();
        let scope = Scope::Account(account.parse().unwrap());
        let event = last_event(&fixture, scope);
        let mail = |fixture: &Fixture, event: &CloudEvent| {
            let invited = Invited::of(event).unwrap();
            let mut facts = Facts::default();
            answer(fixture, invited.reads(), &mut facts);
            let surface = &fixture.surface;
            invited.message(surface, &facts, fixture.now).unwrap()
        };
        let first = mail(&fixture, &event).unwrap();
        assert_eq!(first.to.as_str(), "ben@example.com");
        let link = "http://surface.test/invitations/accept?token=";
        let line = first.text.lines().find(|line| line.starts_with(link));
        assert_eq!(line.unwrap().len(), link.len() + 92);
        let resend = format!("{path}/{id}/resend");
        fixture.send(&ana, "POST", &resend, &[], None).expect(200);
        assert_eq!(mail(&fixture, &event), None);
        let again = mail(&fixture, &last_event(&fixture, scope)).unwrap();
        assert_ne!(again.text, first.text);
        // Events of other types carry no invitation.
        fixture.delete(&ana, &format!("{path}/{id}")).expect(204);
        assert!(Invited::of(&last_event(&fixture, scope)).is_none());
    }

    #[test]
    fn delivery_id_is_stable_and_differs_by_recipient() {
        let mut fixture = Fixture::new();
        let ana = fixture.person("ana");
        let scope = Scope::User(ana.actor.user);
        let event = last_event(&fixture, scope);
        let [ana, ben] = ["ana@example.com", "ben@example.com"].map(|to| to.parse().unwrap());
        let id = delivery_id(&fixture.surface, &event, &ana);
        assert_eq!(id, delivery_id(&fixture.surface, &event.clone(), &ana));
        assert_ne!(id, delivery_id(&fixture.surface, &event, &ben));
    }
}
