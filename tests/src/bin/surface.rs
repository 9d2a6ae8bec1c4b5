//! A surface under proof: the functions and the node that are deployed, over ports that are told their time,
//! their randomness and their faults. Which of them it is says whoever starts it: Lambda, the Functions host,
//! or the arguments `DATA PUBLIC_URL`.

use std::{
    env,
    error::Error,
    io::{BufRead, stdin},
    process::ExitCode,
};

use tokio::runtime::Runtime;
use wm_aws::functions::{api, ingest, notify, relay, run, sweep};
use wm_local::{config::Config, node::Node};
use wm_tests::told::Told;

fn main() -> ExitCode {
    if let Ok(function) = env::var("AWS_LAMBDA_FUNCTION_NAME") {
        return match function.as_str() {
            "api" => run(api(Told::new)),
            "ingest" => run(ingest(Told::new)),
            "notify" => run(notify(Told::new)),
            "relay" => run(relay(Told::new)),
            "sweep" => run(sweep(Told::new)),
            other => panic!("there is no function `{other}`"),
        };
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [data, public_url] => node(data, public_url).expect("the node runs"),
        _ => return wm_azure::functions::run(env::args_os().skip(1), Told::new),
    }
    ExitCode::SUCCESS
}

/// Runs a node until the standard input ends. Each line of it, `settle` or `sweep`, is answered once that is done.
fn node(data: &str, public_url: &str) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let config = Config {
        data: data.into(),
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: Some(public_url.to_owned()),
        ..Config::default()
    };
    let node = runtime.block_on(Node::start_over(config, Told::new))?;
    println!("http://{}", node.address());
    for line in stdin().lock().lines() {
        match line?.as_str() {
            "sweep" => runtime.block_on(node.sweep()),
            "settle" => runtime.block_on(node.settled()),
            other => panic!("`{other}` is nothing a node can be asked"),
        }
        println!("done");
    }
    runtime.block_on(node.shutdown());
    Ok(())
}
