use wm_core::{operation::SignUpload, storage::ObjectPath};

fn redirect(mut checked: SignUpload, other: ObjectPath) -> SignUpload {
    checked.path = other;
    checked
}

fn main() {}
