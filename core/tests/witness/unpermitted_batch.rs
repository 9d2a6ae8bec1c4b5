use wm_core::{operation::Batch, storage::{Operation, Scope}, value::CommitId};

fn write(scope: Scope, commit_id: CommitId, operations: Vec<Operation>) -> Batch {
    Batch { scope, commit_id, operations }
}

fn main() {}
