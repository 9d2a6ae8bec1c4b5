//! People and what they belong to.

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
    let told = format!("Ana is {}.\nBen is {}.", ana.id, ben.id);
    Ok(((ana, ben), told))
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
    let told = format!("It is {account}, and Ana owns it.\nFor Ben it does not exist: 404.");
    Ok((account, told))
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
    // As it is sent: a type would hide a token it does not know.
    let invitation: serde_json::Value = ana.client.post(&path, &body).await.explained()?;
    ensure(
        !invitation.to_string().contains("token"),
        "the answer keeps the token to itself",
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
    let told = "The token came by mail and nowhere else. Ben is a member now.\nThe same token a second time: invitation-invalid.";
    Ok(((), told.into()))
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
    let told = format!("It is {project}.\nNobody granted Ben anything on it: 404.");
    Ok((project, told))
}
