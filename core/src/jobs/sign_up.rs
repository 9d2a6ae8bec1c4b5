//! Signing in: from verified claims to the person, who is made on the way if need be.
//!
//! Three scopes are involved, each written by a commit of its own that creates what is absent and
//! leaves alone what is there: the identity's link (which mints the person's id), the person, and
//! the link of the address. Whatever an interruption leaves out, the next sign-in adds. Of two first
//! sign-ins at once the second finds the identity linked and goes on with the same person.

use alloc::{vec, vec::Vec};

use crate::{
    operation::{
        Batch, Commit, Context, Facts, LinkWriter, Problem, ReadRequest, Surface,
        authority::head_key,
    },
    permission::Permit,
    record::{Actor, Claims, EventType, IdentityLink, User},
    storage::{Scope, Sort},
    value::{Env, RequestId, Sha256, UserId},
};

/// What signing in needs next.
#[derive(Debug)]
pub enum SignIn {
    /// Answer these questions, then ask again with the answers added.
    ReadRequest(Vec<ReadRequest>),
    /// Carry this out. Whether it was, or another sign-in was first, begin again knowing nothing.
    Commit(Batch),
    /// This is the person.
    Done(UserId),
}

/// Takes the next step from claims to the person.
///
/// An address links nothing to a person who is already there: it only tells, for an address proved
/// for the first time, who proved it. A second person with the same address keeps it in their
/// profile, and the link stays with the first.
///
/// # Errors
/// 500 when a stored record is damaged.
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
    if let Some(ask) = unanswered(links, facts) {
        return Ok(ask);
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
    };
    match known {
        None => Ok(SignIn::Commit(LinkWriter::new(&context).identity(claims))),
        Some(_) => complete(&context, facts),
    }
}

/// What is left to do once the identity is linked.
fn complete(context: &Context<'_>, facts: &Facts) -> Result<SignIn, Problem> {
    let Actor { user, claims } = &context.actor;
    let scope = Scope::User(*user);
    let profile = scope.key(Sort::user());
    let person = vec![
        ReadRequest::Get(head_key(scope)),
        ReadRequest::Get(profile.clone()),
    ];
    if let Some(ask) = unanswered(person, facts) {
        return Ok(ask);
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

fn unanswered(asks: Vec<ReadRequest>, facts: &Facts) -> Option<SignIn> {
    (!facts.has_all(&asks)).then_some(SignIn::ReadRequest(asks))
}

fn create_person(context: &Context<'_>, facts: &Facts) -> Result<Batch, Problem> {
    let Actor { user, claims } = &context.actor;
    let head = facts.record(&head_key(Scope::User(*user)))?;
    let mut commit = Commit::open(context, Permit::own_profile(&context.actor), head)?;
    let person = User {
        name: claims.name.clone(),
        email: claims.verified_email.clone(),
        identities: vec![claims.digest()],
        salt: Sha256::from_bytes(context.env.bytes("salt")),
    };
    commit.create(*user, person);
    commit.seal(EventType::UserCreated)
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

    fn step(world: &Fixture, seed: u8, claims: &Claims, facts: &Facts) -> SignIn {
        let env = Env::new(world.now, [seed; 32]);
        let request_id = RequestId::from_ulid(ulid::Ulid::from_parts(9, 9));
        sign_in(&world.surface, &env, request_id, claims, facts).unwrap()
    }

    /// The batch the sign-in wants carried out next, or the person.
    fn next(world: &Fixture, seed: u8, claims: &Claims) -> Result<UserId, Batch> {
        let mut facts = Facts::default();
        loop {
            match step(world, seed, claims, &facts) {
                SignIn::Done(user) => return Ok(user),
                SignIn::Commit(batch) => return Err(batch),
                SignIn::ReadRequest(asks) => {
                    for ask in asks {
                        let ReadRequest::Get(key) = &ask else {
                            panic!("signing in reads single records")
                        };
                        let answer = Answer::Item(world.store.get(key).cloned());
                        facts.insert(ask, answer);
                    }
                }
            }
        }
    }

    fn sign(world: &mut Fixture, seed: u8, claims: &Claims) -> UserId {
        loop {
            match next(world, seed, claims) {
                Ok(user) => return user,
                Err(batch) => world.commit(&batch),
            }
        }
    }

    fn person(world: &Fixture, user: UserId) -> Record<User> {
        world.record(&Scope::User(user).key(Sort::user())).unwrap()
    }

    #[test]
    fn the_first_sign_in_makes_a_person_and_the_second_finds_them() {
        let mut world = Fixture::new();
        let ana = claims("https://issuer.test", "ana", Some("ana@example.com"));
        let user = sign(&mut world, 1, &ana);
        let profile = person(&world, user);
        assert_eq!(profile.body.email, ana.verified_email);
        assert_eq!(profile.body.identities, [ana.digest()]);
        let head: Record<Head> = world.record(&head_key(Scope::User(user))).unwrap();
        assert_eq!(head.body.seq, 1);
        let before = world.dump();
        assert_eq!(sign(&mut world, 2, &ana), user);
        assert_eq!(world.dump(), before);
    }

    #[test]
    fn two_first_sign_ins_at_once_end_with_one_person() {
        let mut world = Fixture::new();
        let ana = claims("https://issuer.test", "ana", None);
        let first = next(&world, 1, &ana).unwrap_err();
        let second = next(&world, 2, &ana).unwrap_err();
        world.commit(&first);
        assert!(world.try_commit(&second).is_err());
        let user = sign(&mut world, 2, &ana);
        assert_eq!(sign(&mut world, 3, &ana), user);
    }

    #[test]
    fn an_interruption_after_any_commit_is_healed_by_the_next_sign_in() {
        let ana = claims("https://issuer.test", "ana", Some("ana@example.com"));
        for commits in 0..3 {
            let mut world = Fixture::new();
            for _ in 0..commits {
                let batch = next(&world, 1, &ana).unwrap_err();
                world.commit(&batch);
            }
            let user = sign(&mut world, 2, &ana);
            assert_eq!(person(&world, user).body.email, ana.verified_email);
            let email: Record<EmailLink> = world
                .record(
                    &world
                        .surface
                        .email_link(ana.verified_email.as_ref().unwrap()),
                )
                .unwrap();
            assert_eq!(email.body.user_id, user);
        }
    }

    #[test]
    fn case_14_the_same_subject_of_two_issuers_stays_two_people() {
        let mut world = Fixture::new();
        let one = claims("https://issuer.test", "ana", Some("ana@example.com"));
        let other = claims("https://other.test", "ana", Some("ana@example.com"));
        let first = sign(&mut world, 1, &one);
        let second = sign(&mut world, 2, &other);
        assert_ne!(first, second);
        // Both proved the address; its link stays with the first.
        assert_eq!(person(&world, second).body.email, other.verified_email);
        let link: Record<EmailLink> = world
            .record(
                &world
                    .surface
                    .email_link(one.verified_email.as_ref().unwrap()),
            )
            .unwrap();
        assert_eq!(link.body.user_id, first);
    }

    #[test]
    fn case_14_issuer_and_subject_do_not_run_together() {
        let one = claims("https://issuer.test/a", "b", None);
        let other = claims("https://issuer.test/", "ab", None);
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn case_15_without_a_verified_address_nothing_but_the_identity_is_linked() {
        let mut world = Fixture::new();
        let user = sign(&mut world, 1, &claims("https://issuer.test", "ana", None));
        assert_eq!(person(&world, user).body.email, None);
        let links = world.dump();
        let links = links.iter().filter(|item| item.key.sort == Sort::link());
        assert_eq!(links.count(), 1);
    }
}
