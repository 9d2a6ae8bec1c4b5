//! People and what they belong to.

use reqwest::Method;
use serde_json::json;
use wm_core::value::{AccountId, ProjectId, TeamId};

use super::{
    mail::invitation_token,
    stage::{Person, Site, Told, ensure, field},
};

pub(super) async fn sign_in(site: &Site) -> Told<(Person, Person)> {
    let ana = Person::sign_in(site, "ana").await?;
    let ben = Person::sign_in(site, "ben").await?;
    let again = Person::sign_in(site, "ana").await?;
    ensure(ana.id == again.id, "the same address is the same person")?;
    ensure(ana.id != ben.id, "two addresses are two people")?;
    let told = format!("Ana is {}.\nBen is {}.", ana.id, ben.id);
    Ok(((ana, ben), told))
}

pub(super) async fn open_account(ana: &Person, ben: &Person) -> Told<AccountId> {
    let body = json!({ "name": "Harbour Consulting", "kind": "consulting" });
    let account = ana.post("/v1/accounts", &body).await?;
    let account: AccountId = field(&account, "id")?;
    let path = format!("/v1/accounts/{account}");
    ben.is_refused(Method::GET, &path, None, "not-found")
        .await?;
    let told = format!("It is {account}, and Ana owns it.\nFor Ben it does not exist: 404.");
    Ok((account, told))
}

pub(super) async fn invite(
    site: &Site,
    ana: &Person,
    ben: &Person,
    account: &AccountId,
) -> Told<()> {
    let body = json!({ "email": ben.email, "role": "member" });
    let path = format!("/v1/accounts/{account}/invitations");
    let invitation = ana.post(&path, &body).await?;
    ensure(
        !invitation.to_string().contains("token"),
        "the answer keeps the token to itself",
    )?;
    let token = invitation_token(&site.data, &ben.email).await?;
    let answer = json!({ "token": token });
    ben.post("/v1/invitations/accept", &answer).await?;
    let members = ben.get(&format!("/v1/accounts/{account}/members")).await?;
    let members: Vec<serde_json::Value> = field(&members, "items")?;
    ensure(members.len() == 2, "the account has two members")?;
    let accept = "/v1/invitations/accept";
    ben.is_refused(Method::POST, accept, Some(&answer), "invitation-invalid")
        .await?;
    let told = "The token came by mail and nowhere else. Ben is a member now.\nThe same token a second time: invitation-invalid.";
    Ok(((), told.into()))
}

pub(super) async fn make_team(ana: &Person, ben: &Person, account: &AccountId) -> Told<TeamId> {
    let path = format!("/v1/accounts/{account}/teams");
    let team = ana.post(&path, &json!({ "name": "Review" })).await?;
    let team: TeamId = field(&team, "id")?;
    let member = format!("{path}/{team}/members/{}", ben.id);
    let role = json!({ "role": "member" });
    ana.send(Method::PUT, &member, Some(&role)).await?;
    Ok((team, format!("The team is {team}; Ben is in it.")))
}

pub(super) async fn open_project(
    ana: &Person,
    ben: &Person,
    account: &AccountId,
) -> Told<ProjectId> {
    let body = json!({
        "name": "Quay 4 extension", "description": "Survey and plans", "visibility": "private",
    });
    let path = format!("/v1/accounts/{account}/projects");
    let project: ProjectId = field(&ana.post(&path, &body).await?, "id")?;
    let path = format!("/v1/projects/{project}");
    ben.is_refused(Method::GET, &path, None, "not-found")
        .await?;
    let told = format!("It is {project}.\nNobody granted Ben anything on it: 404.");
    Ok((project, told))
}
