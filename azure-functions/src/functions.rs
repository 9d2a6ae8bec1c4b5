//! What the handler does with requests and triggers.
