//! Start of the custom handler: time from `spawn` to the answer of the host's probe and to the
//! first real answer, memory at that time, and size of the binary and of its package.
//!
//! `cargo bench -p wm-tests --bench handler_start` builds the handler as it is deployed, which
//! takes minutes. It needs the target `x86_64-unknown-linux-musl` and a C compiler for it
//! (`musl-tools`).

use std::{
    env, fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use wm_tests::{
    process_metrics::{Running, megabytes, processor_time, resident, zipped},
    repository,
};

const TARGET: &str = "x86_64-unknown-linux-musl";
/// The number of measured starts. The result is the median.
const STARTS: usize = 21;
/// The limit for the first answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The pause between two attempts to connect. The host's own interval of 25 ms is too coarse for
/// measurements.
const PAUSE: Duration = Duration::from_micros(200);

fn main() {
    let program = built();
    let starts: Vec<Start> = (0..STARTS).map(|_| measure(&program)).collect();
    let median = |figure: fn(&Start) -> u64| {
        let mut figures: Vec<u64> = starts.iter().map(figure).collect();
        figures.sort_unstable();
        figures[STARTS / 2]
    };
    println!("| binary | zip | probe answered | first answer | processor time | resident |");
    println!("|---|---|---|---|---|---|");
    println!(
        "| {:.1} MB | {:.1} MB | {:.1} ms | {:.1} ms | {:.1} ms | {:.1} MB |",
        megabytes(fs::metadata(&program).unwrap().len()),
        megabytes(zipped(&program, "handler")),
        milliseconds(median(|start| start.probe)),
        milliseconds(median(|start| start.answer)),
        milliseconds(median(|start| start.processor)),
        megabytes(median(|start| start.resident)),
    );
}

fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

/// The handler, built for deployment.
fn built() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = [
        "build",
        "--profile",
        "dist",
        "--package",
        "wm-azure",
        "--bin",
        "handler",
        "--target",
        TARGET,
    ];
    let status = Command::new(cargo)
        .args(arguments)
        .current_dir(repository::root())
        .status()
        .unwrap();
    assert!(status.success(), "the handler cannot be built");
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(
        || repository::root().join("target"),
        |target| repository::root().join(target),
    );
    target.join(TARGET).join("dist/handler")
}

/// The measurements of one start: times in nanoseconds, memory in bytes.
struct Start {
    probe: u64,
    answer: u64,
    processor: u64,
    resident: u64,
}

fn measure(program: &Path) -> Start {
    let port = free_port();
    let database = refusing();
    let mut command = Command::new(program);
    command
        .env_clear()
        .envs(environment())
        .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
        .env("AZURE_COSMOS_ENDPOINT", format!("http://{database}/"))
        .stdout(Stdio::null());
    let begun = Instant::now();
    let running = Running(command.spawn().unwrap());
    let elapsed = || u64::try_from(begun.elapsed().as_nanos()).unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    get(address, "/", "HTTP/1.1 200");
    let probe = elapsed();
    // This path reads no database, which would measure another process.
    get(address, "/v1/catalog", "HTTP/1.1 200");
    let answer = elapsed();
    Start {
        probe,
        answer,
        processor: processor_time(&running),
        resident: resident(&running),
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Sends the request until an answer arrives. The answer must begin with `expected`.
fn get(address: SocketAddr, path: &str, expected: &str) {
    let deadline = Instant::now() + TIMEOUT;
    let asked = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    while Instant::now() < deadline {
        let Ok(mut stream) = TcpStream::connect(address) else {
            thread::sleep(PAUSE);
            continue;
        };
        stream.write_all(asked.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with(expected), "{path}: {answer}");
        return;
    }
    panic!("nothing answers at {path}");
}

/// A database that refuses every request at once, so that the handler never waits for it.
fn refusing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 8192]);
            let _ = stream.write_all(
                b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            );
        }
    });
    address
}

fn environment() -> [(&'static str, &'static str); 16] {
    [
        // The value of the template.
        ("COSMOS_DISABLE_IMDS", "1"),
        ("AZURE_COSMOS_ACCOUNT", "workspace-management-dev-cosmos"),
        ("AZURE_COSMOS_DATABASE", "workspace"),
        ("AZURE_COSMOS_CONTAINER", "workspace_items"),
        ("AZURE_STORAGE_ACCOUNT", "workspacemanagedevdocs"),
        ("AZURE_STORAGE_CONTAINER", "workspace-documents"),
        ("AZURE_EVENTGRID_ENDPOINT", "https://127.0.0.1:9"),
        ("AZURE_COMMUNICATION_ENDPOINT", "https://127.0.0.1:9"),
        ("AZURE_COMMUNICATION_FROM", "no-reply@example.com"),
        (
            "AZURE_ENTRA_ISSUER",
            "https://tenant.ciamlogin.com/tenant/v2.0",
        ),
        ("AZURE_ENTRA_TENANT", "tenant"),
        ("AZURE_ENTRA_CLIENTS", "client"),
        ("AZURE_SURFACE_ID", "srf_01jd0000000000000000000000_00001"),
        ("AZURE_PUBLIC_URL", "https://api.example.com"),
        (
            "AZURE_SURFACE_SECRET",
            "not a secret, but as long as one is",
        ),
        ("WM_LOG", "error"),
    ]
}
