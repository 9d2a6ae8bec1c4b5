//! s3s: an independent, strict S3 over a directory.

use std::{
    fs, net,
    thread::{self, JoinHandle},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{
    auth::SimpleAuth,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::oneshot::{self, Receiver, Sender},
};

use super::ministack::Credentials;

/// A running s3s over an empty directory. Its only key is ministack's root key.
#[derive(Debug)]
pub struct S3s {
    pub url: String,
    root: TempDir,
    /// Dropping it ends the server.
    running: Option<Sender<()>>,
    server: Option<JoinHandle<()>>,
}

impl S3s {
    /// Starts s3s on a free port, on its own thread because each test has its own runtime.
    #[must_use]
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let known = Credentials::root();
        let mut service = S3ServiceBuilder::new(FileSystem::new(root.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(known.key, known.secret));
        let service = service.build();
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (running, ended) = oneshot::channel();
        let server = thread::spawn(move || {
            let runtime = Runtime::new().unwrap();
            runtime.block_on(serve(listener, service, ended));
        });
        Self {
            url,
            root,
            running: Some(running),
            server: Some(server),
        }
    }

    /// Creates a bucket, which is a directory here.
    pub fn bucket(&self, name: &str) {
        fs::create_dir(self.root.path().join(name)).unwrap();
    }
}

impl Drop for S3s {
    fn drop(&mut self) {
        self.running = None;
        let _ = self.server.take().map(JoinHandle::join);
    }
}

async fn serve(listener: net::TcpListener, service: S3Service, mut ended: Receiver<()>) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted.unwrap(),
            _ = &mut ended => return,
        };
        let service = service.clone();
        tokio::spawn(async move {
            let server = Builder::new(TokioExecutor::new());
            // The client sees a broken connection.
            let _ = server.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
