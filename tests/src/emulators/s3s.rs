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
    S3, S3Request, S3Response, S3Result,
    auth::SimpleAuth,
    dto,
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
        let mut service = S3ServiceBuilder::new(ShortKeys(FileSystem::new(root.path()).unwrap()));
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

/// The directory, with shorter keys. It keeps the metadata of an object in one file that is named
/// after the whole key in base 64, and a file name has at most 255 bytes. S3 allows keys of 1,024
/// bytes.
struct ShortKeys(FileSystem);

/// The key without its account, which the id of the project contains too.
fn short(key: &str) -> String {
    let below = key.strip_prefix("accounts/acc_").map(|rest| &rest[26..]);
    below
        .map_or(key, |below| below.trim_start_matches('/'))
        .to_owned()
}

/// The key of a short one.
fn full(key: &str) -> String {
    let account = key.strip_prefix("projects/prj_").map(|rest| &rest[..26]);
    account.map_or(key.to_owned(), |account| {
        format!("accounts/acc_{account}/{key}")
    })
}

/// Delegates operations on one key.
macro_rules! delegate {
    ($($operation:ident: $input:ident => $output:ident,)*) => {
        #[async_trait::async_trait]
        impl S3 for ShortKeys {
            $(async fn $operation(
                &self,
                mut request: S3Request<dto::$input>,
            ) -> S3Result<S3Response<dto::$output>> {
                request.input.key = short(&request.input.key);
                self.0.$operation(request).await
            })*

            async fn list_objects_v2(
                &self,
                request: S3Request<dto::ListObjectsV2Input>,
            ) -> S3Result<S3Response<dto::ListObjectsV2Output>> {
                let mut response = self.0.list_objects_v2(request).await?;
                for object in response.output.contents.iter_mut().flatten() {
                    object.key = object.key.as_deref().map(full);
                }
                Ok(response)
            }
        }
    };
}

delegate! {
    put_object: PutObjectInput => PutObjectOutput,
    get_object: GetObjectInput => GetObjectOutput,
    head_object: HeadObjectInput => HeadObjectOutput,
    delete_object: DeleteObjectInput => DeleteObjectOutput,
    create_multipart_upload: CreateMultipartUploadInput => CreateMultipartUploadOutput,
    upload_part: UploadPartInput => UploadPartOutput,
    complete_multipart_upload: CompleteMultipartUploadInput => CompleteMultipartUploadOutput,
    abort_multipart_upload: AbortMultipartUploadInput => AbortMultipartUploadOutput,
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
