use wm_core::operation::{Commit, Context, Problem};

fn write<'a>(context: &'a Context<'a>) -> Result<Commit<'a>, Problem> {
    Commit::open(context, (), None)
}

fn main() {}
