//! A gate between the program and the emulator. It counts writes and can shut.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

/// The write at which a gate shuts, before or after the service receives it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shut {
    pub(crate) writes: usize,
    pub(crate) seen: bool,
}

pub(crate) struct Gate {
    pub(crate) url: String,
    writes: Arc<Mutex<Vec<String>>>,
    shut: Receiver<()>,
}

/// A complete request.
pub(crate) struct Request {
    head: String,
    /// The offset of the body.
    body: usize,
    bytes: Vec<u8>,
}

impl Gate {
    /// A gate in front of a port. A shut gate answers no request.
    pub(crate) fn new(port: u16, shut: Option<Shut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let writes = Arc::new(Mutex::new(Vec::new()));
        let (sender, receiver) = channel();
        let seen = Arc::clone(&writes);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (seen, sender) = (Arc::clone(&seen), sender.clone());
                thread::spawn(move || pass(client, port, shut, &seen, &sender));
            }
        });
        Self {
            url,
            writes,
            shut: receiver,
        }
    }

    /// All writes so far.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.writes.lock().unwrap().clone()
    }

    /// Waits until a request arrives at the shut gate.
    pub(crate) fn wait(&self) {
        let timeout = Duration::from_secs(60);
        self.shut
            .recv_timeout(timeout)
            .expect("no request came to the shut gate");
    }
}

/// Forwards one request and its answer. A connection carries one request, so the answer ends with
/// its connection.
fn pass(
    mut client: TcpStream,
    port: u16,
    shut: Option<Shut>,
    writes: &Mutex<Vec<String>>,
    sender: &Sender<()>,
) {
    let Some(request) = Request::read(&mut client) else {
        return;
    };
    let mut stop = None;
    if let Some(write) = request.write() {
        let mut writes = writes.lock().unwrap();
        stop = shut.filter(|shut| writes.len() >= shut.writes);
        writes.push(write);
    }
    if stop.is_some_and(|shut| !shut.seen) {
        return park(client, sender);
    }
    let mut service = TcpStream::connect(("127.0.0.1", port)).unwrap();
    service.write_all(&request.bytes).unwrap();
    let mut answer = Vec::new();
    service.read_to_end(&mut answer).unwrap();
    if stop.is_some() {
        return park(client, sender);
    }
    let _ = client.write_all(&answer);
    let _ = client.shutdown(Shutdown::Both);
}

/// Holds a connection until the client closes it.
fn park(mut client: TcpStream, sender: &Sender<()>) {
    let _ = sender.send(());
    let _ = client.read(&mut [0]);
}

impl Request {
    /// Reads one request. `None` if the connection ends first.
    pub(crate) fn read(client: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            let mut part = [0; 4096];
            let count = client.read(&mut part).ok().filter(|count| *count > 0)?;
            bytes.extend(&part[..count]);
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length: usize = header(&head, "content-length").map_or(0, |text| text.parse().unwrap());
        while bytes.len() < end + length {
            let mut part = [0; 4096];
            let count = client.read(&mut part).ok().filter(|count| *count > 0)?;
            bytes.extend(&part[..count]);
        }
        let close = b"connection: close\r\n";
        bytes.splice(end - 2..end - 2, *close);
        let body = end + close.len();
        Some(Self { head, body, bytes })
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }

    /// The name of the write, or `None` for a read.
    fn write(&self) -> Option<String> {
        let (line, _) = self.head.split_once("\r\n")?;
        let (method, rest) = line.split_once(' ')?;
        let path = rest.split(' ').next()?;
        if let Some(target) = header(&self.head, "x-amz-target") {
            let operation = target.rsplit('.').next()?;
            let asks = ["Describe", "List", "Get"]
                .iter()
                .any(|start| operation.starts_with(start));
            return (!asks).then(|| operation.to_owned());
        }
        // The query protocol: the program uses it only to read its identity.
        let asks = ["GET", "HEAD"].contains(&method) || (method == "POST" && path == "/");
        let query = path
            .split_once('?')
            .map(|(_, query)| query)
            .unwrap_or_default();
        let operation = query
            .split('&')
            .find(|part| !part.starts_with("x-id"))
            .unwrap_or_default();
        (!asks).then(|| format!("{method} {operation}").trim_end().to_owned())
    }
}

fn header<'head>(head: &'head str, name: &str) -> Option<&'head str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
