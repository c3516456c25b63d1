use super::{published::read, *};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use serde_json::json;

const NOW: i64 = 1_800_000_000;

fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Issuer {
    ed: Ed25519KeyPair,
    ec: EcdsaKeyPair,
    config: JwtConfig,
    jwks: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

fn issuer() -> Issuer {
    let random = SystemRandom::new();
    let ed = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let alg = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(alg, &random).unwrap();
    let ec = EcdsaKeyPair::from_pkcs8(alg, pkcs8.as_ref(), &random).unwrap();
    let point = ec.public_key().as_ref();
    let dir = tempfile::tempdir().unwrap();
    let jwks = dir.path().join("jwks.json");
    let set = json!({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "kid": "ed", "use": "sig", "x": b64(ed.public_key())},
        {"kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "x": b64(&point[1..33]), "y": b64(&point[33..])},
        {"kty": "oct", "kid": "secret", "k": b64("secret")},
        {"kty": "RSA", "kid": "enc", "use": "enc", "n": "AQAB", "e": "AQAB"},
    ]});
    std::fs::write(&jwks, set.to_string()).unwrap();
    Issuer {
        ed,
        ec,
        config: JwtConfig {
            issuer: "https://id.example.org".into(),
            audience: "queqiao".into(),
            jwks: JwksSource::File(jwks.clone()),
            roles_claim: "queqiao_roles".into(),
            tenants_claim: "queqiao_tenants".into(),
        },
        jwks,
        _dir: dir,
    }
}

fn claims() -> serde_json::Value {
    json!({
        "iss": "https://id.example.org", "sub": "u-17", "aud": ["other", "queqiao"],
        "exp": NOW + 300, "nbf": NOW - 300,
        "queqiao_roles": ["reader", "organiser", "emperor"], "queqiao_tenants": "a b",
    })
}

impl Issuer {
    fn token(&self, header: serde_json::Value, claims: &serde_json::Value) -> String {
        let signed = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let signature = match header["alg"].as_str().unwrap() {
            "EdDSA" => self.ed.sign(signed.as_bytes()).as_ref().to_vec(),
            "ES256" => {
                let random = SystemRandom::new();
                let s = self.ec.sign(&random, signed.as_bytes()).unwrap();
                s.as_ref().to_vec()
            }
            _ => Vec::new(),
        };
        format!("{signed}.{}", b64(signature))
    }

    fn read(&self, token: &str, now: i64) -> Result<Caller, Fault> {
        read(&self.jwks).unwrap().caller(&self.config, token, now)
    }
}

#[test]
fn a_good_token_is_its_bearer() {
    let i = issuer();
    for header in [
        json!({"alg": "EdDSA", "kid": "ed"}),
        json!({"alg": "EdDSA"}),
        json!({"alg": "ES256", "kid": "ec", "typ": "JWT"}),
    ] {
        let caller = i.read(&i.token(header, &claims()), NOW).unwrap();
        assert_eq!(caller.subject, "jwt:u-17");
        assert!(caller.roles.allow(Role::Organiser) && !caller.roles.allow(Role::Writer));
        let tenant = |t: &str| caller.tenants.contain(&TenantId::new(t).unwrap());
        assert!(tenant("a") && tenant("b") && !tenant("c"));
    }
}

