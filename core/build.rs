//! Removes line feeds and indentation from the OpenAPI document, because deployed programs contain it.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=openapi.json");
    let directory = env::var_os("OUT_DIR").unwrap_or_default();
    let document = fs::read_to_string("openapi.json")?;
    let compact: String = document.lines().map(str::trim_start).collect();
    fs::write(Path::new(&directory).join("openapi.json"), compact)
}
