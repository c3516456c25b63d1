//! Tokens of an identity provider, over the wire.

use crate::{
    access::with,
    support::{Running, check, config, question, start_with},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use queqiao_server::{JwksSource, JwtConfig, ServerConfig};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;
use std::{fs, path::Path, time::Duration};
use tonic::Code;

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn publish(path: &Path, seed: u8) {
    let x = b64(pair(seed).public_key());
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": x}]});
    fs::write(path, set.to_string()).unwrap();
}

fn token(seed: u8, alg: &str, roles: &str, expires_in: i64) -> String {
    let now = jiff::Timestamp::now().as_second();
    let claims = json!({
        "iss": "https://id.example.org", "aud": "queqiao", "sub": "u-17", "exp": now + expires_in,
        "queqiao_roles": roles, "queqiao_tenants": "t",
    });
    let signed = format!(
        "{}.{}",
        b64(json!({"alg": alg}).to_string()),
        b64(claims.to_string())
    );
    let signature = match alg {
        "EdDSA" => b64(pair(seed).sign(signed.as_bytes())),
        _ => String::new(),
    };
    format!("{signed}.{signature}")
}

async fn trusting(jwks: &Path) -> Running {
    start_with(ServerConfig {
        jwt: Some(JwtConfig {
            issuer: "https://id.example.org".into(),
            audience: "queqiao".into(),
            jwks: JwksSource::File(jwks.to_owned()),
            roles_claim: "queqiao_roles".into(),
            tenants_claim: "queqiao_tenants".into(),
        }),
        ..config()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_counts_while_its_issuer_stands_by_it() {
    let dir = tempfile::tempdir().unwrap();
    let jwks = dir.path().join("jwks.json");
    publish(&jwks, 1);
    let s = trusting(&jwks).await;
    let ask = async |token: &str| s.matches().r#match(with(question("膜"), Some(token))).await;
    let good = token(1, "EdDSA", "reader", 300);
    assert!(ask(&good).await.is_ok());
    let e = s.matches().r#match(question("膜")).await;
    check(e, Code::Unauthenticated, "CREDENTIALS_MISSING", &[]);
    // An hour off, unsigned, signed by another.
    for bad in [
        token(1, "EdDSA", "reader", -3_600),
        token(1, "none", "admin", 300),
        token(1, "HS256", "admin", 300),
        token(2, "EdDSA", "reader", 300),
    ] {
        let e = check(ask(&bad).await, Code::Unauthenticated, "TOKEN_INVALID", &[]);
        assert!(!e.message().contains(&bad));
    }
    let e = ask(&token(1, "EdDSA", "organiser-of-nothing", 300)).await;
    check(e, Code::PermissionDenied, "ROLE_NEEDED", &[]);
    // The issuer changes its keys.
    publish(&jwks, 2);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(ask(&token(2, "EdDSA", "reader", 300)).await.is_ok());
    check(
        ask(&good).await,
        Code::Unauthenticated,
        "TOKEN_INVALID",
        &[],
    );
    // A set that does not read takes nothing away.
    fs::write(&jwks, "torn").unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(ask(&token(2, "EdDSA", "reader", 300)).await.is_ok());
}
