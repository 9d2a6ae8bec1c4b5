//! Grants, the access they give, and the access after their revocation.

use std::{fs, path::Path, time::Duration};

use tokio::time::{Instant, sleep};
use wm_client::{
    Method,
    api::{
        access::{AccessReason, AccessSource},
        grants::{GrantFilter, NewGrant},
        journal::JournalRef,
    },
};
use wm_core::{
    operation::ProblemKind,
    value::{AccountId, Capability, GrantId, Principal, ProjectId, ProjectRole, Reason, TeamId},
};

use super::fixture::{Person, Site, StepOutcome, ensure, valid};
use crate::{explain::Explained, failure::Failure};

/// The maximum delay of the event bus.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn grant_team(
    ana: &Person,
    ben: &Person,
    project: ProjectId,
    team: &TeamId,
) -> StepOutcome<GrantId> {
    let grant = NewGrant::new(Principal::Team(*team), ProjectRole::Contributor);
    let grant = ana.client.create_grant(project, &grant).await;
    let grant = grant.explained()?.id;
    let access = ben.client.access(project).await.explained()?;
    let is_grant = |reason: &AccessReason| {
        reason.source == AccessSource::TeamGrant && reason.record_id == grant.to_string()
    };
    ensure(
        access.reasons.iter().any(is_grant),
        "Ben's access is explained by the team's grant",
    )?;
    let outcome =
        format!("Contributor, by {grant}.\nThe node explains Ben's access with that grant.");
    Ok((grant, outcome))
}

pub(super) async fn escalate(
    ana: &Person,
    ben: &Person,
    project: ProjectId,
) -> StepOutcome<GrantId> {
    let ben_himself = Principal::User(ben.id);
    let manager = NewGrant::new(ben_himself, ProjectRole::Manager);
    let manager = ana.client.create_grant(project, &manager).await;
    let manager = manager.explained()?.id;
    let path = format!("/v1/projects/{project}/grants");
    let owner = NewGrant::new(ben_himself, ProjectRole::Owner);
    let refusal = ben
        .is_refused_with(Method::POST, &path, &owner, ProblemKind::Escalation)
        .await?;
    ensure(refusal.status == 403, "an escalation is answered 403")?;
    ensure(
        !refusal.missing.is_empty(),
        "the refusal names what Ben lacks",
    )?;
    let missing = refusal.missing.join(", ");
    let outcome = format!(
        "Refused: {}.\nHe lacks {missing}, so he cannot grant it, not even to himself.",
        refusal.detail
    );
    Ok((manager, outcome))
}

pub(super) async fn revoke(
    ana: &Person,
    ben: &Person,
    project: ProjectId,
    [team_grant, own_grant]: [&GrantId; 2],
) -> StepOutcome<()> {
    let revoked = ana.client.revoke_grant(project, *own_grant, None).await;
    revoked.explained()?;
    let remaining = ben.client.access(project).await.explained()?.capabilities;
    ensure(
        remaining.contains(&Capability::VersionCreate)
            && !remaining.contains(&Capability::GrantManage),
        "revoking takes only what the grant gave",
    )?;
    let reason: Reason = valid("the review is over")?;
    let revoked = ana.client.revoke_grant(project, *team_grant, Some(&reason));
    revoked.await.explained()?;
    let path = format!("/v1/projects/{project}");
    for path in [&path, &format!("{path}/artifacts")] {
        ben.is_refused(Method::GET, path, ProblemKind::NotFound)
            .await?;
    }
    let kept = ana.client.grants(project, GrantFilter::All, None).await;
    let kept = kept.explained()?.items;
    ensure(
        kept.iter()
            .any(|grant| grant.reason.as_ref() == Some(&reason)),
        "a revoked grant stays on record with its reason",
    )?;
    let outcome = "After the first, the team's grant still lets Ben work.\nAfter the second, his next request gets 404. The revoked grants stay on record, with the reason.";
    Ok(((), outcome.into()))
}

pub(super) async fn verify_journals(
    site: &Site,
    ana: &Person,
    account: &AccountId,
    project: ProjectId,
) -> StepOutcome<()> {
    let mut entries = 0;
    for journal in [JournalRef::Account(*account), JournalRef::Project(project)] {
        let verification = ana.client.verify_journal(journal).await.explained()?;
        ensure(
            verification.valid && verification.entries > 0,
            "the journal verifies",
        )?;
        entries += verification.entries;
    }
    let published = published(&site.data, entries).await?;
    let outcome = format!(
        "{entries} entries of account and project. The hash chain is intact.\n{published} events are on the bus, one for every commit."
    );
    Ok(((), outcome))
}

/// The number of published events, once it is at least the number of entries.
async fn published(data: &Path, entries: u64) -> Result<u64, Failure> {
    let file = data.join("events.jsonl");
    let deadline = Instant::now() + TIMEOUT;
    loop {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let count = text.lines().count() as u64;
        if count >= entries {
            return Ok(count);
        }
        ensure(
            Instant::now() < deadline,
            "every commit is on the bus within 5 seconds",
        )?;
        sleep(Duration::from_millis(50)).await;
    }
}
