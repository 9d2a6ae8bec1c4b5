//! Typed calls and transfers against a node of the local surface.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use serde_json::{Value, json};
use tempfile::TempDir;
use wm_client::{
    BearerToken, Client, Destination, DownloadRequest, Method, Phase, Progress, ProgressMeter,
    Transfer, TransferErrorKind,
    api::{
        accounts::NewAccount,
        grants::{GrantFilter, GrantStatus, NewGrant},
        journal::JournalRef,
        projects::NewProject,
        teams::NewTeam,
        versions::VersionRef,
    },
};
use wm_core::{
    operation::{ProblemKind, TokenUsage},
    record::{AccountKind, Visibility},
    storage::UploadLimits,
    value::{AccountId, Email, Principal, ProjectId, ProjectRole},
};
use wm_local::{
    clock, config::Config, data_directory::Layout, identity::Issuer, node::Node as LocalNode,
};

const MIB: u64 = 1024 * 1024;

/// A node with an account and a project that Ana owns.
struct Node {
    home: TempDir,
    node: LocalNode,
    client: Client,
    account: AccountId,
    project: ProjectId,
}

impl Node {
    async fn start() -> Self {
        let home = TempDir::with_prefix("wm-client-").unwrap();
        let data = home.path().join("data");
        let node = LocalNode::start(Config {
            data: data.clone(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            public_url: None,
            upload: UploadLimits {
                single_limit: MIB,
                part_size: MIB,
            },
        });
        let node = node.await.unwrap();
        let email: Email = "ana@example.com".parse().unwrap();
        let issuer = Issuer::open(&Layout::new(&data).issuer_key()).unwrap();
        let token = issuer.mint(TokenUsage::Access, &email, None, clock::now());
        let token = BearerToken::new(token.unwrap());
        let client = Client::new(node.public_url().parse().unwrap(), token).unwrap();
        let account = NewAccount {
            name: "Harbour".parse().unwrap(),
            kind: AccountKind::Organisation,
        };
        let account = client.create_account(&account).await.unwrap().id;
        let project = NewProject {
            name: "Quay".parse().unwrap(),
            description: None,
            visibility: Visibility::Private,
        };
        let project = client.create_project(account, &project).await.unwrap().id;
        Self {
            home,
            node,
            client,
            account,
            project,
        }
    }
}

/// The phases of transfers, each with its size and the position at its end.
#[derive(Debug, Default, Clone)]
struct Observed {
    finished: Arc<Mutex<Vec<(Phase, u64, u64)>>>,
}

struct Phased {
    observed: Observed,
    phase: Phase,
    size: u64,
    position: AtomicU64,
}

impl Progress for Observed {
    fn begin(&self, phase: Phase, _: &str, size: u64) -> Box<dyn ProgressMeter> {
        Box::new(Phased {
            observed: self.clone(),
            phase,
            size,
            position: AtomicU64::new(0),
        })
    }
}

impl ProgressMeter for Phased {
    fn set(&self, position: u64) {
        self.position.fetch_max(position, Ordering::SeqCst);
    }

