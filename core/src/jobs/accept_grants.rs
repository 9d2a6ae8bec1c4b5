//! Creation of the project grants of an accepted invitation.

use alloc::{boxed::Box, vec::Vec};

use crate::{
    jobs::Finished,
    operation::{
        Commit, Context, Facts, Outcome, Problem, ReadRequest, UseCase,
        authority::{AccountRecords, ProjectRecords, head_key},
        grants,
    },
    permission::{Permit, Refusal},
    record::{
        EventType, Grant, Invitation, InvitationStatus, NotMade, NotMadeReason, ProjectGrant,
        Record,
    },
    storage::{Key, Scope, Sort},
    value::{AccountId, Capability, InvitationId, MembershipId, Principal, UserId},
};

/// Finishes an accepted invitation. It makes the grants with one commit in each project and then
/// marks the invitation as completed.
///
/// Each grant is made in the inviter's name and with the authority that the inviter has on the
/// project at that moment. Grants that cannot be made are listed in the invitation with the reason.
/// None is made if the person left the account. The ids of the grants were fixed with the
/// invitation, so an interrupted job can start again and makes each grant once, even if a grant was
/// revoked meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AcceptGrants {
    pub account: AccountId,
    pub invitation: InvitationId,
}

/// The job for this key, if it is the key of an invitation.
#[must_use]
pub fn accept_grants(key: &Key) -> Option<Box<dyn UseCase<Finished>>> {
    let Scope::Account(account) = key.scope else {
        return None;
    };
    let invitation = key.sort.as_str().strip_prefix(Sort::INVITATIONS)?;
    let invitation = invitation.parse().ok()?;
    Some(Box::new(AcceptGrants {
        account,
        invitation,
    }))
}

impl AcceptGrants {
    fn scope(&self) -> Scope {
        Scope::Account(self.account)
    }

    fn key(&self) -> Key {
        self.scope().key(Sort::invitation(self.invitation))
    }

    /// The invitation and the person who accepted it, while grants are pending.
    fn pending(&self, facts: &Facts) -> Result<Option<(Record<Invitation>, UserId)>, Problem> {
        let invitation: Option<Record<Invitation>> = facts.record(&self.key())?;
        let pending = invitation.filter(|invitation| {
            invitation.body.status == InvitationStatus::Accepted
                && !invitation.body.pending_grants.is_empty()
        });
        Ok(pending.and_then(|invitation| {
            let user = invitation.body.answered_by?;
            Some((invitation, user))
        }))
    }

    /// The stay that began with the invitation, while it lasts.
    fn stay(&self, facts: &Facts, user: UserId) -> Result<Option<MembershipId>, Problem> {
        let records = AccountRecords::load(facts, self.account, user)?;
        let member = records.access().membership().map(|member| &member.body);
        let member = member.filter(|member| member.invitation_id == Some(self.invitation));
        Ok(member.map(|member| member.membership_id))
    }
}

/// The next step towards a grant.
enum Step {
    /// The commit that makes the grant.
    Make(Box<Outcome<Finished>>),
    /// The grant exists.
    Made,
    /// The grant cannot be made.
    Refused(NotMadeReason),
}

/// Decides about one grant.
fn step(
    context: &Context<'_>,
    facts: &Facts,
    inviter: UserId,
    pending: &ProjectGrant,
    grant: Grant,
) -> Result<Step, Problem> {
    let records = ProjectRecords::load(facts, pending.project_id, inviter)?;
    if grants::find(facts, &records, pending.project_id, pending.grant_id)?.is_some() {
        return Ok(Step::Made);
    }
    let access = records.access(context.env.now);
    let permit = match access.permit(pending.project_id, Capability::GrantManage) {
        Ok(permit) => permit,
        Err(refusal) => {
            return Ok(Step::Refused(match refusal {
                Refusal::Hidden => NotMadeReason::NoProject,
                Refusal::Archived => NotMadeReason::ProjectArchived,
                Refusal::Missing(_) => NotMadeReason::InviterNotEntitled,
            }));
        }
    };
    if grants::outranks(&access, pending.role).is_err() {
        return Ok(Step::Refused(NotMadeReason::InviterNotEntitled));
    }
    if grants::check_limit(&records.grants).is_err() {
        return Ok(Step::Refused(NotMadeReason::ProjectFull));
    }
    let mut commit = Commit::open(context, permit, records.head)?;
    commit.create(pending.grant_id, grant);
    let outcome = commit.prepare(EventType::GrantCreated)?;
    Ok(Step::Make(Box::new(outcome)))
}

fn grant(pending: &ProjectGrant, user: UserId, stay: MembershipId) -> Grant {
    Grant {
        project_id: pending.project_id,
        principal: Principal::User(user),
        membership_id: Some(stay),
        role: pending.role,
        expires_at: None,
        revoked: None,
    }
}

