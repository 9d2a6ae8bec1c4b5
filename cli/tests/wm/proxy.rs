//! A proxy between `wm` and a node. It counts bytes, delays them and breaks connections.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

/// The counters and limits of a proxy.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Bytes sent to the node so far.
    pub(crate) sent: AtomicU64,
    /// Bytes sent to the client so far.
    pub(crate) received: AtomicU64,
    /// The number of bytes that may go to the node. Further bytes wait.
    pub(crate) may_send: AtomicU64,
    /// The connection breaks once, after this many bytes to the client.
    pub(crate) breaks_after: AtomicU64,
    /// Turns a conflict into a refusal, like a store whose URLs may only create.
    pub(crate) refuses: AtomicBool,
}

/// A listening proxy whose target is not known yet.
pub(crate) struct Proxy {
    listener: TcpListener,
    pub(crate) url: String,
    pub(crate) wire: Arc<Wire>,
}

impl Proxy {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let wire = Wire {
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            may_send: AtomicU64::new(u64::MAX),
            breaks_after: AtomicU64::new(u64::MAX),
            refuses: AtomicBool::new(false),
        };
        Self {
            listener,
            url,
            wire: Arc::new(wire),
        }
    }

    /// Forwards every connection to this address until the test ends.
    pub(crate) fn lead_to(self, address: String) -> Arc<Wire> {
        let wire = Arc::clone(&self.wire);
        thread::spawn(move || {
            for client in self.listener.incoming().map_while(Result::ok) {
                let Ok(node) = TcpStream::connect(&address) else {
                    continue;
                };
                let ends = (client.try_clone().unwrap(), node.try_clone().unwrap());
                let wire = Arc::clone(&self.wire);
                thread::spawn(move || towards_node(client, node, &wire));
                let wire = Arc::clone(&self.wire);
                thread::spawn(move || towards_client(ends.1, ends.0, &wire));
            }
        });
        wire
    }
}

fn towards_node(mut client: TcpStream, mut node: TcpStream, wire: &Wire) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        while wire.sent.load(Ordering::SeqCst) >= wire.may_send.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(1));
        }
        wire.sent.fetch_add(count as u64, Ordering::SeqCst);
        if node.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = node.shutdown(Shutdown::Write);
}

fn towards_client(mut node: TcpStream, mut client: TcpStream, wire: &Wire) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = node.read(&mut buffer) {
        let before = wire.received.fetch_add(count as u64, Ordering::SeqCst);
        if before > wire.breaks_after.load(Ordering::SeqCst) {
            wire.breaks_after.store(u64::MAX, Ordering::SeqCst);
            let _ = node.shutdown(Shutdown::Both);
            break;
        }
        let conflict = [b"HTTP/1.1 409", b"HTTP/1.1 412"];
        if wire.refuses.load(Ordering::SeqCst)
            && conflict.iter().any(|&line| buffer.starts_with(line))
        {
            buffer[9..12].copy_from_slice(b"403");
        }
        if client.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}
