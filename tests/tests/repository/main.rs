//! The repository itself: its layers, pages, texts and contract.

mod contract;
mod docs;
mod shape;
mod texts;
