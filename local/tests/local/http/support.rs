//! A server over a new data directory, and the fixture that gives permits.

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use wm_core::{
    http::{Request, Response},
    operation::{SignDownload, SignUpload},
    permission::{Access, AccountAccess, Permit},
    record::{
        Account, AccountKind, Author, Body, Clock, Member, MemberStatus, Project, Record,
        Visibility,
    },
    storage::{ObjectKind, ObjectPath},
    value::{
        AccountId, AccountRole, ArtifactId, Capability, ProjectId, Sha256, Timestamp, UserId,
        VersionId, id::Id,
    },
};
use wm_http::Server;
use wm_local::{
    artifacts::{LocalArtifacts, ObjectStore, Signer},
    clock::now,
    data_directory::Layout,
    http::{Files, Site, TIMEOUTS},
    identity::Issuer,
};
use wm_service::{
    EnvSource,
    ports::{Artifacts, SignedRequest},
};

pub(crate) const SECRET: [u8; 32] = [7; 32];

pub(crate) fn project() -> ProjectId {
    let ulid = AccountId::from_ulid(1.into());
    ProjectId::new(ulid, 2.into())
}

pub(crate) fn object(number: u32, file: &str) -> ObjectPath {
    ObjectPath {
        project: project(),
        artifact: ArtifactId::from_ulid(3.into()),
        kind: ObjectKind::Raw(VersionId::new(number, 6.into())),
        file: file.parse().unwrap(),
    }
}

/// A running server with its data directory.
pub(crate) struct Running {
    pub(crate) directory: TempDir,
    pub(crate) address: SocketAddr,
    pub(crate) artifacts: LocalArtifacts,
    pub(crate) created: mpsc::UnboundedReceiver<ObjectPath>,
    pub(crate) issuer: Arc<Issuer>,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

/// Answers with the request, so that tests see what reaches the service.
pub(crate) async fn echo(request: Request) -> Response {
    let size = request.body.len();
    let text = format!(
        "{} {}?{} {size}",
        request.method, request.path, request.query
    );
    let status = if size > Request::BODY_LIMIT { 413 } else { 200 };
    Response {
        status,
        headers: vec![("content-type", "text/plain".to_owned())],
        body: text.into_bytes(),
    }
}

impl Running {
    pub(crate) async fn echo() -> Self {
        Self::start(echo).await
    }

    pub(crate) async fn start<H, F>(handle: H) -> Self
    where
        H: Fn(Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response> + Send + 'static,
    {
        let directory = tempfile::tempdir().unwrap();
        let layout = Layout::new(directory.path());
        let store = Arc::new(ObjectStore::open(&layout).unwrap());
        let issuer = Arc::new(Issuer::open(&layout.issuer_key()).unwrap());
        let server = Server::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = server.address();
        let signer = Signer::new(&SECRET);
        let artifacts = LocalArtifacts::new(
            Arc::clone(&store),
            signer.clone(),
            format!("http://{address}"),
        );
        let (sender, created) = mpsc::unbounded_channel();
        let env = Arc::new(EnvSource::new([7; 32]));
        let files = Files {
            store,
            signer,
            created: sender,
            env: Arc::clone(&env),
        };
        let site = Site {
            handle,
            files,
            issuer: Arc::clone(&issuer),
            env,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(async move {
            let routes = site.routes(address);
            let stop = async {
                let _ = stopped.await;
            };
            server.serve(&routes, TIMEOUTS, stop).await;
        });
        Self {
            directory,
            address,
            artifacts,
            created,
            issuer,
            stop: Some(stop),
            served,
        }
    }

    /// Stops the server and waits until it has returned.
    pub(crate) async fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
        (&mut self.served).await.unwrap();
    }

    pub(crate) fn begin_to_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub(crate) async fn stopped(&mut self) {
        (&mut self.served).await.unwrap();
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends raw bytes and reads until the server closes the connection.
    pub(crate) async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }

    /// The signed upload of this object with these bytes.
    pub(crate) async fn upload(&self, path: &ObjectPath, bytes: &[u8]) -> SignedRequest {
        let upload = sign_upload(path, bytes, now().after(Duration::from_secs(60)));
        self.artifacts.sign_upload(&upload).await.unwrap()
    }

    pub(crate) async fn download(&self, path: &ObjectPath, media_type: &str) -> SignedRequest {
        let download = SignDownload::new(
            permit(Capability::ArtifactDownload),
            path.clone(),
            None,
            path.file.clone(),
            media_type.parse().unwrap(),
            now().after(Duration::from_secs(60)),
        );
        let download = download.unwrap();
        self.artifacts.sign_download(&download).await.unwrap()
    }

    /// The names of all files below this directory of the data directory.
    pub(crate) fn files(&self, name: &str) -> Vec<String> {
        fn collect(directory: &std::path::Path, names: &mut Vec<String>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    collect(&path, names);
                } else {
                    names.push(path.file_name().unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut names = Vec::new();
        collect(&self.directory.path().join(name), &mut names);
        names.sort();
        names
    }
}

pub(crate) fn sign_upload(path: &ObjectPath, bytes: &[u8], expires_at: Timestamp) -> SignUpload {
    let upload = SignUpload::new(
        permit(Capability::VersionCreate),
        path.clone(),
        "application/pdf".parse().unwrap(),
        (bytes.len() as u64).try_into().unwrap(),
        Sha256::of(bytes),
        expires_at,
    );
    upload.unwrap()
}

pub(crate) async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a signed request with this body.
pub(crate) async fn send(
    signed: &SignedRequest,
    body: impl Into<reqwest::Body>,
) -> reqwest::Response {
    let client = reqwest::Client::new();
    let mut request = client.request(signed.method.parse().unwrap(), &signed.url);
    for (name, value) in &signed.headers {
        request = request.header(name, value);
    }
    request.body(body).send().await.unwrap()
}

/// A permit of the account's owner, from the permission engine.
fn permit(capability: Capability) -> Permit {
    let user = UserId::from_ulid(4.into());
    let account = record(
        project().account(),
        Account::new("A".parse().unwrap(), AccountKind::Personal, user),
    );
    let member = record(
        user,
        Member {
            account_id: project().account(),
            membership_id: Id::from_ulid(5.into()),
            role: AccountRole::Owner,
            status: MemberStatus::Active,
            invitation_id: None,
        },
    );
    let visible = record(
        project(),
        Project::new("P".parse().unwrap(), None, Visibility::Private),
    );
    let access = Access {
        account: AccountAccess {
            user,
            account: Some(&account),
            member: Some(&member),
            teams: &[],
        },
        project: Some(&visible),
        grants: &[],
        now: now(),
    };
    access.permit(project(), capability).unwrap()
}

fn record<B: Body>(id: B::Id, body: B) -> Record<B> {
    Record::new(id, body, Clock::default(), now(), Author::System)
}
