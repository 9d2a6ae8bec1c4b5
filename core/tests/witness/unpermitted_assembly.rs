use wm_core::{operation::{Assembly, Part}, storage::ObjectPath};

fn assemble(path: ObjectPath, upload_id: String, parts: Vec<Part>) -> Assembly {
    Assembly::new((), path, upload_id, parts).unwrap()
}

fn main() {}
