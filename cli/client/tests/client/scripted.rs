//! A server on the loopback interface that sends prepared answers.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use wm_client::{BearerToken, Client, TokenSource};

#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Method, target and protocol.
    pub(crate) line: String,
    /// Names, in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// The server. It answers one request per connection, in the order of the prepared answers.
pub(crate) struct Scripted {
    pub(crate) url: String,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Scripted {
    /// Serves these answers. An empty answer closes the connection.
    pub(crate) fn serve(answers: impl IntoIterator<Item = String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        let answers: Vec<String> = answers.into_iter().collect();
        thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                let request = read(&stream);
                log.lock().unwrap().push(request);
                (&stream).write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { url, received }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(BearerToken::new("t"))
    }

    pub(crate) fn client_with(&self, token: impl TokenSource) -> Client {
        Client::new(self.url.parse().unwrap(), token).unwrap()
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// An answer with this status line, these additional header lines and this body.
pub(crate) fn answer(status: &str, headers: &[&str], body: &str) -> String {
    let headers: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

pub(crate) fn problem(status: &str, kind: &str, headers: &[&str]) -> String {
    let body = format!(r#"{{"type":"urn:wm:problem:{kind}","detail":"do this next"}}"#);
    answer(status, headers, &body)
}

fn read(stream: &TcpStream) -> Received {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let line = head.remove(0);
    let headers = head.iter().filter_map(|line| line.split_once(": "));
    let mut received = Received {
        line,
        headers: headers
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect(),
        body: Vec::new(),
    };
    let length = received.header("content-length").unwrap_or("0");
    received.body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut received.body).unwrap();
    received
}
