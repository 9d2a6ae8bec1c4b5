//! What the system does by itself: finishing, expiring, verifying, publishing.