    fn finish(&self) {
        let position = self.position.load(Ordering::SeqCst);
        let mut finished = self.observed.finished.lock().unwrap();
        finished.push((self.phase, self.size, position));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_in_parts_is_observed_and_verified() {
    let site = Node::start().await;
    let (file, out) = (
        site.home.path().join("a.bin"),
        site.home.path().join("b.bin"),
    );
    let size = 3 * MIB + 1;
    let bytes: Vec<u8> = (0..size).map(|at| (at / 1000 % 251) as u8).collect();
    fs::write(&file, &bytes).unwrap();
    let observed = Observed::default();
    let transfer = Transfer::new(&site.client)
        .progress(Arc::new(observed.clone()))
        .resume_directory(site.home.path().join("uploads"));
    let destination = Destination::of(&file, site.project).unwrap();
    let uploaded = transfer.upload(&file, &destination).await.unwrap();
    let mut request = DownloadRequest {
        project: site.project,
        artifact: uploaded.artifact,
        version: None,
        out: Some(out.clone()),
        overwrite: false,
    };
    assert_eq!(transfer.download(&request).await.unwrap(), out);
    assert!(fs::read(&out).unwrap() == bytes, "the bytes differ");
    let phases = [Phase::Reading, Phase::Uploading, Phase::Downloading];
    let expected = phases.map(|phase| (phase, size, size));
    assert_eq!(*observed.finished.lock().unwrap(), expected);
    let states = fs::read_dir(site.home.path().join("uploads")).unwrap();
    assert_eq!(states.count(), 0, "a finished upload leaves no state");
    let exists = transfer.download(&request).await.unwrap_err();
    assert!(matches!(exists.kind(), TransferErrorKind::Exists(path) if *path == out));
    request.overwrite = true;
    transfer.download(&request).await.unwrap();

    let versions = site.client.versions(site.project, uploaded.artifact, None);
    assert_eq!(versions.await.unwrap().items.len(), 1);
    let first = VersionRef {
        project: site.project,
        artifact: uploaded.artifact,
        number: 1,
    };
    let version = site.client.version(first).await.unwrap();
    assert_eq!(version.size.bytes(), size);
    let restored = site.client.restore_version(first).await.unwrap();
    assert_eq!((restored.number, restored.restored_from), (2, Some(1)));
    let artifacts = site.client.artifacts(site.project, None).await.unwrap();
    assert_eq!(artifacts.items[0].current.as_ref().unwrap().number, 2);
    site.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typed_answers_fit_what_a_surface_sends() {
    let Node {
        node,
        client,
        account,
        project,
        home: _home,
    } = Node::start().await;
    assert_eq!(client.account(account).await.unwrap().revision.version, 1);
    assert!(!client.project(project).await.unwrap().archived);
    let team = NewTeam {
        name: "Review".parse().unwrap(),
    };
    let team = client.create_team(account, &team).await.unwrap();
    let grant = NewGrant::new(Principal::Team(team.id), ProjectRole::Viewer);
    let grant = client.create_grant(project, &grant).await.unwrap();
    assert_eq!(grant.status, GrantStatus::Live);
    let reason = "over & done".parse().unwrap();
    let revoked = client.revoke_grant(project, grant.id, Some(&reason));
    revoked.await.unwrap();
    let unrevoked = client.grants(project, GrantFilter::Unrevoked, None).await;
    assert_eq!(unrevoked.unwrap().items.len(), 1);
    let all = client
        .grants(project, GrantFilter::All, None)
        .await
        .unwrap();
    let kept = all.items.iter().find(|kept| kept.id == grant.id).unwrap();
    assert_eq!(kept.reason.as_ref(), Some(&reason));
    assert_eq!(kept.status, GrantStatus::Revoked);

    let session = client.session(None).await.unwrap();
    assert_eq!(session.projects[0].id, project);
    assert_eq!(session.accounts[0].id, account);
    assert_eq!(client.access(project).await.unwrap().user, session.user.id);

    let journal = JournalRef::Project(project);
    let first = client.journal(journal, 0, 2).await.unwrap().items;
    let rest = client.journal(journal, 2, 200).await.unwrap().items;
    assert_eq!(first[0].event, "project.created");
    assert_eq!(rest[0].previous, first[1].hash);
    let verification = client.verify_journal(journal).await.unwrap();
    assert!(verification.valid);
    assert_eq!(verification.entries, (first.len() + rest.len()) as u64);
    node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn request_with_a_stale_etag_is_refused() {
    let Node {
        node,
        client,
        account,
        home: _home,
        ..
    } = Node::start().await;
    let path = format!("/v1/accounts/{account}");
    let read = client.request(Method::GET, &path).send::<Value>().await;
    let etag = read.unwrap().etag.unwrap();
    let rename = |name: &str| {
        let request = client.request(Method::PATCH, &path).if_match(&etag);
        request.body(&json!({ "name": name }))
    };
    let renamed = rename("Port").send::<Value>().await.unwrap();
    assert_ne!(renamed.etag.as_ref(), Some(&etag));
    assert!(renamed.request_id.is_some());
    let error = rename("Harbour").send::<Value>().await.unwrap_err();
    let problem = error.problem().unwrap();
    assert!(problem.is(ProblemKind::PreconditionFailed), "{problem:?}");
    let invalid = client.request(Method::PATCH, &path).if_match("*");
    let invalid = invalid.body(&json!({ "name": "" })).send::<Value>().await;
    let error = invalid.unwrap_err();
    assert_eq!(error.problem().unwrap().errors[0].field, "name");
    node.shutdown().await;
}
