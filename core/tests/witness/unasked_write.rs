use wm_core::{commit::Commit, context::Context};

fn write<'a>(context: &'a Context<'a>) -> Commit<'a> {
    Commit::open(context, (), None)
}

fn main() {}
