//! A certificate authority for this checkout, and the server certificate that it signed.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::{repository, tools};

/// A host name that is not local. Clients must be configured with its address.
pub const VAULT: &str = "wm.vault.test";

/// The paths of PEM files.
#[derive(Debug, Clone)]
pub struct Authority {
    /// The certificates that clients must trust: the value of `SSL_CERT_FILE` for a process.
    pub trusted: PathBuf,
    /// The certificate of servers on loopback, for `127.0.0.1`, `localhost` and [`VAULT`].
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    /// The authority of this checkout. The first caller creates it.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Authority> = OnceLock::new();
        SHARED.get_or_init(|| {
            let tools = repository::root().join(".tools");
            fs::create_dir_all(&tools).unwrap();
            let _alone = tools::alone(&tools.join("azure-authority.lock"));
            let directory = tools.join("azure-authority");
            let files = Self {
                trusted: directory.join("trusted.pem"),
                certificate: directory.join("certificate.pem"),
                key: directory.join("key.pem"),
            };
            // Written last, so that an interrupted creation starts again.
            if !files.trusted.exists() {
                files.make(&directory);
            }
            files
        })
    }

    fn make(&self, directory: &Path) {
        let key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let name = "workspace-management tests";
        root.distinguished_name.push(DnType::CommonName, name);
        let root = CertifiedIssuer::self_signed(root, key).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["localhost", "127.0.0.1", VAULT].map(str::to_owned);
        let server = CertificateParams::new(names).unwrap();
        let server = server.signed_by(&key, &root).unwrap();
        fs::create_dir_all(directory).unwrap();
        fs::write(&self.key, key.serialize_pem()).unwrap();
        fs::write(&self.certificate, server.pem()).unwrap();
        fs::write(&self.trusted, root.pem()).unwrap();
    }

    /// The TLS acceptor of servers in the test process.
    pub fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_file(&self.certificate).unwrap();
        let key = PrivateKeyDer::from_pem_file(&self.key).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        TlsAcceptor::from(std::sync::Arc::new(config))
    }

    /// A client in the test process that trusts only these servers and follows no redirect.
    pub fn client(&self) -> reqwest::Client {
        self.client_builder().build().unwrap()
    }

    /// A builder of the same client, for further settings.
    pub fn client_builder(&self) -> reqwest::ClientBuilder {
        let trusted = fs::read(&self.trusted).unwrap();
        let trusted = reqwest::Certificate::from_pem(&trusted).unwrap();
        reqwest::Client::builder()
            .tls_certs_only([trusted])
            .redirect(reqwest::redirect::Policy::none())
    }
}
