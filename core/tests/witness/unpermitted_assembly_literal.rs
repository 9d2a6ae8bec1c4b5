use wm_core::{operation::{Assembly, Part}, permission::Permit, storage::ObjectPath};

fn assemble(permit: Permit, path: ObjectPath, upload_id: String, parts: Vec<Part>) -> Assembly {
    Assembly { permit, path, upload_id, parts }
}

fn main() {}
