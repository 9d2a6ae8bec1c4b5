//! Random scripts show no difference.

use libtest_mimic::Trial;
use wm_core::{operations, storage::Scope};
use wm_tests::{
    random_source::Seeded,
    replay::{run::replay, script::Script, shrink::shrink, target::Targets},
};

use super::{recorded, runtime, tours::tours, trial};

/// The number of scripts for every change.
const SCRIPTS: u64 = 40;
/// The number of scripts that the released programs replay too, with their own clocks and
/// randomness.
const SHIPPED: u64 = 4;
/// The number of instances that answer requests on AWS, equal to the number of concurrent requests.
pub(crate) const INSTANCES: usize = 2;
/// The number of commands of a script after its start.
pub(crate) const LENGTH: usize = 12;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "scripts::script_shows_no_difference",
            INSTANCES,
            |mut targets| async move { all(&mut targets, 1..=SCRIPTS).await },
        ),
        recorded("scripts::shipped_programs_say_the_same", || {
            runtime().block_on(shipped())
        }),
    ]
}

/// Operations that no script uses, because their answers differ per surface.
const LEFT_OUT: [&str; 2] = ["health_ready", "show_backend"];

/// Replays the scripts of these seeds. The error contains a short script that shows the difference.
async fn all(targets: &mut Targets, seeds: impl Iterator<Item = u64>) -> Result<(), String> {
    for tour in tours() {
        same(targets, &tour, 0).await?;
    }
    for seed in seeds {
        one(targets, seed).await?;
    }
    targets.renew(0);
    no_scope_is_surplus(targets).await?;
    let covered = targets.covered.borrow();
    let missed: Vec<&str> = operations::routes()
        .map(|route| route.operation)
        .filter(|operation| !covered.contains(operation) && !LEFT_OUT.contains(operation))
        .collect();
    if missed.is_empty() {
        Ok(())
    } else {
        Err(format!("no script carries out {missed:?}"))
    }
}

/// No surface has items in a scope where the reference has none, except for the layout of its data: only
/// a node sweeps by itself.
async fn no_scope_is_surplus(targets: &Targets) -> Result<(), String> {
    // The digests of issuer names differ, so only their number is compared.
    let is_link = |scope: &&String| scope.starts_with("IDENTITY#");
    let known = &targets.past;
    let links = known.iter().filter(is_link).count();
    for target in &targets.all[1..] {
        let scopes = target.scopes().await;
        let surplus: Vec<&String> = scopes
            .difference(known)
            .filter(|scope| !is_link(scope) && **scope != Scope::Surface.to_string())
            .collect();
        let its_links = scopes.iter().filter(is_link).count();
        if !surplus.is_empty() || its_links != links {
            let name = target.name;
            return Err(format!(
                "{name} stores something in {surplus:?}, and has {its_links} identities where there are {links}"
            ));
        }
    }
    Ok(())
}

/// Replays the script of a seed.
pub(crate) async fn one(targets: &mut Targets, seed: u64) -> Result<(), String> {
    let script = Script::generate(&mut Seeded::new(seed), LENGTH);
    same(targets, &script, seed).await
}

async fn same(targets: &mut Targets, script: &Script, seed: u64) -> Result<(), String> {
    let Err(found) = replay(targets, script, seed, None).await else {
        return Ok(());
    };
    let first = found.to_string();
    let (script, found) = shrink(targets, script, seed, None, found).await;
    Err(format!(
        "seed {seed}, shrunk to {script:#?}\n{found}\nwhich was at first: {first}"
    ))
}

/// Ids, times and digests differ per program, so they are normalised.
async fn shipped() -> Result<(), String> {
    let mut targets = Targets::shipped().await;
    for seed in 1..=SHIPPED {
        let mut script = Script::generate(&mut Seeded::new(seed), LENGTH);
        // Without controlled time, concurrent requests have no defined order.
        script.pair = None;
        let same = replay(&mut targets, &script, seed, None).await;
        same.map_err(|found| format!("seed {seed}: {found}"))?;
    }
    Ok(())
}
