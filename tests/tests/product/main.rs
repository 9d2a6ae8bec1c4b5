//! The product in one process: decisions, permissions, costs, faults.

mod budgets;
#[cfg(feature = "cedar")]
mod cedar;
mod concurrency;
mod costs;
mod coverage;
mod crash;
mod derived_answers;
mod examples;
mod faults;
mod format_1;
mod items;
mod parsers;
mod permission;
mod reindex;
mod roles;
mod selection;
mod tokens;
