//! The certificate as a page.

use std::fmt::Write;

use wm_core::catalog::Provider;

use crate::certificate::{Certificate, Outcomes, Proved, SHARED};

const HEAD: &str = "\
# Parity certificate

This page lists the sentences of the application's contract and what a test run showed of each on each surface.
`cargo xtask parity` generates this page and `parity.json`. Do not edit them. `tests/contract.json` assigns the tests to
the sentences.

* *passed*: the test shows the sentence on this surface.
* *not shown*: the test ran, but the emulator cannot show the sentence.
* An empty cell: the test does not run on this surface.
* *shared*: the test covers code that all surfaces share, and runs on no surface. It does not show a sentence of any
  surface. If it fails, the sentence fails on all surfaces.

A sentence passes on a surface if at least one of its tests passed there, no test *failed* and no test *did not run*.

";

const NOT_SHOWN: &str = "\
## What the emulators could not show

The tests above and their programs recorded these skips and known limitations. [aws.md](aws.md) and [azure.md](azure.md) explain them.

";

const DOUBTS: &str = "\n\
## What is in doubt

No test of these programs counts as passed. The programs did not end, or their exit code does not match the results of
their tests.

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
