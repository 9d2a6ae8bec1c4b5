//! Links the functions without a description of how to unwind, where nothing unwinds.

use std::env;

const FUNCTIONS: [&str; 5] = ["api", "relay", "ingest", "notify", "sweep"];

fn main() {
    println!("cargo::rerun-if-changed=function.ld");
    // Cargo tells a build script no profile and no panic strategy of it. This level is the profile
    // `function`'s alone, in which a panic ends the process.
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
