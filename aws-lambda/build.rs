//! Links the functions without unwind tables in the profile where a panic aborts.

use std::env;

const FUNCTIONS: [&str; 5] = ["api", "relay", "ingest", "notify", "sweep"];

fn main() {
    println!("cargo::rerun-if-changed=function.ld");
    // Cargo passes neither the profile nor its panic strategy to a build script. Only the profile
    // `function` uses this level, and in it a panic aborts the process.
    if env::var("OPT_LEVEL").as_deref() != Ok("z") {
        return;
    }
    let directory = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    for function in FUNCTIONS {
        for argument in [
            "--no-eh-frame-hdr".to_owned(),
            format!("-T,{directory}/function.ld"),
        ] {
            println!("cargo::rustc-link-arg-bin={function}=-Wl,{argument}");
        }
    }
}
