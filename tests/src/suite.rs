//! The conformance suite: what every surface must do, said once.
//!
//! A scenario is a function over a [`crate::harness::Harness`]. [`for_each_scenario`] lists them all,
//! and each surface's test file makes a test of every one.

pub mod isolation;
pub mod journey;

/// Calls a macro with the list of all scenarios, `module::name` each.
#[macro_export]
macro_rules! for_each_scenario {
    ($callback:ident) => {
        $callback! {
            journey::the_whole_journey,
            isolation::case_17_ids_of_another_account_do_not_exist,
        }
    };
}

/// Prints and counts a scenario a surface cannot show.
pub fn skip(surface: &str, scenario: &str, reason: &str) {
    println!("skipped on {surface}: {scenario}: {reason}");
}
