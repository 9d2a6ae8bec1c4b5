//! What the system does by itself: finishing, expiring, verifying, publishing.

pub mod sign_up;
