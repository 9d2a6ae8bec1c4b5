//! The AWS surface.
