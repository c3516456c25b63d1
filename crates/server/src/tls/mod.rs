//! TLS: certificates from files, read anew when they change.
//!
//! Purpose: a certificate that is renewed on disk is shown to the next connection, without a restart.
//! Invariant: what does not read, does not belong together or has expired is told at the start, and
//! later never takes the place of what works.

mod error;
mod validity;

pub use error::TlsError;

use jiff::Timestamp;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        self, RootCertStore, ServerConfig,
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
        server::WebPkiClientVerifier,
    },
};
use validity::Validity;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// A certificate that ends within this is told of at each start and reload.
const SOON: jiff::SignedDuration = jiff::SignedDuration::from_hours(14 * 24);

/// Where the server's certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM: the server's certificate, then those that lead to its authority.
    pub certificate: PathBuf,
    /// PEM: the private key of the first certificate.
    pub key: PathBuf,
    /// PEM: authorities. A client then has to show a certificate of one of them (mTLS).
    pub client_ca: Option<PathBuf>,
}

/// The files, and what is made of them.
#[derive(Debug)]
pub(crate) struct Tls {
    files: TlsConfig,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    looked: Instant,
    stamps: Vec<Stamp>,
    config: Arc<ServerConfig>,
    expires: Timestamp,
}

type Stamp = Option<(SystemTime, u64)>;

impl Tls {
    /// Reads the files.
    pub(crate) fn load(files: &TlsConfig) -> Result<Self, TlsError> {
        let stamps = stamps(files);
        let (config, validity) = read(files)?;
        Ok(Tls {
            files: files.clone(),
            state: Mutex::new(State {
                looked: Instant::now(),
                stamps,
                config: Arc::new(config),
                expires: validity.until,
            }),
        })
    }

    /// For the next connection: what the files hold now, or what last worked.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            let now = stamps(&self.files);
            if now != state.stamps {
                match read(&self.files) {
                    Ok((config, validity)) => {
                        state.config = Arc::new(config);
                        state.expires = validity.until;
                        tracing::info!(until = %validity.until, "a new certificate is shown from now on");
                        state.stamps = now;
                    }
                    // Two files are rarely replaced at once: the next look may find both.
                    Err(e) => tracing::error!(
                        "the certificate changed on disk and cannot be used; the one from before stays: {}",
                        e.message()
                    ),
                }
            }
        }
        TlsAcceptor::from(Arc::clone(&state.config))
    }

    /// When the certificate that is shown ends.
    pub(crate) fn expires(&self) -> Timestamp {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .expires
    }
}

fn stamps(files: &TlsConfig) -> Vec<Stamp> {
    [
        Some(&files.certificate),
        Some(&files.key),
        files.client_ca.as_ref(),
    ]
    .into_iter()
    .flatten()
    .map(|path| {
        let m = fs::metadata(path).ok()?;
        Some((m.modified().ok()?, m.len()))
    })
    .collect()
}

fn read(files: &TlsConfig) -> Result<(ServerConfig, Validity), TlsError> {
    let chain = certificates(&files.certificate)?;
    let validity = usable(&files.certificate, &chain)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|e| TlsError::unreadable(&files.key, "a private key", "私钥", e))?;
    let provider = Arc::new(ring::default_provider());
    let refused = |e: rustls::Error| TlsError::Refused {
        path: files.certificate.clone(),
        key: files.key.clone(),
        problem: e.to_string(),
    };
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(refused)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(clients(path, provider)?),
    };
    let mut config = builder.with_single_cert(chain, key).map_err(refused)?;
    // gRPC, and HTTP/1 for gRPC-web and probes.
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((config, validity))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unreadable = |e| TlsError::unreadable(path, "certificates", "证书", e);
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(unreadable)?
        .collect();
    let all = all.map_err(unreadable)?;
    if all.is_empty() {
        return Err(unreadable(rustls::pki_types::pem::Error::NoItemsFound));
    }
    Ok(all)
}

/// The days of the server's own certificate, when it is valid now.
fn usable(path: &Path, chain: &[CertificateDer<'_>]) -> Result<Validity, TlsError> {
    let validity = chain
        .first()
        .and_then(|own| Validity::of(own))
        .ok_or_else(|| {
            TlsError::unreadable(
                path,
                "certificates",
                "证书",
                rustls::pki_types::pem::Error::NoItemsFound,
            )
        })?;
    let now = Timestamp::now();
    if !(validity.from..validity.until).contains(&now) {
        return Err(TlsError::NotValid {
            path: path.to_owned(),
            from: validity.from,
            until: validity.until,
            now,
        });
    }
    if validity.until.duration_since(now) < SOON {
        tracing::warn!(file = %path.display(), until = %validity.until, "the certificate ends soon: renew it");
    }
    Ok(validity)
}

fn clients(
    path: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, TlsError> {
    let refused = |problem: String| TlsError::ClientCa {
        path: path.to_owned(),
        problem,
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority).map_err(|e| refused(e.to_string()))?;
    }
    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|e| refused(e.to_string()))
}
