//! Serves surfaces on loopback until Ctrl-C, for `cargo xtask up`.

use std::{env, process::ExitCode};

use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};
use wm_tests::{
    surfaces::{aws::AwsSurface, azure::AzureSurface},
    up::{Aws, Azure, Node, Served},
};

const SURFACES: [&str; 3] = ["local", "aws", "azure"];

#[tokio::main]
async fn main() -> ExitCode {
    let wanted = env::args().nth(1).unwrap_or_default();
    let names: Vec<&str> = SURFACES
        .into_iter()
        .filter(|name| wanted == "all" || wanted == *name)
        .collect();
    if names.is_empty() {
        eprintln!("error: name one of local, aws, azure and all");
        return ExitCode::from(2);
    }
    let mut served = Vec::new();
    for name in names {
        let surface = start(name).await;
        print!("{}", surface.greeting());
        served.push(surface);
    }
    println!("Ctrl-C stops everything and deletes the data.");
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    tokio::select! {
        _ = ctrl_c() => {}
        _ = terminated.recv() => {}
    }
    ExitCode::SUCCESS
}

async fn start(name: &str) -> Served {
    match name {
        "aws" => Served::start(Aws::open(AwsSurface::start().await).await).await,
        "azure" => Served::start(Azure::open(AzureSurface::start().await)).await,
        _ => Served::start(Node::start()).await,
    }
}
