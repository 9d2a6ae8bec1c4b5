//! What the system does by itself: finishing, expiring, verifying, publishing.

pub mod complete_content;
pub mod orphans;
pub mod record_upload;
pub mod settle_content;
pub mod sign_up;