impl UseCase<Finished> for AcceptGrants {
    fn reads(&self, _: &Context<'_>, facts: &Facts) -> Result<Vec<ReadRequest>, Problem> {
        let first = Vec::from([head_key(self.scope()), self.key()].map(ReadRequest::Get));
        if !facts.has_all(&first) {
            return Ok(first);
        }
        let Some((invitation, user)) = self.pending(facts)? else {
            return Ok(first);
        };
        let Invitation {
            invited_by,
            pending_grants,
            ..
        } = &invitation.body;
        let mut reads = AccountRecords::reads(self.account, user);
        let projects = pending_grants.iter().map(|grant| grant.project_id);
        reads.extend(projects.flat_map(|project| ProjectRecords::reads(project, *invited_by)));
        if facts.has_all(&reads) {
            // Read after the live grants, so that a grant that is revoked between the two reads is
            // seen as revoked.
            let revoked = |grant: &ProjectGrant| {
                ReadRequest::Get(grants::revoked_key(grant.project_id, grant.grant_id))
            };
            reads.extend(pending_grants.iter().map(revoked));
        }
        Ok(reads)
    }

    fn decide(&self, context: &Context<'_>, facts: &Facts) -> Result<Outcome<Finished>, Problem> {
        let Some((invitation, user)) = self.pending(facts)? else {
            return Ok(Outcome::Reply(Finished::default()));
        };
        let body = &invitation.body;
        let stay = self.stay(facts, user)?;
        let mut not_made = body.not_made.clone();
        // One commit per grant: the executor runs it and then decides again.
        for pending in &body.pending_grants {
            let next = match stay {
                Some(stay) => {
                    let grant = grant(pending, user, stay);
                    step(context, facts, body.invited_by, pending, grant)?
                }
                None => Step::Refused(NotMadeReason::LeftAccount),
            };
            match next {
                Step::Make(outcome) => return Ok(*outcome),
                Step::Made => {}
                Step::Refused(reason) => not_made.push(NotMade {
                    project_id: pending.project_id,
                    reason,
                }),
            }
        }
        let head = facts.record(&head_key(self.scope()))?;
        let mut commit = Commit::open(
            context,
            Permit::complete_invitation(&invitation.body)?,
            head,
        )?;
        let completed = Invitation {
            pending_grants: Vec::new(),
            not_made,
            ..body.clone()
        };
        commit.update(&invitation, completed);
        commit.conclude(EventType::InvitationCompleted, Finished::default())
    }

    fn writes(&self, _: &Context<'_>) -> Option<Scope> {
        Some(self.scope())
    }
}

#[cfg(test)]
mod tests {
    use alloc::{format, string::String};

    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{Fixture, Person};

    /// An accepted invitation for a guest, with pending grants on these projects.
    fn accepted(
        fixture: &mut Fixture,
        ana: &Person,
        ben: &Person,
        projects: &[(&str, &str)],
    ) -> Value {
        let account = projects.first().map(|(project, _)| account_of(project));
        let account = account.unwrap();
        let grant = |(project, role): &(&str, &str)| json!({ "project_id": project, "role": role });
        let grants: Vec<Value> = projects.iter().map(grant).collect();
        let email = "ben@example.com";
        let body = json!({ "email": email, "role": "guest", "project_grants": grants });
        let id = fixture.invite(ana, &account, body);
        fixture.finishes = false;
        let body = json!({ "token": fixture.token(&account, &id) });
        let answer = fixture
            .post(ben, "/v1/invitations/accept", body)
            .expect(200);
        fixture.finishes = true;
        answer.body
    }

    fn account_of(project: &str) -> String {
        let project: crate::value::ProjectId = project.parse().unwrap();
        format!("{}", project.account())
    }

    fn work(answer: &Value) -> AcceptGrants {
        let id = |name: &str| answer["invitation"][name].as_str().unwrap();
        AcceptGrants {
            account: id("account_id").parse().unwrap(),
            invitation: id("id").parse().unwrap(),
        }
    }

    fn fixture() -> (Fixture, Person, Person, String, String) {
        let mut fixture = Fixture::new();
        let (ana, ben) = (fixture.person("ana"), fixture.person("ben"));
        let account = fixture.account(&ana);
        let (one, two) = (
            fixture.project(&ana, &account),
            fixture.project(&ana, &account),
        );
        (fixture, ana, ben, one, two)
    }

    fn sees(fixture: &mut Fixture, person: &Person, project: &str) -> bool {
        let answer = fixture.get(person, &format!("/v1/projects/{project}"));
        answer.status == 200
    }

