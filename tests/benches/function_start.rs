//! Cold start of each Lambda function: size of the binary and of its package, and processor time
//! and memory until it requests its first event.
//!
//! `cargo bench -p wm-tests --bench function_start` builds the functions as they are deployed,
//! which takes minutes. It runs each function against its own Runtime API and database on loopback.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::Duration,
};

use wm_tests::{
    process_metrics::{Running, megabytes, processor_time, resident, zipped},
    repository,
};

const FUNCTIONS: [&str; 5] = ["api", "relay", "ingest", "notify", "sweep"];
/// The number of measured starts per function. The result is the median.
const STARTS: usize = 21;
/// The limit for the first request of an event.
const TIMEOUT: Duration = Duration::from_secs(20);

fn main() {
    let directory = built();
    println!("| function | binary | zip | processor time until ready | resident |");
    println!("|---|---|---|---|---|");
    for function in FUNCTIONS {
        let program = directory.join(function);
        let starts: Vec<Start> = (0..STARTS).map(|_| measure(&program)).collect();
        let median = |figure: fn(&Start) -> u64| {
            let mut figures: Vec<u64> = starts.iter().map(figure).collect();
            figures.sort_unstable();
            figures[STARTS / 2]
        };
        println!(
            "| `{function}` | {:.1} MB | {:.1} MB | {:.1} ms | {:.1} MB |",
            megabytes(fs::metadata(&program).unwrap().len()),
            megabytes(zipped(&program, "bootstrap")),
            median(|start| start.nanoseconds) as f64 / 1e6,
            megabytes(median(|start| start.resident)),
        );
    }
}

/// The directory of the functions, built for deployment.
fn built() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--profile", "function", "--package", "wm-aws"]);
    for function in FUNCTIONS {
        build.args(["--bin", function]);
    }
    let status = build.current_dir(repository::root()).status().unwrap();
    assert!(status.success(), "the functions cannot be built");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || repository::root().join("target"),
        |target| repository::root().join(target),
    );
    target.join("function")
}

/// The measurements of one start.
struct Start {
    nanoseconds: u64,
    resident: u64,
}

fn measure(program: &Path) -> Start {
    let (asked, first) = channel();
    let runtime = serve(asked);
    let (read, _reads) = channel();
    let database = serve(read);
    let child = Command::new(program)
        .env_clear()
        .envs(environment())
        .env("AWS_LAMBDA_RUNTIME_API", runtime)
        .env("AWS_ENDPOINT_URL", format!("http://{database}"))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let running = Running(child);
    wait(&first);
    Start {
        nanoseconds: processor_time(&running),
        resident: resident(&running),
    }
}

fn environment() -> [(&'static str, &'static str); 18] {
    [
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", ""),
        ("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
        ("AWS_DYNAMODB_TABLE", "workspace-management-dev"),
        ("AWS_S3_BUCKET", "workspace-management-dev-documents"),
        ("AWS_EVENTBRIDGE_BUS", "workspace-management-dev"),
        ("AWS_SES_FROM", "no-reply@example.com"),
        ("AWS_COGNITO_USER_POOL", "eu-central-1_measured"),
        ("AWS_COGNITO_CLIENTS", "client"),
        ("AWS_SURFACE_ID", "srf_01jd0000000000000000000000_00001"),
        ("AWS_PUBLIC_URL", "https://api.example.com"),
        ("AWS_SURFACE_SECRET", "not a secret, but as long as one is"),
        ("WM_LOG", "warn"),
    ]
}

/// Answers every request except the one for an event. Reports that request and leaves it open.
fn serve(asked: Sender<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, asked) = (stream.unwrap(), asked.clone());
            thread::spawn(move || answer(&stream, &asked));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, asked: &Sender<()>) {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.contains("/invocation/next") {
            let _ = asked.send(());
            // No answer: the function waits.
            let _ = std::io::copy(&mut reader, &mut std::io::sink());
            return;
        }
        let mut header = String::new();
        while reader.read_line(&mut header).is_ok() && header != "\r\n" {
            if let Some(digits) = header.to_ascii_lowercase().strip_prefix("content-length:") {
                length = digits.trim().parse().unwrap();
            }
            header.clear();
        }
        std::io::copy(&mut (&mut reader).take(length), &mut std::io::sink()).unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
        if stream.write_all(head.as_bytes()).is_err() {
            return;
        }
    }
}

fn wait(first: &Receiver<()>) {
    first
        .recv_timeout(TIMEOUT)
        .expect("the function asks for an event");
}
