//! The certificate as a page.

use std::fmt::Write;

use wm_core::catalog::Provider;

use crate::certificate::{Certificate, Outcomes, Proved, SHARED};

const HEAD: &str = "\
# Parity certificate

What a run of the tests shows of the application's contract, on each surface. `cargo xtask parity` writes this
page and `parity.json` beside it; nobody edits them. Which tests prove what is in `tests/contract.json`.

*passed*: a test shows it there. *not shown*: the test ran, and the emulator cannot show it. A sentence has passed
on a surface where one of the tests that ran there has, none has *failed* and none *did not run*. Where a test does not run on a
surface, the cell is empty. *shared* are tests of code that all surfaces have in common, run on none: alone they show nothing of any,
and what fails there fails on all.

";

const NOT_SHOWN: &str = "\
## What the emulators could not show

Said by the tests named above and by the programs they belong to. What that means is in [aws.md](aws.md) and [azure.md](azure.md).

";

const DOUBTS: &str = "\n\
## What is in doubt

No test of these programs counts as passed: they did not end, or their exit code does not match the results of their tests.

";

impl Certificate {
    /// The certificate in Markdown.
    pub(crate) fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        page += &head("sentence");
        for proved in &self.sentences {
            let title = format!("[{}](#{})", words(&proved.id), proved.id);
            page += &row(&title, &proved.outcomes);
        }
        for proved in &self.sentences {
            page += &section(proved);
        }
        page += "\n";
        page += NOT_SHOWN;
        for skip in &self.not_shown {
            let (surface, scenario, reason) = (&skip.surface, &skip.scenario, &skip.reason);
            let _ = writeln!(page, "* {surface}: {scenario}: {reason}");
        }
        if self.not_shown.is_empty() {
            page += "Nothing.\n";
        }
        if !self.doubts.is_empty() {
            page += DOUBTS;
        }
        for (program, doubt) in &self.doubts {
            let _ = writeln!(page, "* `{program}`: {doubt}");
        }
        page
    }
}

fn section(proved: &Proved) -> String {
    let (id, sentence) = (&proved.id, &proved.sentence);
    let mut section = format!("\n## {id}\n\n{sentence}\n\n{}", head("test"));
    for tested in &proved.tests {
        section += &row(&format!("`{}`", tested.test), &tested.outcomes);
    }
    section
}

fn words(id: &str) -> String {
    id.replace('-', " ")
}

/// The columns: the surfaces and the shared code.
fn places() -> impl Iterator<Item = &'static str> {
    let surfaces = Provider::ALL.iter().map(|one| one.as_str());
    surfaces.chain([SHARED])
}

fn head(first: &str) -> String {
    let places: Vec<&str> = places().collect();
    let rule = "|---".repeat(places.len() + 1);
    format!("| {first} | {} |\n{rule}|\n", places.join(" | "))
}

fn row(first: &str, outcomes: &Outcomes) -> String {
    let cell = |place: &str| {
        let outcome = outcomes.get(place);
        outcome.map_or("", |outcome| outcome.as_str())
    };
    let cells: Vec<&str> = places().map(cell).collect();
    format!("| {first} | {} |\n", cells.join(" | "))
}
