//! Grants, what they give, and what is left when they are gone.

use std::{fs, path::Path, time::Duration};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use wm_core::value::{AccountId, GrantId, ProjectId, TeamId};

use super::stage::{Person, Site, Told, ensure, field, shown};
use crate::{commands::journal::verify, failure::Failure};

/// How long the bus may be behind.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn grant_team(
    ana: &Person,
    ben: &Person,
    project: ProjectId,
    team: &TeamId,
) -> Told<GrantId> {
    let principal = json!({ "type": "team", "id": team });
    let grant = grant(ana, project, &principal, "contributor").await?;
    let access = ben.get(&format!("/v1/projects/{project}/access")).await?;
    let reasons: Vec<Value> = field(&access, "reasons")?;
    let named = reasons.iter().any(|reason| {
        shown(reason, "source") == "team_grant" && shown(reason, "record_id") == grant.to_string()
    });
    ensure(named, "Ben's access is explained by the team's grant")?;
    let told = format!(
        "Contributor, by {grant}.\nAsked why Ben may see the project, the node names that grant."
    );
    Ok((grant, told))
}

pub(super) async fn escalate(ana: &Person, ben: &Person, project: ProjectId) -> Told<GrantId> {
    let ben_himself = json!({ "type": "user", "id": ben.id });
    let manager = grant(ana, project, &ben_himself, "manager").await?;
    let path = format!("/v1/projects/{project}/grants");
    let body = json!({ "principal": ben_himself, "role": "owner" });
    let refusal = ben
        .is_refused(Method::POST, &path, Some(&body), "escalation")
        .await?;
    ensure(refusal.status == 403, "an escalation is answered 403")?;
    ensure(
        !refusal.missing.is_empty(),
        "the refusal names what Ben lacks",
    )?;
    let missing = refusal.missing.join(", ");
    let told = format!(
        "Refused: {}.\nHe lacks {missing}, so he cannot hand it out, not even to himself.",
        refusal.detail
    );
    Ok((manager, told))
}

pub(super) async fn revoke(
    ana: &Person,
    ben: &Person,
    project: ProjectId,
    [team_grant, own_grant]: [&GrantId; 2],
) -> Told<()> {
    let path = format!("/v1/projects/{project}");
    let grants = format!("{path}/grants");
    ana.send(Method::DELETE, &format!("{grants}/{own_grant}"), None)
        .await?;
    let left = ben.get(&format!("{path}/access")).await?;
    let left: Vec<String> = field(&left, "capabilities")?;
    let has = |name: &str| left.iter().any(|capability| capability == name);
    ensure(
        has("version.create") && !has("grant.manage"),
        "revoking takes only what the grant gave",
    )?;
    let with_reason = format!("{grants}/{team_grant}?reason=the%20review%20is%20over");
    ana.send(Method::DELETE, &with_reason, None).await?;
    ben.is_refused(Method::GET, &path, None, "not-found")
        .await?;
    let artifacts = format!("{path}/artifacts");
    ben.is_refused(Method::GET, &artifacts, None, "not-found")
        .await?;
    let kept = ana.get(&format!("{grants}?include=revoked")).await?;
    let kept: Vec<Value> = field(&kept, "items")?;
    let is_kept = kept
        .iter()
        .any(|grant| shown(grant, "reason") == "the review is over");
    ensure(is_kept, "a revoked grant stays on record with its reason")?;
    let told = "After the first, the team's grant still lets Ben work.\nAfter the second, his very next request: 404. The records stay, with the reason.";
    Ok(((), told.into()))
}

pub(super) async fn verify_journals(
    site: &Site,
    ana: &Person,
    account: &AccountId,
    project: ProjectId,
) -> Told<()> {
    let mut entries = 0;
    for path in [
        format!("/v1/accounts/{account}/journal"),
        format!("/v1/projects/{project}/journal"),
    ] {
        let verdict = verify(&ana.client, &path).await?;
        ensure(verdict.valid && verdict.entries > 0, "the journal verifies")?;
        entries += verdict.entries;
    }
    let published = published(&site.data, entries).await?;
    let told = format!(
        "{entries} entries of account and project, each sealed by the next.\n{published} events are on the bus, one for every commit."
    );
    Ok(((), told))
}

async fn grant(
    by: &Person,
    project: ProjectId,
    principal: &Value,
    role: &str,
) -> Result<GrantId, Failure> {
    let body = json!({ "principal": principal, "role": role });
    let path = format!("/v1/projects/{project}/grants");
    field(&by.post(&path, &body).await?, "id")
}

/// How many events were published, once there are at least as many as entries.
async fn published(data: &Path, entries: u64) -> Result<u64, Failure> {
    let file = data.join("events.jsonl");
    let deadline = Instant::now() + PATIENCE;
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
