//! Sign-in: finds the person for verified claims, or creates the person.
//!
//! Sign-in writes three scopes, each with a separate commit that creates missing records only: the
//! link of the identity, which fixes the person's id; the person; and the link of the e-mail
//! address. After an interruption, the next sign-in creates the missing records. Of two concurrent
//! first sign-ins, the second finds the identity linked and continues with the same person.

use alloc::{vec, vec::Vec};

use crate::{
    operation::{
        Batch, Commit, Context, Facts, LinkWriter, Problem, ReadRequest, Surface,
        authority::head_key,
    },
    permission::Permit,
    record::{Actor, Claims, EventType, IdentityLink, User},
    storage::{Scope, Sort, WorkPartitions},
    value::{Env, RequestId, Sha256, UserId},
};

/// The next step of a sign-in.
#[derive(Debug)]
pub enum SignIn {
    /// Answer these reads, then call again with the answers added.
    Read(Vec<ReadRequest>),
    /// Commit this batch. Then start again without facts, whether the batch was committed or lost
    /// to another sign-in.
    Commit(Batch),
    /// The person who signed in.
    Done(UserId),
}

/// Takes the next step from claims to the person.
///
/// A verified address does not link an identity to an existing person. The link of an address only
/// records the person who proved it first. Another person with the same address has it in their
/// profile, and the link stays with the first.
///
/// # Errors
/// 500 if a stored record is damaged.
pub fn sign_in(
    surface: &Surface,
    env: &Env,
    request_id: RequestId,
    claims: &Claims,
    facts: &Facts,
) -> Result<SignIn, Problem> {
    let identity = claims.scope().key(Sort::link());
    let address = claims.verified_email.as_ref();
    let address = address.map(|email| surface.email_link(email));
    let mut links = vec![ReadRequest::Get(identity.clone())];
    links.extend(address.map(ReadRequest::Get));
    if let Some(reads) = unanswered(links, facts) {
        return Ok(reads);
    }
    let link = facts.record::<IdentityLink>(&identity)?;
    let known = link.map(|link| link.body.user_id);
    let context = Context {
        surface,
        env: env.clone(),
        actor: Actor {
            user: known.unwrap_or_else(|| env.id("user")),
            claims: claims.clone(),
        },
        request_id,
        idempotency: None,
        // Every surface reads these partitions. Sign-ups are too rare to need more.
        work_partitions: WorkPartitions::default(),
    };
    match known {
        None => Ok(SignIn::Commit(LinkWriter::new(&context).identity(claims))),
        Some(_) => complete(&context, facts),
    }
}

/// The remaining steps once the identity is linked.
fn complete(context: &Context<'_>, facts: &Facts) -> Result<SignIn, Problem> {
    let Actor { user, claims } = &context.actor;
    let scope = Scope::User(*user);
    let profile = scope.key(Sort::user());
    let person = vec![
        ReadRequest::Get(head_key(scope)),
        ReadRequest::Get(profile.clone()),
    ];
    if let Some(reads) = unanswered(person, facts) {
        return Ok(reads);
    }
    if facts.item(&profile)?.is_none() {
        return create_person(context, facts).map(SignIn::Commit);
    }
    let unlinked = match &claims.verified_email {
        Some(email) => facts.item(&context.surface.email_link(email))?.is_none(),
        None => false,
    };
    let link = unlinked.then(|| LinkWriter::new(context).email(claims));
    Ok(match link.flatten() {
        Some(batch) => SignIn::Commit(batch),
        None => SignIn::Done(*user),
    })
}

fn unanswered(reads: Vec<ReadRequest>, facts: &Facts) -> Option<SignIn> {
    (!facts.has_all(&reads)).then_some(SignIn::Read(reads))
}

