//! Setting up: what there is, what it has to be, and the steps from the one to the other.

pub mod baseline;
