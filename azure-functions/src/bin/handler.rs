//! Answers the Functions host: HTTP requests and triggers.

fn main() {}
