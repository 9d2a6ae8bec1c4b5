//! The data directory of a node.

mod layout;

pub use layout::Layout;