fn create_person(context: &Context<'_>, facts: &Facts) -> Result<Batch, Problem> {
    let Actor { user, claims } = &context.actor;
    let head = facts.record(&head_key(Scope::User(*user)))?;
    let mut commit = Commit::open(context, Permit::own_profile(&context.actor), head)?;
    let salt = Sha256::from_bytes(context.env.bytes("salt"));
    let person = User::new(claims, context.env.now, salt);
    commit.create(*user, person);
    commit.into_batch(EventType::UserCreated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        operation::Answer,
        record::{EmailLink, Head, Record},
        testing::Fixture,
        value::id::Id,
    };

    fn claims(issuer: &str, subject: &str, email: Option<&str>) -> Claims {
        Claims {
            issuer: issuer.into(),
            subject: subject.into(),
            client: None,
            verified_email: email.map(|email| email.parse().unwrap()),
            name: Some("Ana".parse().unwrap()),
        }
    }

    fn step(fixture: &Fixture, seed: u8, claims: &Claims, facts: &Facts) -> SignIn {
        let env = Env::new(fixture.now, [seed; 32]);
        let request_id = RequestId::from_ulid(ulid::Ulid::from_parts(9, 9));
        sign_in(&fixture.surface, &env, request_id, claims, facts).unwrap()
    }

    /// The next batch of the sign-in, or the person.
    fn next(fixture: &Fixture, seed: u8, claims: &Claims) -> Result<UserId, Batch> {
        let mut facts = Facts::default();
        loop {
            match step(fixture, seed, claims, &facts) {
                SignIn::Done(user) => return Ok(user),
                SignIn::Commit(batch) => return Err(batch),
                SignIn::Read(reads) => {
                    for read in reads {
                        let ReadRequest::Get(key) = &read else {
                            panic!("sign-in reads single records")
                        };
                        let answer = Answer::Item(fixture.store.get(key).cloned());
                        facts.insert(read, answer);
                    }
                }
            }
        }
    }

    fn sign(fixture: &mut Fixture, seed: u8, claims: &Claims) -> UserId {
        loop {
            match next(fixture, seed, claims) {
                Ok(user) => return user,
                Err(batch) => fixture.commit(&batch),
            }
        }
    }

    fn person(fixture: &Fixture, user: UserId) -> Record<User> {
        fixture
            .record(&Scope::User(user).key(Sort::user()))
            .unwrap()
    }

    #[test]
    fn first_sign_in_creates_a_person_and_the_second_finds_it() {
        let mut fixture = Fixture::new();
        let ana = claims("https://issuer.test", "ana", Some("ana@example.com"));
        let user = sign(&mut fixture, 1, &ana);
        let profile = person(&fixture, user);
        assert_eq!(profile.body.email, ana.verified_email);
        assert!(profile.body.has_identity(&ana) && profile.body.identities.len() == 1);
        let head: Record<Head> = fixture.record(&head_key(Scope::User(user))).unwrap();
        assert_eq!(head.body.seq, 1);
        let before = fixture.dump();
        assert_eq!(sign(&mut fixture, 2, &ana), user);
        assert_eq!(fixture.dump(), before);
    }

    #[test]
    fn concurrent_first_sign_ins_create_one_person() {
        let mut fixture = Fixture::new();
        let ana = claims("https://issuer.test", "ana", None);
        let first = next(&fixture, 1, &ana).unwrap_err();
        let second = next(&fixture, 2, &ana).unwrap_err();
        fixture.commit(&first);
        assert!(fixture.try_commit(&second).is_err());
        let user = sign(&mut fixture, 2, &ana);
        assert_eq!(sign(&mut fixture, 3, &ana), user);
    }

    #[test]
    fn next_sign_in_completes_an_interrupted_one() {
        let ana = claims("https://issuer.test", "ana", Some("ana@example.com"));
        for commits in 0..3 {
            let mut fixture = Fixture::new();
            for _ in 0..commits {
                let batch = next(&fixture, 1, &ana).unwrap_err();
                fixture.commit(&batch);
            }
            let user = sign(&mut fixture, 2, &ana);
            assert_eq!(person(&fixture, user).body.email, ana.verified_email);
            let email: Record<EmailLink> = fixture
                .record(
                    &fixture
                        .surface
                        .email_link(ana.verified_email.as_ref().unwrap()),
                )
                .unwrap();
            assert_eq!(email.body.user_id, user);
        }
    }

    #[test]
    fn case_14_same_subject_of_two_issuers_is_two_people() {
        let mut fixture = Fixture::new();
        let one = claims("https://issuer.test", "ana", Some("ana@example.com"));
        let other = claims("https://other.test", "ana", Some("ana@example.com"));
        let first = sign(&mut fixture, 1, &one);
        let second = sign(&mut fixture, 2, &other);
        assert_ne!(first, second);
        // Both proved the address. Its link stays with the first person.
        assert_eq!(person(&fixture, second).body.email, other.verified_email);
        let link: Record<EmailLink> = fixture
            .record(
                &fixture
                    .surface
                    .email_link(one.verified_email.as_ref().unwrap()),
            )
            .unwrap();
        assert_eq!(link.body.user_id, first);
    }

    #[test]
    fn case_14_identity_digest_separates_issuer_and_subject() {
        let one = claims("https://issuer.test/a", "b", None);
        let other = claims("https://issuer.test/", "ab", None);
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn case_15_unverified_address_is_not_linked() {
        let mut fixture = Fixture::new();
        let user = sign(&mut fixture, 1, &claims("https://issuer.test", "ana", None));
        assert_eq!(person(&fixture, user).body.email, None);
        let links = fixture.dump();
        let links = links.iter().filter(|item| item.key.sort == Sort::link());
        assert_eq!(links.count(), 1);
    }
}