#[test]
fn what_is_not_signed_by_the_issuer_does_not_count() {
    let i = issuer();
    let good = i.token(json!({"alg": "EdDSA", "kid": "ed"}), &claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (_, body) = signed.split_once('.').unwrap();
    let unsigned = |alg: &str| format!("{}.{body}.", b64(json!({"alg": alg}).to_string()));
    for none in [
        "none", "None", "NONE", "nOnE", "HS256", "HS512", "RS512", "",
    ] {
        assert_eq!(
            i.read(&unsigned(none), NOW),
            Err(Fault::Algorithm),
            "{none}"
        );
    }
    // The key decides on the algorithm, not the token.
    let crossed = i.token(json!({"alg": "ES256", "kid": "ed"}), &claims());
    assert_eq!(i.read(&crossed, NOW), Err(Fault::Algorithm));
    let unknown = i.token(json!({"alg": "EdDSA", "kid": "nobody"}), &claims());
    assert_eq!(i.read(&unknown, NOW), Err(Fault::UnknownKey));
    let secret = i.token(json!({"alg": "HS256", "kid": "secret"}), &claims());
    assert_eq!(i.read(&secret, NOW), Err(Fault::Algorithm));
    let mut other = claims();
    other["sub"] = json!("root");
    let other = b64(other.to_string());
    let (header, _) = signed.split_once('.').unwrap();
    assert_eq!(
        i.read(&format!("{header}.{other}.{signature}"), NOW),
        Err(Fault::Signature)
    );
    assert_eq!(i.read(&format!("{signed}."), NOW), Err(Fault::Signature));
    let critical = i.token(
        json!({"alg": "EdDSA", "kid": "ed", "crit": ["x"], "x": 1}),
        &claims(),
    );
    assert_eq!(i.read(&critical, NOW), Err(Fault::Form));
    for junk in ["", ".", "..", "a.b.c", &"x.".repeat(20_000), "qq_1_2"] {
        assert_eq!(i.read(junk, NOW), Err(Fault::Form), "{junk:.20}");
    }
}

#[test]
fn claims_have_to_be_those_that_were_agreed() {
    let i = issuer();
    let with = |key: &str, value: serde_json::Value, now: i64| {
        let mut c = claims();
        c[key] = value;
        i.read(&i.token(json!({"alg": "EdDSA"}), &c), now)
    };
    assert_eq!(
        with("iss", json!("https://id.example.com"), NOW),
        Err(Fault::Issuer)
    );
    assert_eq!(with("aud", json!("other"), NOW), Err(Fault::Audience));
    assert!(with("aud", json!("queqiao"), NOW).is_ok());
    assert_eq!(with("sub", json!(""), NOW), Err(Fault::Subject));
    assert_eq!(with("sub", json!("a b"), NOW), Err(Fault::Subject));
    assert_eq!(with("exp", json!("soon"), NOW), Err(Fault::Form));
    // A minute either way; an hour is too much.
    assert!(with("exp", json!(NOW), NOW + 59).is_ok());
    assert_eq!(with("exp", json!(NOW), NOW + 60), Err(Fault::Expired));
    assert_eq!(with("exp", json!(NOW), NOW + 3_600), Err(Fault::Expired));
    assert!(with("nbf", json!(NOW), NOW - 60).is_ok());
    assert_eq!(with("nbf", json!(NOW), NOW - 3_600), Err(Fault::NotYet));
    let nobody = with("queqiao_roles", json!(null), NOW).unwrap();
    assert!(nobody.roles.is_empty());
    let all = with("queqiao_tenants", json!(["*"]), NOW).unwrap();
    assert_eq!(all.tenants, Tenants::All);
}

/// RFC 7515, appendix A.2: RS256, signed by somebody else's program.
#[test]
fn the_standards_own_example_verifies() {
    let key = Jwk {
        kty: "RSA".into(),
        kid: None,
        purpose: None,
        alg: None,
        crv: None,
        n: Some("ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ".into()),
        e: Some("AQAB".into()),
        x: None,
        y: None,
    };
    let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(key.verifies(signed.as_bytes(), &signature));
    assert!(!key.verifies(&signed.as_bytes()[1..], &signature));
}

#[test]
fn a_set_without_a_usable_key_is_told() {
    let i = issuer();
    for text in [
        "",
        "{}",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"oct","k":"AA"}]}"#,
    ] {
        std::fs::write(&i.jwks, text).unwrap();
        let e = read(&i.jwks).unwrap_err().message();
        assert!(e.en.contains("jwks.json") && !e.zh.is_ascii(), "{e:?}");
    }
}
