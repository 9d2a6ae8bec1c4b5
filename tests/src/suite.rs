//! The conformance suite: the required behaviour of every surface.
//!
//! A scenario is a function over a [`crate::harness::Harness`]. [`crate::for_each_scenario!`] lists
//! all scenarios, and each surface's test file turns every one into a test.

use std::{
    io::Write,
    sync::atomic::{AtomicUsize, Ordering},
};

use wm_test_results::{Event, record};

use crate::harness::Harness;

pub mod access;
pub mod attacks;
pub mod conventions;
pub mod fixture;
pub mod isolation;
pub mod journey;
pub mod lifecycle;
pub mod publication;
pub mod records;
pub mod refusals;
mod upload;
pub mod uploads;
pub mod writes;

/// Calls a macro with the list of all scenarios, in the form `module::name`.
#[macro_export]
macro_rules! for_each_scenario {
    ($callback:ident) => {
        $callback! {
            journey::whole_journey_succeeds,
            refusals::every_route_requires_a_valid_token,
            refusals::paths_without_the_method_answer_405,
            refusals::case_24_malformed_ids_are_not_found,
            refusals::malformed_bodies_are_refused_before_ids_are_checked,
            refusals::case_26_read_only_fields_are_refused_by_name,
            refusals::body_of_exactly_the_limit_is_accepted,
            isolation::case_17_ids_of_another_account_do_not_exist,
            isolation::case_18_ids_that_disagree_are_not_found,
            isolation::case_19_cursor_works_only_for_its_caller_and_list,
            isolation::case_20_edited_and_forged_cursors_are_refused,
            isolation::case_21_lists_show_no_foreign_records,
            isolation::case_22_one_foreign_id_refuses_the_whole_request,
            isolation::case_25_no_cache_is_shared_between_people,
            conventions::case_58_stale_etag_is_refused_by_every_operation,
            conventions::optional_precondition_is_honoured,
            conventions::case_53_idempotency_key_repeats_only_its_answer,
            conventions::repeated_declaration_returns_a_usable_plan,
            conventions::page_limits_are_checked_on_every_list,
            conventions::case_60_small_pages_contain_every_row_once,
            conventions::traces_and_request_ids_are_passed_on,
            lifecycle::case_28_person_cannot_raise_their_own_role,
            lifecycle::case_30_last_owner_stays,
            lifecycle::case_31_next_request_after_team_removal_is_refused,
            lifecycle::case_32_removed_principal_gets_no_grant,
            lifecycle::case_33_grant_expires_at_its_instant,
            lifecycle::case_34_invitation_works_once_and_for_its_address,
            lifecycle::case_35_member_who_rejoins_has_no_old_grants,
            lifecycle::case_36_suspended_person_is_refused_at_once,
            lifecycle::case_37_archived_project_is_read_only,
            lifecycle::case_39_grants_add_up,
            uploads::case_40_deceptive_names_are_refused,
            uploads::case_43_signed_urls_expire_soon,
            uploads::case_44_empty_file_is_valid,
            uploads::case_47_uncompleted_upload_expires,
            uploads::case_49_markup_is_served_as_attachment,
            writes::case_51_one_of_two_writers_succeeds,
            writes::case_52_retry_after_a_commit_changes_nothing,
            writes::case_54_one_failing_item_changes_nothing,
            writes::case_59_items_are_stored_up_to_their_limits,
            records::written_records_are_read_back,
            records::session_lists_everything_of_a_person,
            records::projects_and_artifacts_show_their_current_state,
            records::metadata_and_events_are_append_only,
            records::superseded_derived_output_keeps_the_raw_upload,
            records::grants_and_invitations_keep_their_creator,
            access::effective_access_matches_subjects_and_sessions,
            access::preview_agrees_with_the_effect_of_the_change,
            access::past_access_is_reported,
            publication::every_entry_is_published_once,
            publication::rule_leads_to_exactly_one_mail,
            attacks::access_matrix_matches_role_table_and_golden,
            attacks::every_forged_token_is_refused,
            attacks::upload_oversize,
            attacks::upload_short,
            attacks::upload_wrong_hash,
            attacks::upload_wrong_type,
            attacks::upload_other_key,
            attacks::upload_late_put,
            attacks::upload_late_put_after_its_end,
            attacks::upload_replay,
            attacks::upload_expired,
            attacks::upload_revoked_between_issue_and_completion,
            attacks::upload_completed_twice,
            attacks::upload_completed_by_another,
            attacks::upload_tampered_url,
            attacks::upload_unsigned_url,
        }
    };
}

static SKIPS: AtomicUsize = AtomicUsize::new(0);

/// Records, prints and counts a test that a surface cannot show. `scenario` is its full name or its
/// case, such as `case_33`. The parity certificate then lists the test as not shown. If a surface
/// cannot show a part of a scenario, that part must be a scenario of its own.
///
/// Panics if `scenario` has another form, because no test would count as not shown.
pub fn skip(surface: &str, scenario: &str, reason: &str) {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    assert!(
        scenario.bytes().all(is_plain),
        "`{scenario}` is no test: name the one that cannot be shown"
    );
    record(Event::Skipped {
        surface: surface.to_owned(),
        test: scenario.to_owned(),
        reason: reason.to_owned(),
    });
    print(surface, scenario, reason);
}

/// Records, prints and counts a limitation of an emulator that is not the subject of a test in the
/// suite. The parity certificate lists it, and no test counts as not shown.
///
/// Panics if `what` is the name of a test. Use [`skip`] for tests.
pub fn known_limitation(surface: &str, what: &str, reason: &str) {
    assert!(what.contains(' '), "`{what}` is a test: skip it");
    record(Event::KnownLimitation {
        surface: surface.to_owned(),
        test: what.to_owned(),
        reason: reason.to_owned(),
    });
    print(surface, what, reason);
}

fn print(surface: &str, what: &str, reason: &str) {
    let count = SKIPS.fetch_add(1, Ordering::Relaxed) + 1;
    // Bypasses `println!`, because the test harness captures the output of passing tests.
    let line = format!("skip {count} on {surface}: {what}: {reason}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Checks whether a surface has an ability. For abilities that a real service lacks too: the
/// scenario then shows the alternative behaviour.
pub fn has<H: Harness>(surface: &H, ability: &str) -> bool {
    !surface.known_limitations().contains(&ability)
}

/// Checks whether a surface can show a scenario. If not, prints and counts a skip.
pub fn supports<H: Harness>(surface: &H, scenario: &str, ability: &str) -> bool {
    let can = has(surface, ability);
    if !can {
        skip(surface.name(), scenario, &format!("it cannot {ability}"));
    }
    can
}
