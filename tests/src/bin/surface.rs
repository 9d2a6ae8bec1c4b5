//! An instrumented surface: the deployed functions, handler and node, over ports whose time,
//! entropy and faults come from a control file. Lambda and the Functions host set an environment
//! variable that selects the program. With the arguments `DATA PUBLIC_URL` it starts a node.

use std::{
    env,
    error::Error,
    io::{BufRead, stdin},
    process::ExitCode,
};

use tokio::runtime::Runtime;
use wm_aws::{
    config::Function,
    functions::{Startup, api, ingest, notify, relay, run, sweep},
};
use wm_azure::functions as azure;
use wm_local::config::Config;
use wm_service::ports::Provider;
use wm_tests::{instrumented::Instrumented, surfaces::composed_node::ComposedNode};

fn main() -> ExitCode {
    if let Ok(name) = env::var("AWS_LAMBDA_FUNCTION_NAME") {
        let function = Function::ALL
            .into_iter()
            .find(|function| function.name() == name);
        let function = function.unwrap_or_else(|| panic!("there is no function `{name}`"));
        return run(lambda(function));
    }
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [data, public_url] => node(data, public_url).expect("the node runs"),
        _ => return handler(),
    }
    ExitCode::SUCCESS
}

async fn lambda(function: Function) -> Result<(), Box<dyn Error + Send + Sync>> {
    let startup = Startup::read(function)?;
    let ports = match function {
        Function::Api | Function::Ingest => startup.ports()?,
        Function::Relay | Function::Sweep => startup.publishing_ports()?,
        Function::Notify => startup.mailing_ports()?,
    };
    let meter = ports.records().meter().clone();
    let service = startup.service(Instrumented::new(ports)).await?;
    match function {
        Function::Api => api(service, meter).await,
        Function::Ingest => ingest(service).await,
        Function::Notify => notify(service).await,
        Function::Relay => relay(service).await,
        Function::Sweep => sweep(service, startup.work_partitions()).await,
    }
}

fn handler() -> ExitCode {
    let handler = match azure::Handler::from_arguments(env::args_os().skip(1)) {
        Ok(handler) => handler,
        Err(code) => return code,
    };
    let role = handler.role();
    handler.run(async move {
        let startup = azure::Startup::read(role)?;
        startup
            .application(Instrumented::new(startup.connect()?))
            .await
    })
}

/// Runs a node until standard input ends. Each input line is `drain` or `sweep` and is answered
/// when that work is done.
fn node(data: &str, public_url: &str) -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let config = Config {
        data: data.into(),
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: Some(public_url.to_owned()),
        ..Config::default()
    };
    let node = runtime.block_on(ComposedNode::start(config, Instrumented::new))?;
    println!("http://{}", node.address());
    for line in stdin().lock().lines() {
        match line?.as_str() {
            "sweep" => runtime.block_on(node.sweep()),
            "drain" => runtime.block_on(node.drain()),
            other => panic!("`{other}` is nothing a node can be asked"),
        }
        println!("done");
    }
    runtime.block_on(node.shutdown());
    Ok(())
}
