//! From a script that shows a difference to a shortest one that does.

use super::{
    run::{Defective, Difference, replay},
    script::Script,
    side::Sides,
};

/// How many scripts are tried at most.
const TRIES: usize = 200;

/// A shortest script that still shows a difference, and that difference: none of its commands can be left out.
pub async fn shrink(
    sides: &mut Sides,
    script: &Script,
    seed: u64,
    defective: Defective,
    found: Difference,
) -> (Script, Difference) {
    let (mut script, mut found) = (script.clone(), found);
    let mut tries = 0;
    let mut span = script.len();
    if script.pair.is_some() {
        for shorter in script.without_pair() {
            tries += 1;
            if let Err(difference) = replay(sides, &shorter, seed, defective).await {
                (script, found) = (shorter, difference);
                break;
            }
        }
    }
    while span > 0 && tries < TRIES {
        let mut from = 0;
        while from < script.commands.len() && tries < TRIES {
            let count = span.min(script.commands.len() - from);
            let shorter = script.without(from, count);
            tries += 1;
            match replay(sides, &shorter, seed, defective).await {
                Err(difference) => (script, found) = (shorter, difference),
                Ok(()) => from += count,
            }
        }
        span /= 2;
    }
    (script, found)
}
