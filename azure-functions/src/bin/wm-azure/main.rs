//! Sets the Azure surface up and deploys to it.

fn main() {}
