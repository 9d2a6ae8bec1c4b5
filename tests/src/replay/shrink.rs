//! Shrinks a script that shows a difference.

use super::{
    run::{Defective, Difference, replay},
    script::Script,
    target::Targets,
};

/// The maximum number of scripts to try.
const TRIES: usize = 300;

/// A search for shorter scripts.
struct Search<'a> {
    targets: &'a mut Targets,
    seed: u64,
    defective: Defective,
    /// The shortest script so far that shows a difference, and the difference.
    script: Script,
    found: Difference,
    tries: usize,
}

/// Returns a short script that still shows a difference on the same surface, and that difference.
/// None of its commands can be removed, unless the search reached its limit. The owner acts where
/// possible.
pub async fn shrink(
    targets: &mut Targets,
    script: &Script,
    seed: u64,
    defective: Defective,
    found: Difference,
) -> (Script, Difference) {
    let mut search = Search {
        targets,
        seed,
        defective,
        script: script.clone(),
        found,
        tries: 0,
    };
    if script.pair.is_some() {
        for shorter in script.without_pair() {
            if search.shows(shorter).await {
                break;
            }
        }
    }
    let mut span = script.len();
    while span > 0 && search.tries < TRIES {
        let before = search.script.clone();
        search.drop_spans(span).await;
        if span == 1 {
            search.let_the_owner().await;
        }
        if span > 1 || search.script == before {
            span /= 2;
        }
    }
    (search.script, search.found)
}

impl Search<'_> {
    /// Removes ranges of this length that are not needed.
    async fn drop_spans(&mut self, span: usize) {
        let mut from = 0;
        while from < self.script.commands.len() && self.tries < TRIES {
            let count = span.min(self.script.commands.len() - from);
            let shorter = self.script.without(from, count);
            if !self.shows(shorter).await {
                from += count;
            }
        }
    }

    /// Replaces other callers by the owner, so that the others need not sign in.
    async fn let_the_owner(&mut self) {
        for at in 0..self.script.commands.len() {
            let mut plainer = self.script.clone();
            plainer.commands[at].who = 0;
            if plainer != self.script {
                self.shows(plainer).await;
            }
        }
    }

    /// Checks whether a script shows a difference on the same surface, and keeps it as the
    /// shortest.
    async fn shows(&mut self, script: Script) -> bool {
        self.tries += 1;
        let replayed = replay(self.targets, &script, self.seed, self.defective).await;
        match replayed {
            Err(found) if found.target == self.found.target => {
                (self.script, self.found) = (script, found);
                true
            }
            _ => false,
        }
    }
}