    #[test]
    fn pending_grants_are_made_after_any_interruption() {
        for commits in 0..3 {
            let (mut fixture, ana, ben, one, two) = fixture();
            let projects = [(one.as_str(), "viewer"), (two.as_str(), "manager")];
            let answer = accepted(&mut fixture, &ana, &ben, &projects);
            assert_eq!(answer["pending"], json!([one, two]));
            let work = work(&answer);
            for _ in 0..commits {
                let outcome = fixture.decide(&ben, &work, None).unwrap();
                let (Outcome::Prepare(batch) | Outcome::Commit(batch, _)) = outcome else {
                    panic!("work must be pending")
                };
                fixture.commit(&batch);
            }
            fixture.run(&ben, &work, None).unwrap();
            assert!(sees(&mut fixture, &ben, &one) && sees(&mut fixture, &ben, &two));
            let grants = fixture.get(&ana, &format!("/v1/projects/{one}/grants"));
            let grants = grants.expect(200).body["items"].clone();
            assert_eq!(grants.as_array().unwrap().len(), 2);
            // The grants are made in the inviter's name. A second run has nothing to do.
            let made = grants.as_array().unwrap().iter();
            let made = made.filter(|grant| grant["principal"]["id"] == ben.id());
            let authors: Vec<&Value> = made.map(|grant| &grant["created_by"]).collect();
            assert_eq!(authors, [&json!(ana.id())]);
            let before = fixture.dump();
            fixture.run(&ben, &work, None).unwrap();
            assert_eq!(fixture.dump(), before);
        }
    }

    #[test]
    fn pending_grants_stay_in_the_work_index_until_made() {
        let (mut fixture, ana, ben, one, _) = fixture();
        let answer = accepted(&mut fixture, &ana, &ben, &[(&one, "viewer")]);
        let work = work(&answer);
        let due = |fixture: &Fixture| {
            let item = fixture.store.get(&work.key()).unwrap();
            let row = item.index.first().cloned().flatten();
            row.map(|row| row.sort)
        };
        let expected = fixture.now.after(Invitation::FINISHING).millis();
        assert!(
            due(&fixture)
                .unwrap()
                .starts_with(&format!("{expected:020}#"))
        );
        let found = crate::jobs::unfinished(&work.key()).unwrap();
        fixture.run(&ana, &*found, None).unwrap();
        assert_eq!(due(&fixture), None);
        assert!(sees(&mut fixture, &ben, &one));
    }

    #[test]
    fn grant_revoked_meanwhile_is_not_made_again() {
        let (mut fixture, ana, ben, one, two) = fixture();
        let projects = [(one.as_str(), "viewer"), (two.as_str(), "viewer")];
        let answer = accepted(&mut fixture, &ana, &ben, &projects);
        let work = work(&answer);
        let Ok(Outcome::Prepare(batch)) = fixture.decide(&ben, &work, None) else {
            panic!("the first grant is a prepared commit")
        };
        fixture.commit(&batch);
        let grants = format!("/v1/projects/{one}/grants");
        let listed = fixture.get(&ana, &grants).expect(200).body;
        let bens = |grant: &&Value| grant["principal"]["id"] == ben.id();
        let mut items = listed["items"].as_array().unwrap().iter();
        let id = items.find(bens).unwrap()["id"].as_str().unwrap();
        fixture.delete(&ana, &format!("{grants}/{id}")).expect(204);
        fixture.run(&ben, &work, None).unwrap();
        assert!(!sees(&mut fixture, &ben, &one));
        assert!(sees(&mut fixture, &ben, &two));
    }

    #[test]
    fn case_35_person_who_left_gets_no_grants() {
        let (mut fixture, ana, ben, one, two) = fixture();
        let projects = [(one.as_str(), "viewer"), (two.as_str(), "viewer")];
        let answer = accepted(&mut fixture, &ana, &ben, &projects);
        let account = account_of(&one);
        let path = format!("/v1/accounts/{account}/members/{}", ben.id());
        fixture.delete(&ben, &path).expect(204);
        fixture.join(&account, &ben, crate::value::AccountRole::Guest);
        fixture.run(&ben, &work(&answer), None).unwrap();
        assert!(!sees(&mut fixture, &ben, &one) && !sees(&mut fixture, &ben, &two));
    }

    #[test]
    fn case_37_grants_beyond_the_inviters_authority_are_skipped() {
        let (mut fixture, ana, ben, one, two) = fixture();
        let projects = [(one.as_str(), "viewer"), (two.as_str(), "viewer")];
        let answer = accepted(&mut fixture, &ana, &ben, &projects);
        let path = format!("/v1/projects/{one}");
        fixture
            .patch(&ana, &path, json!({ "archived": true }))
            .expect(200);
        fixture.run(&ben, &work(&answer), None).unwrap();
        fixture
            .patch(&ana, &path, json!({ "archived": false }))
            .expect(200);
        assert!(!sees(&mut fixture, &ben, &one));
        assert!(sees(&mut fixture, &ben, &two));
    }
}
