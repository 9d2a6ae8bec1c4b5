//! People, their account, team and project.

use wm_client::{
    Method,
    api::{
        accounts::NewAccount,
        invitations::{InvitationAnswer, NewInvitation},
        projects::NewProject,
        teams::NewTeam,
    },
};
use wm_core::{
    operation::ProblemKind,
    record::{AccountKind, Visibility},
    value::{AccountId, AccountRole, ProjectId, TeamId, TeamRole},
};

use super::{
    fixture::{Person, Site, StepOutcome, ensure, valid},
    mail::invitation_token,
};
use crate::explain::Explained;

pub(super) async fn sign_in(site: &Site) -> StepOutcome<(Person, Person)> {
    let ana = Person::sign_in(site, "ana").await?;
    let ben = Person::sign_in(site, "ben").await?;
    let again = Person::sign_in(site, "ana").await?;
    ensure(ana.id == again.id, "the same address is the same person")?;
    ensure(ana.id != ben.id, "two addresses are two people")?;
    let outcome = format!("Ana is {}.\nBen is {}.", ana.id, ben.id);
    Ok(((ana, ben), outcome))
}

pub(super) async fn open_account(ana: &Person, ben: &Person) -> StepOutcome<AccountId> {
    let account = NewAccount {
        name: valid("Harbour Consulting")?,
        kind: AccountKind::Consulting,
    };
    let account = ana.client.create_account(&account).await.explained()?.id;
    let path = format!("/v1/accounts/{account}");
    ben.is_refused(Method::GET, &path, ProblemKind::NotFound)
        .await?;
    let outcome = format!("It is {account}, and Ana owns it.\nFor Ben it does not exist: 404.");
    Ok((account, outcome))
}

pub(super) async fn invite(
    site: &Site,
    ana: &Person,
    ben: &Person,
    account: &AccountId,
) -> StepOutcome<()> {
    let body = NewInvitation {
        email: ben.email.clone(),
        role: AccountRole::Member,
    };
    let path = format!("/v1/accounts/{account}/invitations");
    // Untyped, because a type would drop a token member that it does not know.
    let invitation: serde_json::Value = ana.client.post(&path, &body).await.explained()?;
    ensure(
        !invitation.to_string().contains("token"),
        "the answer does not contain the token",
    )?;
    let token = invitation_token(&site.data, &ben.email).await?;
    let answer = InvitationAnswer::new(token);
    ben.client.accept_invitation(&answer).await.explained()?;
    let members = ben.client.members(*account, None).await.explained()?;
    ensure(members.items.len() == 2, "the account has two members")?;
    let accept = "/v1/invitations/accept";
    let kind = ProblemKind::InvitationInvalid;
    ben.is_refused_with(Method::POST, accept, &answer, kind)
        .await?;
    let outcome = "Only the mail contained the token. Ben is a member now.\nThe same token is refused the second time: invitation-invalid.";
    Ok(((), outcome.into()))
}

pub(super) async fn make_team(
    ana: &Person,
    ben: &Person,
    account: &AccountId,
) -> StepOutcome<TeamId> {
    let name = valid("Review")?;
    let team = ana.client.create_team(*account, &NewTeam { name }).await;
    let team = team.explained()?.id;
    let role = TeamRole::Member;
    let placed = ana.client.put_team_member(*account, team, ben.id, role);
    placed.await.explained()?;
    Ok((team, format!("The team is {team}; Ben is in it.")))
}

pub(super) async fn open_project(
    ana: &Person,
    ben: &Person,
    account: &AccountId,
) -> StepOutcome<ProjectId> {
    let project = NewProject {
        name: valid("Quay 4 extension")?,
        description: Some(valid("Survey and plans")?),
        visibility: Visibility::Private,
    };
    let project = ana.client.create_project(*account, &project).await;
    let project = project.explained()?.id;
    let path = format!("/v1/projects/{project}");
    ben.is_refused(Method::GET, &path, ProblemKind::NotFound)
        .await?;
    let outcome =
        format!("It is {project}.\nBen has no role on it, so for him it does not exist: 404.");
    Ok((project, outcome))
}
