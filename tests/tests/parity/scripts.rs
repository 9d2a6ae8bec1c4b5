//! Random scripts leave no difference.

use libtest_mimic::Trial;
use wm_core::operations;
use wm_tests::{
    random_source::Seeded,
    replay::{run::replay, script::Script, shrink::shrink, target::Targets},
};

use super::{recorded, runtime, tours::tours, trial};

/// How many scripts a change has to pass.
const SCRIPTS: u64 = 40;
/// How many of them the programs that are shipped replay too, with their own clocks and randomness.
const SHIPPED: u64 = 4;
/// How many instances answer requests on AWS: as many as people ask at once.
pub(crate) const INSTANCES: usize = 2;
/// How many commands a script has beyond its start.
pub(crate) const LENGTH: usize = 12;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "scripts::a_script_leaves_no_difference",
            INSTANCES,
            |mut targets| async move { all(&mut targets, 1..=SCRIPTS).await },
        ),
        recorded("scripts::the_shipped_programs_say_the_same", || {
            runtime().block_on(shipped())
        }),
    ]
}

/// Operations that no script carries out: what a surface says of itself is its own.
const LEFT_OUT: [&str; 2] = ["health_ready", "show_backend"];

/// Replays scripts of these seeds. A difference is told with a short script that shows it.
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

/// No surface stores anything where the reference does not.
async fn no_scope_is_surplus(targets: &Targets) -> Result<(), String> {
    // The digests of issuers' names for people differ: as many of them there are.
    let is_link = |scope: &&String| scope.starts_with("IDENTITY#");
    let known = &targets.past;
    let links = known.iter().filter(is_link).count();
    for target in &targets.all[1..] {
        let scopes = target.scopes().await;
        let surplus: Vec<&String> = scopes
            .difference(known)
            .filter(|scope| !is_link(scope))
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

/// Ids, times and digests are each program's own there, and are named by their place.
async fn shipped() -> Result<(), String> {
    let mut targets = Targets::shipped().await;
    for seed in 1..=SHIPPED {
        let mut script = Script::generate(&mut Seeded::new(seed), LENGTH);
        // Without a told time there is no order of two things at once.
        script.pair = None;
        let same = replay(&mut targets, &script, seed, None).await;
        same.map_err(|found| format!("seed {seed}: {found}"))?;
    }
    Ok(())
}
