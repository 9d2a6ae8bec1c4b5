//! What each operation may cost: how many times in sequence it waits for the database, and how often it
//! commits.

/// One read of records, in parallel.
pub const READ: (usize, usize) = (1, 0);
/// The facts, then the page.
const LIST: (usize, usize) = (2, 0);
/// The facts, the rows of an index, and the rows once more by strong reads.
const CHECKED_LIST: (usize, usize) = (3, 0);
/// The facts, then one commit.
const WRITE: (usize, usize) = (2, 1);
/// The head of the scope, the facts, then one commit: for members, grants and invitations.
const ORDERED_WRITE: (usize, usize) = (3, 1);
/// Nothing.
const FREE: (usize, usize) = (0, 0);

/// The rounds and commits of every operation, done once and successfully by someone known already.
pub const BUDGET: &[(&str, (usize, usize))] = &[
    ("health_live", FREE),
    ("health_ready", READ),
    ("openapi", FREE),
    ("show_catalog", FREE),
    ("show_backend", FREE),
    ("show_session", (4, 0)),
    // What the token says comes first, then the link of its address.
    ("establish_address", LIST),
    // Two scopes, one after the other: what the token says, the identity's link and its commit, then
    // the same once more and the profile's commit.
    ("link_identity", (6, 2)),
    ("create_account", WRITE),
    ("get_account", READ),
    ("update_account", WRITE),
    ("close_account", ORDERED_WRITE),
    ("list_members", CHECKED_LIST),
    ("get_member", READ),
    ("update_member", ORDERED_WRITE),
    ("remove_member", ORDERED_WRITE),
    ("create_team", WRITE),
    ("list_teams", CHECKED_LIST),
    ("get_team", READ),
    ("update_team", WRITE),
    // And a look whether anything is left to retire.
    ("delete_team", (5, 1)),
    ("list_team_members", CHECKED_LIST),
    ("get_team_member", READ),
    ("put_team_member", ORDERED_WRITE),
    ("remove_team_member", ORDERED_WRITE),
    ("create_invitation", ORDERED_WRITE),
    ("list_invitations", READ),
    ("get_invitation", READ),
    ("resend_invitation", ORDERED_WRITE),
    ("revoke_invitation", ORDERED_WRITE),
    ("accept_invitation", ORDERED_WRITE),
    // It decides by the one record it changes, so the head may come along with it.
    ("decline_invitation", WRITE),
    ("get_notification_preferences", READ),
    ("put_notification_preferences", WRITE),
    ("create_project", WRITE),
    ("list_projects", CHECKED_LIST),
    ("get_project", READ),
    ("update_project", WRITE),
    ("delete_project", WRITE),
    ("create_grant", ORDERED_WRITE),
    ("list_grants", READ),
    ("get_grant", READ),
    ("update_grant", ORDERED_WRITE),
    ("revoke_grant", ORDERED_WRITE),
    ("get_access", READ),
    ("preview_access", LIST),
    ("list_subjects", LIST),
    ("create_artifact", WRITE),
    ("list_artifacts", LIST),
    ("get_artifact", READ),
    ("update_artifact", WRITE),
    ("delete_artifact", WRITE),
    ("restore_artifact", WRITE),
    ("create_version", WRITE),
    ("list_versions", LIST),
    ("get_version", READ),
    ("reissue_version_upload", WRITE),
    ("complete_version", WRITE),
    ("download_version", READ),
    ("restore_version", WRITE),
    ("create_derived", WRITE),
    ("list_derived", LIST),
    ("get_derived", READ),
    ("reissue_derived_upload", WRITE),
    ("complete_derived", WRITE),
    ("download_derived", READ),
    ("append_metadata", WRITE),
    ("list_metadata", LIST),
    ("append_event", WRITE),
    ("list_events", LIST),
    ("list_account_journal", LIST),
    ("list_project_journal", LIST),
    ("verify_account_journal", LIST),
    ("verify_project_journal", LIST),
];
