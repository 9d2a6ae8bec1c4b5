use wm_core::{operation::SignDownload, storage::ObjectPath};

fn redirect(mut checked: SignDownload, other: ObjectPath) -> SignDownload {
    checked.path = other;
    checked
}

fn main() {}
