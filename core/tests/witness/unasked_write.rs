use wm_core::operation::{Commit, Context};

fn write<'a>(context: &'a Context<'a>) -> Commit<'a> {
    Commit::open(context, (), None)
}

fn main() {}
