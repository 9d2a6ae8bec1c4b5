//! Random scripts leave no difference.

use libtest_mimic::{Failed, Trial};
use wm_tests::{
    choices::Seeded,
    replay::{run::replay, script::Script, shrink::shrink, side::Sides},
};

use super::{runtime, trial};

/// How many scripts a change has to pass.
const SCRIPTS: u64 = 40;
/// How many of them the programs that are shipped replay too, with their own clocks and randomness.
const SHIPPED: u64 = 4;
/// How many instances answer requests on AWS: as many as people ask at once.
pub(crate) const INSTANCES: usize = 2;
/// How many commands a script has.
pub(crate) const LENGTH: usize = 14;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        trial(
            "scripts::a_script_leaves_no_difference",
            INSTANCES,
            |mut sides| async move { all(&mut sides, 1..=SCRIPTS).await },
        ),
        Trial::test("scripts::the_shipped_programs_say_the_same", || {
            runtime().block_on(shipped())
        }),
    ]
}

/// Replays scripts of these seeds. A difference is told with a shortest script that shows it.
async fn all(sides: &mut Sides, seeds: impl Iterator<Item = u64>) -> Result<(), String> {
    for seed in seeds {
        one(sides, seed).await?;
    }
    Ok(())
}

/// Replays the script of a seed.
pub(crate) async fn one(sides: &mut Sides, seed: u64) -> Result<(), String> {
    let script = Script::generate(&mut Seeded::new(seed), LENGTH);
    let Err(found) = replay(sides, &script, seed, None).await else {
        return Ok(());
    };
    let first = found.to_string();
    let (script, found) = shrink(sides, &script, seed, None, found).await;
    Err(format!(
        "seed {seed}, shrunk to {script:#?}\n{found}\nwhich was at first: {first}"
    ))
}

/// Ids, times and digests are each program's own there, and are named by their place.
async fn shipped() -> Result<(), Failed> {
    let mut sides = Sides::shipped().await;
    for seed in 1..=SHIPPED {
        let mut script = Script::generate(&mut Seeded::new(seed), LENGTH);
        // Without a told time there is no order of two things at once.
        script.pair = None;
        let same = replay(&mut sides, &script, seed, None).await;
        same.map_err(|found| format!("seed {seed}: {found}"))?;
    }
    Ok(())
}
