//! Mail for what happened.
