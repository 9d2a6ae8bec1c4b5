//! The same attacks on every surface: the access matrix, forged tokens, and twelve ways to abuse an
//! upload.
//!
//! Answers that a cloud service gives by itself are compared only as refused or accepted. The state
//! of the attacked object is compared exactly.
//!
//! A behaviour that one emulator cannot show is a scenario of its own, so that no scenario passes
//! without showing its subject.

mod matrix;
mod tokens;
mod uploads;

pub use matrix::access_matrix_matches_role_table_and_golden;
pub use tokens::every_forged_token_is_refused;
pub use uploads::*;
