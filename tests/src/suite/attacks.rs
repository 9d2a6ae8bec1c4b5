//! The same attacks on every surface: who may ask what, forged tokens, and twelve ways to abuse an upload.
//!
//! What the service of a cloud answers by itself is compared as refused or accepted only. What becomes of
//! the attacked thing is compared exactly.
//!
//! What one of the emulators cannot show is a scenario of its own, so that nothing passes that was not shown.

mod matrix;
mod tokens;
mod uploads;

pub use matrix::the_access_matrix;
pub use tokens::every_forged_token_is_refused;
pub use uploads::*;
