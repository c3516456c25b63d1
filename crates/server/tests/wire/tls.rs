//! TLS: encrypted, with certificates of clients where they are asked for, renewed without a restart.

use crate::support::{Running, config, question, soon, start_with};
use queqiao_proto::v1::{self, match_service_client::MatchServiceClient};
use queqiao_server::{ServerConfig, TlsConfig};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, signed by an authority, in PEM.
fn signed(by: &Authority, last_year: i32) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(last_year, 12, 31);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, by).unwrap();
    (certificate.pem(), key.serialize_pem())
}

fn write(dir: &Path, (certificate, key): &(String, String)) -> TlsConfig {
    let put = |name: &str, text: &str| -> PathBuf {
        let path = dir.join(name);
        fs::write(&path, text).unwrap();
        path
    };
    TlsConfig {
        certificate: put("server.pem", certificate),
        key: put("server.key", key),
        client_ca: None,
    }
}

async fn start(tls: TlsConfig) -> Running {
    start_with(ServerConfig {
        tls: Some(tls),
        handshake_timeout: Duration::from_millis(500),
        ..config()
    })
    .await
}

fn trusting(authority: &Authority) -> ClientTlsConfig {
    ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(authority.pem()))
        .domain_name("localhost")
}

async fn connect(s: &Running, tls: ClientTlsConfig) -> Result<Channel, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(format!("https://{}", s.addr)).unwrap();
    endpoint.tls_config(tls)?.connect().await
}

async fn ask(channel: Channel) -> Result<v1::MatchResponse, tonic::Status> {
    let mut client = MatchServiceClient::new(channel);
    let answer = soon(client.r#match(question("膜分离"))).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_shown_to_the_next_connection() {
    let (old, new) = (authority(), authority());
    let dir = tempfile::tempdir().unwrap();
    let s = start(write(dir.path(), &signed(&old, 2090))).await;
    let first = connect(&s, trusting(&old)).await.unwrap();
    assert!(ask(first.clone()).await.is_ok());
    assert!(
        connect(&s, trusting(&new)).await.is_err(),
        "not signed by it"
    );
    // What cannot be used does not take the place of what works.
    fs::write(dir.path().join("server.pem"), "torn").unwrap();
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert!(connect(&s, trusting(&old)).await.is_ok());
    write(dir.path(), &signed(&new, 2090));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let second = connect(&s, trusting(&new)).await.unwrap();
    assert!(ask(second).await.is_ok());
    assert!(ask(first).await.is_ok(), "open connections go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_shows_a_certificate_where_one_is_asked_for() {
    let (mine, other) = (authority(), authority());
    let dir = tempfile::tempdir().unwrap();
    let mut tls = write(dir.path(), &signed(&mine, 2090));
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, mine.pem()).unwrap();
    tls.client_ca = Some(ca);
    let s = start(tls).await;
    let with = |by: &Authority, year: i32| {
        let (certificate, key) = signed(by, year);
        trusting(&mine).identity(Identity::from_pem(certificate, key))
    };
    let reached = async |tls: ClientTlsConfig| match connect(&s, tls).await {
        Ok(channel) => ask(channel).await.is_ok(),
        Err(_) => false,
    };
    assert!(reached(with(&mine, 2090)).await);
    assert!(!reached(trusting(&mine)).await, "no certificate");
    assert!(!reached(with(&other, 2090)).await, "of another authority");
    assert!(!reached(with(&mine, 2021)).await, "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_told_before_the_start() {
    let by = authority();
    let dir = tempfile::tempdir().unwrap();
    let says = |tls: TlsConfig, words: &[&str]| {
        let config = ServerConfig {
            tls: Some(tls),
            ..config()
        };
        let e = config.preflight().unwrap_err().message();
        for word in words {
            assert!(e.en.contains(word), "{word} in {e}");
        }
        assert!(!e.zh.is_ascii(), "{e:?}");
    };
    says(
        write(dir.path(), &signed(&by, 2021)),
        &["server.pem", "2021-12-31", "renew it"],
    );
    let (certificate, _) = signed(&by, 2090);
    let (_, key) = signed(&by, 2090);
    says(
        write(dir.path(), &(certificate, key)),
        &["cannot be used together"],
    );
    says(
        write(dir.path(), &("x".into(), "y".into())),
        &["no certificates"],
    );
    let good = write(dir.path(), &signed(&by, 2090));
    let no_ca = TlsConfig {
        client_ca: Some(dir.path().join("none.pem")),
        ..good.clone()
    };
    says(no_ca, &["none.pem"]);
    let no_key = TlsConfig {
        key: dir.path().join("none.key"),
        ..good
    };
    says(no_key, &["none.key", "private key"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_shake_hands_is_cut_off() {
    let by = authority();
    let dir = tempfile::tempdir().unwrap();
    let s = start(write(dir.path(), &signed(&by, 2090))).await;
    let mut silent = TcpStream::connect(s.addr).await.unwrap();
    let mut out = [0; 16];
    let n = soon(silent.read(&mut out)).await.unwrap_or(0);
    assert_eq!(n, 0, "closed without a word");
    // Plain HTTP does not get through either.
    let plain = Endpoint::from_shared(format!("http://{}", s.addr)).unwrap();
    let plain = plain.connect().await;
    assert!(match plain {
        Ok(channel) => ask(channel).await.is_err(),
        Err(_) => true,
    });
    s.engine.health().unwrap();
}
