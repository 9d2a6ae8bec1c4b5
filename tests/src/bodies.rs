//! Records of every family: one fixed example each, and random ones.

use std::{collections::BTreeMap, fmt::Debug, str::FromStr};

use serde_json::{Map, Value, json};
use ulid::Ulid;
use wm_core::{
    catalog::Provider,
    record::{
        Account, AccountKind, AccountStatus, Artifact, Author, Body, Change, Channel, Clock,
        Content, ContentStatus, Counting, CurrentVersion, Delivery, Derived, EmailLink, EventType,
        Family, Grant, Head, Idempotency, Identity, IdentityLink, Invitation, InvitationStatus,
        JournalEntry, Layout, Member, MemberStatus, Metadata, Moved, NotMade, NotMadeReason,
        Origin, PermissionFacts, Preferences, Project, ProjectGrant, Record, Reindex, RetiredTeam,
        Revocation, Rule, RuleScope, Sequence, Team, TeamMember, Usage, User, Version, Visibility,
        WriteEvent,
    },
    storage::{Item, Scope, Sort, WorkPartitions},
    value::{
        AccountId, AccountRole, Principal, ProjectId, ProjectRole, Sha256, Size, SurfaceId,
        TeamRole, Timestamp, VersionId, id::Id,
    },
};

use crate::random_source::RandomSource;

/// A body that can be compared and printed.
pub trait Comparable: Body<Id: PartialEq + Debug> + PartialEq + Debug {}

impl<B: Body<Id: PartialEq + Debug> + PartialEq + Debug> Comparable for B {}

/// A visitor of records of different families.
pub trait Visitor {
    /// Called once per record.
    fn visit<B: Comparable>(&mut self, record: &Record<B>);
}

/// Passes one record of every family to the visitor. Each family has its own random source, so a
/// change of one family does not change the examples of others.
pub fn each_family<C: RandomSource>(random: impl Fn() -> C, visitor: &mut impl Visitor) {
    let make = || Maker(random());
    visitor.visit(&make().identified(Maker::user));
    visitor.visit(&make().digested(|make| IdentityLink { user_id: make.id() }));
    visitor.visit(&make().digested(|make| EmailLink { user_id: make.id() }));
    visitor.visit(&make().identified(Maker::account));
    visitor.visit(&make().identified(Maker::member));
    visitor.visit(&make().identified(Maker::team));
    visitor.visit(&make().identified(Maker::team_member));
    visitor.visit(&make().identified(Maker::invitation));
    let project = make().project_id();
    visitor.visit(&make().record(project, Maker::project));
    visitor.visit(&make().identified(Maker::grant));
    visitor.visit(&make().identified(Maker::artifact));
    let id = make().version_id();
    visitor.visit(&make().record(id, |make| make.version(id.number())));
    visitor.visit(&make().identified(Maker::derived));
    visitor.visit(&make().identified(Maker::metadata));
    visitor.visit(&make().identified(Maker::event));
    visitor.visit(&make().identified(Maker::preferences));
    visitor.visit(&make().digested(Maker::idempotency));
    visitor.visit(&make().digested(Maker::delivery));
    let scope = make().scope();
    visitor.visit(&make().record(scope, |make| make.head(scope)));
    let surface = SurfaceId::first(make().ulid());
    visitor.visit(&make().record(surface, Maker::layout));
    let number = u64::from(make().small());
    visitor.visit(&make().record(Sequence(number), |make| make.entry(number)));
}

/// The number of families.
pub const FAMILIES: usize = Family::Layout as usize + 1;

