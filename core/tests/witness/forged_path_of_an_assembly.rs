use wm_core::{operation::Assembly, storage::ObjectPath};

fn redirect(mut checked: Assembly, other: ObjectPath) -> Assembly {
    checked.path = other;
    checked
}

fn main() {}