/// The file name of a family's golden.
#[must_use]
pub fn family_name(family: Family) -> String {
    serde_json::to_value(family)
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// The JSON document of an item: its keys, its ETag and its body exactly as stored.
#[must_use]
pub fn document(item: &Item) -> String {
    let mut text = String::from("{\n");
    let mut line = |name: &str, value: Value| text += &format!("  \"{name}\": {value},\n");
    line("scope", json!(item.key.scope));
    line("sort", json!(item.key.sort));
    for (number, key) in (1..).zip(&item.index) {
        let key = key.as_ref().map(|key| json!([key.partition, key.sort]));
        line(&format!("gsi{number}"), json!(key));
    }
    line("etag", json!(item.etag.as_str()));
    line("expires_at", json!(item.expires_at));
    text + &format!("  \"item\": {}\n}}", item.body)
}

struct Maker<C>(C);

impl<C: RandomSource> Maker<C> {
    fn identified<B: Body<Id: Id>>(&mut self, body: impl FnOnce(&mut Self) -> B) -> Record<B> {
        let id = self.id();
        self.record(id, body)
    }

    fn digested<B: Body<Id = Sha256>>(&mut self, body: impl FnOnce(&mut Self) -> B) -> Record<B> {
        let id = self.digest();
        self.record(id, body)
    }

    fn record<B: Body>(&mut self, id: B::Id, body: impl FnOnce(&mut Self) -> B) -> Record<B> {
        let body = body(self);
        let surface = SurfaceId::first(self.ulid());
        let mut clock = Clock::default();
        for _ in 0..=self.0.below(3) {
            clock = clock.advanced(surface);
        }
        let (at, by) = (self.time(), self.author());
        let first = Record::new(id, body.clone(), clock.clone(), at, by);
        if self.0.happens(1, 2) {
            let (at, by, deleted) = (self.time(), self.author(), self.0.happens(1, 4));
            let next = first.next(body, deleted, clock.advanced(surface), at, by);
            next.applied(self.time())
        } else {
            first
        }
    }

    fn ulid(&mut self) -> Ulid {
        let time = u64::try_from(self.time().millis()).unwrap_or_default();
        Ulid::from_parts(time, u128::from(self.0.number()) << 16)
    }

    fn id<T: Id>(&mut self) -> T {
        T::from_ulid(self.ulid())
    }

    /// Usually of a new version, sometimes of one of data format 1.
    fn version_id(&mut self) -> VersionId {
        let number = self.small();
        match self.0.below(4) {
            3 => VersionId::of_format_1(self.id(), number),
            _ => VersionId::new(number, self.ulid()),
        }
    }

    fn project_id(&mut self) -> ProjectId {
        let account: AccountId = self.id();
        ProjectId::new(account, self.ulid())
    }

    fn digest(&mut self) -> Sha256 {
        Sha256::of(&self.0.number().to_be_bytes())
    }

    /// Usually a recent time, rarely one at the limits of the format.
    fn time(&mut self) -> Timestamp {
        let recent = 1_800_000_000_000 + i64::from(self.0.below(u32::MAX));
        match self.0.below(16) {
            14 => Timestamp::from_millis(i64::MIN),
            15 => Timestamp::from_millis(i64::MAX),
            _ => Timestamp::from_millis(recent),
        }
    }

    fn small(&mut self) -> u32 {
        self.0.below(100_000) + 1
    }

    fn author(&mut self) -> Author {
        if self.0.happens(1, 4) {
            Author::System
        } else {
            Author::User(self.id())
        }
    }

    fn scope(&mut self) -> Scope {
        match self.0.below(3) {
            0 => Scope::Account(self.id()),
            1 => Scope::Project(self.project_id()),
            _ => Scope::User(self.id()),
        }
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.happens(3, 4).then(|| value(self))
    }

    fn several<T>(&mut self, value: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.0.below(4)).map(|_| value(self)).collect()
    }

    /// A text with letters, quotes, accents, digits and characters beyond the basic plane.
    fn text<T: FromStr<Err: Debug>>(&mut self) -> T {
        const LETTERS: [char; 12] = [
            'a', 'b', 'z', '0', '\'', 'é', 'ß', '漢', '😀', '\u{fb33}', 'ŝ', '~',
        ];
        let length = self.0.below(12) + 1;
        let text: String = (0..length).map(|_| *self.0.pick(&LETTERS)).collect();
        text.parse().unwrap()
    }

    fn word<T: FromStr<Err: Debug>>(&mut self, words: &[&str]) -> T {
        self.0.pick(words).parse().unwrap()
    }

    fn email<T: FromStr<Err: Debug>>(&mut self) -> T {
        self.word(&[
            "ana@example.com",
            "o'neil+files@mail.example.org",
            "x_1@a-b.example",
        ])
    }

    fn user(&mut self) -> User {
        User {
            name: self.maybe(Self::text),
            email: self.maybe(Self::email),
            profile_identity: self.maybe(Self::digest),
            identities: self.several(Self::identity),
            erased_at: self.maybe(Self::time),
            removed: self.several(Self::digest).into_iter().collect(),
            salt: self.digest(),
        }
    }

    fn identity(&mut self) -> Identity {
        Identity {
            digest: self.digest(),
            issuer: self.maybe(|make| make.word(&["https://issuer.test", "wm-local"])),
            linked_at: self.maybe(Self::time),
        }
    }

    fn account(&mut self) -> Account {
        const KINDS: [AccountKind; 3] = [
            AccountKind::Organisation,
            AccountKind::Consulting,
            AccountKind::Personal,
        ];
        Account {
            name: self.text(),
            kind: *self.0.pick(&KINDS),
            status: *self.0.pick(&[AccountStatus::Active, AccountStatus::Closed]),
            owners: self.several(Self::id).into_iter().collect(),
            retired_teams: self
                .several(|make| RetiredTeam(make.id()))
                .into_iter()
                .collect(),
            closed_at: self.maybe(Self::time),
            purged_at: self.maybe(Self::time),
            frozen_at: self.maybe(Self::time),
            moved: self.maybe(|make| Moved {
                surface: SurfaceId::first(make.ulid()),
                url: make.word(&["https://workspace.test"]),
                at: make.time(),
            }),
        }
    }

    fn member(&mut self) -> Member {
        const STATUSES: [MemberStatus; 3] = [
            MemberStatus::Active,
            MemberStatus::Suspended,
            MemberStatus::Removed,
        ];
        Member {
            account_id: self.id(),
            membership_id: self.id(),
            role: *self.0.pick(AccountRole::ALL),
            status: *self.0.pick(&STATUSES),
            invitation_id: self.maybe(Self::id),
        }
    }

    fn team(&mut self) -> Team {
        Team {
            account_id: self.id(),
            name: self.text(),
            may_own: self.0.happens(1, 2),
            retiring: self.0.happens(1, 2),
        }
    }

    fn team_member(&mut self) -> TeamMember {
        TeamMember {
            account_id: self.id(),
            team_id: self.id(),
            membership_id: self.id(),
            role: *self.0.pick(TeamRole::ALL),
        }
    }

    fn invitation(&mut self) -> Invitation {
        const STATUSES: [InvitationStatus; 4] = [
            InvitationStatus::Pending,
            InvitationStatus::Accepted,
            InvitationStatus::Declined,
            InvitationStatus::Revoked,
        ];
        Invitation {
            account_id: self.id(),
            email: self.email(),
            email_hash: self.digest(),
            role: *self.0.pick(AccountRole::ALL),
            teams: self.several(Self::id),
            project_grants: self.several(Self::project_grant),
            invited_by: self.id(),
            expires_at: self.time(),
            rotation: self.small(),
            status: *self.0.pick(&STATUSES),
            answered_by: self.maybe(Self::id),
            pending_grants: self.several(Self::project_grant),
            not_made: self.several(Self::not_made),
            salt: self.digest(),
        }
    }

    fn project_grant(&mut self) -> ProjectGrant {
        ProjectGrant {
            project_id: self.project_id(),
            role: *self.0.pick(ProjectRole::ALL),
            grant_id: self.id(),
        }
    }

    fn not_made(&mut self) -> NotMade {
        const REASONS: [NotMadeReason; 5] = [
            NotMadeReason::LeftAccount,
            NotMadeReason::NoProject,
            NotMadeReason::ProjectArchived,
            NotMadeReason::InviterNotEntitled,
            NotMadeReason::ProjectFull,
        ];
        NotMade {
            project_id: self.project_id(),
            reason: *self.0.pick(&REASONS),
        }
    }

    fn project(&mut self) -> Project {
        Project {
            name: self.text(),
            description: self
                .maybe(|make| make.word(&["", "two\nlines", "tab\there \\ \"quoted\""])),
            visibility: *self.0.pick(&[Visibility::Private, Visibility::Account]),
            archived: self.0.happens(1, 2),
            deleted_at: self.maybe(Self::time),
            purged_at: self.maybe(Self::time),
        }
    }

    fn principal(&mut self) -> Principal {
        if self.0.happens(1, 2) {
            Principal::Team(self.id())
        } else {
            Principal::User(self.id())
        }
    }

    fn grant(&mut self) -> Grant {
        Grant {
            project_id: self.project_id(),
            principal: self.principal(),
            membership_id: self.maybe(Self::id),
            role: *self.0.pick(ProjectRole::ALL),
            expires_at: self.maybe(Self::time),
            revoked: self.maybe(|make| Revocation {
                at: make.time(),
                by: make.maybe(Self::id),
                reason: make.maybe(Self::text),
            }),
        }
    }

    fn media_type<T: FromStr<Err: Debug>>(&mut self) -> T {
        self.word(&["application/pdf", "text/plain", "image/svg+xml"])
    }

    fn size(&mut self) -> Size {
        Size::try_from(self.0.number() % (Size::LIMIT + 1)).unwrap()
    }

    fn artifact(&mut self) -> Artifact {
        let labels: BTreeMap<_, _> = self
            .several(|make| (make.text(), make.text()))
            .into_iter()
            .collect();
        Artifact {
            project_id: self.project_id(),
            name: self.text(),
            labels,
            last_version: self.small(),
            current: self.maybe(|make| CurrentVersion {
                id: make.version_id(),
                number: make.small(),
                media_type: make.media_type(),
                size: make.size(),
                sha256: make.digest(),
            }),
            storage_provider: *self
                .0
                .pick(&[Provider::Local, Provider::Aws, Provider::Azure]),
            deleted_at: self.maybe(Self::time),
        }
    }

    fn content(&mut self) -> Content {
        const STATUSES: [ContentStatus; 5] = [
            ContentStatus::Pending,
            ContentStatus::Verifying,
            ContentStatus::Available,
            ContentStatus::Rejected,
            ContentStatus::Expired,
        ];
        Content {
            name: self.text(),
            media_type: self.media_type(),
            size: self.size(),
            sha256: self.digest(),
            status: *self.0.pick(&STATUSES),
            uploaded_by: self.id(),
            upload_expires_at: self.time(),
            upload_id: self.maybe(|make| make.word(&["2~abc", "upload/1+2=="])),
            object_version: self.maybe(|make| make.word(&["null", "3HL4kqtJvjVBH40N"])),
            stored_as: self.maybe(Self::version_id),
        }
    }

    fn version(&mut self, number: u32) -> Version {
        Version {
            project_id: self.project_id(),
            artifact_id: self.id(),
            number,
            content: self.content(),
            restored_from: self.maybe(Self::version_id),
        }
    }

    fn derived(&mut self) -> Derived {
        Derived {
            project_id: self.project_id(),
            artifact_id: self.id(),
            source_version: self.version_id(),
            kind: self.word(&["text", "thumbnail.small", "extract_2-b"]),
            content: self.content(),
            supersedes: self.maybe(Self::id),
            superseded_by: self.maybe(Self::id),
        }
    }

    fn metadata(&mut self) -> Metadata {
        let values = self.several(|make| (make.text(), make.json(3)));
        Metadata {
            project_id: self.project_id(),
            artifact_id: self.id(),
            at: self.time(),
            values: values.into_iter().collect(),
        }
    }

    /// Any JSON up to this depth, including numbers at the limits of exact representation.
    fn json(&mut self, depth: u32) -> Value {
        match self.0.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.0.happens(1, 2)),
            2 => json!(self.text::<String>()),
            3 => self
                .0
                .pick(&[
                    json!(0),
                    json!(-1),
                    json!(u64::MAX),
                    json!(i64::MIN),
                    json!(9_007_199_254_740_993_u64),
                ])
                .clone(),
            4 => self
                .0
                .pick(&[
                    json!(0.1),
                    json!(-2.5e-7),
                    json!(1e21),
                    json!(1.797e308),
                    json!(5e-324),
                ])
                .clone(),
            5 => Value::Array(self.several(|make| make.json(depth - 1))),
            _ => self
                .several(|make| (make.text(), make.json(depth - 1)))
                .into_iter()
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    fn event(&mut self) -> WriteEvent {
        WriteEvent {
            project_id: self.project_id(),
            artifact_id: self.id(),
            at: self.time(),
            kind: self.word(&["comment", "decision", "note"]),
            text: self.text(),
        }
    }

    fn preferences(&mut self) -> Preferences {
        Preferences {
            rules: self.several(|make| Rule {
                event: *make.0.pick(EventType::ALL),
                channel: Channel::Mail,
                scope: make.maybe(|make| match make.0.below(2) {
                    0 => RuleScope::Account(make.id()),
                    _ => RuleScope::Project(make.project_id()),
                }),
                enabled: make.0.happens(1, 2),
            }),
        }
    }

    fn idempotency(&mut self) -> Idempotency {
        Idempotency {
            scope: self.scope(),
            fingerprint: self.digest(),
            status: u16::try_from(200 + self.0.below(5)).unwrap(),
            records: self.several(|make| make.scope().key(Sort::team(make.id()))),
            expires_at: self.time(),
        }
    }

    fn delivery(&mut self) -> Delivery {
        Delivery {
            scope: self.scope(),
            sent: self.0.happens(1, 2),
            claimed_by: self.id(),
            claimed_until: self.time(),
            expires_at: self.time(),
        }
    }

    fn head(&mut self, scope: Scope) -> Head {
        Head {
            scope,
            surface: SurfaceId::first(self.ulid()),
            seq: u64::from(self.small()),
            hash: self.digest(),
            at: self.time(),
            usage: self.maybe(Self::usage),
            counting: self.maybe(|make| Counting {
                after: Sort::artifact(make.id()),
                usage: make.usage(),
                left_out: u64::from(make.small()),
            }),
            counted_at: self.maybe(Self::time),
            projects: self.maybe(Self::usage),
        }
    }

    fn usage(&mut self) -> Usage {
        Usage {
            artifacts: self.0.number(),
            versions: 1,
            pending_uploads: 2,
            declared_bytes: self.0.number(),
            stored_bytes: self.0.number(),
            grants: 3,
            members: 4,
            teams: 5,
            invitations: 6,
        }
    }

    fn layout(&mut self) -> Layout {
        Layout {
            number: Layout::CURRENT,
            work_partitions: if self.0.happens(1, 2) {
                WorkPartitions::MAX
            } else {
                WorkPartitions::default()
            },
            reindex: self.maybe(|make| Reindex {
                rows: make.0.number(),
                scopes: make.0.number(),
            }),
            after: self.maybe(Self::scope),
            walked_at: self.maybe(Self::time),
        }
    }

    fn entry(&mut self, seq: u64) -> JournalEntry {
        JournalEntry {
            scope: self.scope(),
            surface: SurfaceId::first(self.ulid()),
            seq,
            previous: self.digest(),
            at: self.time(),
            applied_at: self.maybe(Self::time),
            origin: self.maybe(|make| Origin {
                surface: SurfaceId::first(make.ulid()),
                from: u64::from(make.small()),
                to: u64::from(make.small()),
                page: make.digest(),
            }),
            actor: self.author(),
            request_id: self.id(),
            commit_id: self.id(),
            event: *self.0.pick(EventType::ALL),
            changes: self.several(Self::change),
        }
    }

    fn change(&mut self) -> Change {
        Change {
            key: Sort::team(self.id()).to_string(),
            family: Family::Team,
            id: self.id::<wm_core::value::TeamId>().to_string(),
            version: u64::from(self.small()),
            checksum: self.digest(),
            deleted: self.0.happens(1, 2),
            permission: PermissionFacts {
                role: self.maybe(|make| make.word(&["owner", "viewer"])),
                principal: self.maybe(Self::principal),
                expires_at: self.maybe(Self::time),
                status: self.maybe(|make| make.word(&["live", "revoked"])),
            },
        }
    }
}
