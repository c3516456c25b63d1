//! Tokens of an identity provider: JWT (RFC 7519) signed by a key of a JWKS (RFC 7517).
//!
//! Only what is checked counts: the signature by a key of the set, with the algorithm of that key (never
//! the one the token asks for, so `none` and the confusion of public keys with secrets have no way in),
//! the issuer, the audience, and the times, with a minute for clocks that differ.

mod published;

pub use published::JwksSource;

use super::{AccessError, Caller, Role, Roles, Tenants};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use published::{Pace, Published};
use queqiao_domain::TenantId;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};
use serde::Deserialize;
use std::collections::BTreeSet;

/// Clocks may differ by so many seconds.
const SKEW: i64 = 60;
/// A token is at most so many bytes.
const MAX_TOKEN: usize = 16 << 10;

/// Whose tokens are accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwtConfig {
    /// `iss` of every token.
    pub issuer: String,
    /// One of `aud` of every token.
    pub audience: String,
    /// Where the issuer's JWKS stands.
    pub jwks: JwksSource,
    /// The claim that holds roles: a list, or a text with spaces between them.
    pub roles_claim: String,
    /// The claim that holds tenants: the same; `*` is all.
    pub tenants_claim: String,
}

/// Why a token does not count. Said to its bearer, without the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Form,
    Algorithm,
    UnknownKey,
    Signature,
    Issuer,
    Audience,
    Expired,
    NotYet,
    Subject,
}

impl Fault {
    pub(super) fn en(self) -> &'static str {
        match self {
            Fault::Form => "it does not read as a JWT",
            Fault::Algorithm => {
                "its algorithm is none of RS256, ES256, EdDSA, or not that of its key"
            }
            Fault::UnknownKey => "it is signed by no key of the issuer's set",
            Fault::Signature => "its signature does not hold",
            Fault::Issuer => "it is of another issuer",
            Fault::Audience => "it is for another audience",
            Fault::Expired => "it has expired",
            Fault::NotYet => "it is not valid yet: check the clocks",
            Fault::Subject => "it names no subject",
        }
    }

    pub(super) fn zh(self) -> &'static str {
        match self {
            Fault::Form => "不是 JWT",
            Fault::Algorithm => "算法不是 RS256、ES256、EdDSA 之一，或与密钥不符",
            Fault::UnknownKey => "签名密钥不在签发者的密钥集中",
            Fault::Signature => "签名无效",
            Fault::Issuer => "签发者不符",
            Fault::Audience => "受众不符",
            Fault::Expired => "已过期",
            Fault::NotYet => "尚未生效：请检查系统时间",
            Fault::Subject => "未写明主体",
        }
    }
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood (RFC 7515, section 4.1.11): none is.
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct Claims {
    iss: String,
    #[serde(default)]
    sub: String,
    aud: OneOrMore,
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

#[derive(Debug, Deserialize)]
struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Debug, Clone, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// An issuer, with its keys as they are now.
#[derive(Debug)]
pub(super) struct Issuer {
    config: JwtConfig,
    keys: Published,
}

impl Issuer {
    pub(super) fn open(config: &JwtConfig) -> Result<Self, AccessError> {
        Ok(Issuer {
            config: config.clone(),
            keys: Published::open(&config.jwks, Pace::default())?,
        })
    }

    /// What its tokens call it.
    pub(super) fn name(&self) -> &str {
        &self.config.issuer
    }

    /// Who bears a token.
    pub(super) fn caller(&self, token: &str) -> Result<Caller, Fault> {
        let now = jiff::Timestamp::now().as_second();
        let caller = self.keys.keys().caller(&self.config, token, now);
        if caller == Err(Fault::UnknownKey) {
            self.keys.missed();
        }
        caller
    }
}

/// The keys of an issuer.
#[derive(Debug)]
pub(super) struct KeySet(Vec<Jwk>);

impl KeySet {
    /// Reads a JWKS, or says what is wrong with it. Keys of kinds that are not known here are passed over.
    fn parse(text: &str) -> Result<Self, String> {
        let set: Jwks = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let usable: Vec<Jwk> = set
            .keys
            .into_iter()
            .filter(|k| k.purpose.as_deref().is_none_or(|p| p == "sig") && k.algorithm().is_some())
            .collect();
        if usable.is_empty() {
            return Err("it has no key for RS256, ES256 or EdDSA".to_owned());
        }
        Ok(KeySet(usable))
    }

    /// Who bears a token at `now`, seconds since 1970.
    pub(super) fn caller(
        &self,
        config: &JwtConfig,
        token: &str,
        now: i64,
    ) -> Result<Caller, Fault> {
        let claims = self.claims(token)?;
        if claims.iss != config.issuer {
            return Err(Fault::Issuer);
        }
        let here = |a: &String| *a == config.audience;
        if !match &claims.aud {
            OneOrMore::One(a) => here(a),
            OneOrMore::More(all) => all.iter().any(here),
        } {
            return Err(Fault::Audience);
        }
        let (now, skew) = (now as f64, SKEW as f64);
        if now >= claims.exp + skew {
            return Err(Fault::Expired);
        }
        if claims.nbf.is_some_and(|n| now < n - skew) {
            return Err(Fault::NotYet);
        }
        let plain = |c: char| c.is_ascii_graphic();
        if claims.sub.is_empty() || claims.sub.len() > 200 || !claims.sub.chars().all(plain) {
            return Err(Fault::Subject);
        }
        let roles = words(claims.rest.get(&config.roles_claim));
        let tenants = words(claims.rest.get(&config.tenants_claim));
        Ok(Caller {
            subject: format!("jwt:{}", claims.sub),
            // A role that is not known here gives nothing.
            roles: roles
                .iter()
                .filter_map(|r| r.parse::<Role>().ok())
                .collect::<Roles>(),
            tenants: match tenants.iter().any(|t| t == "*") {
                true => Tenants::All,
                false => Tenants::Only(
                    tenants
                        .into_iter()
                        .filter_map(|t| TenantId::new(t).ok())
                        .collect::<BTreeSet<_>>(),
                ),
            },
            requests_per_second: None,
        })
    }

    fn claims(&self, token: &str) -> Result<Claims, Fault> {
        if token.len() > MAX_TOKEN {
            return Err(Fault::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Fault::Form)?;
        let (header, body) = signed.split_once('.').ok_or(Fault::Form)?;
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Form);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| Fault::Form)?;
        if header.crit.is_some() {
            return Err(Fault::Form);
        }
        let algorithm = Algorithm::of(&header.alg).ok_or(Fault::Algorithm)?;
        let named: Vec<&Jwk> = self
            .0
            .iter()
            .filter(|k| header.kid.is_none() || k.kid == header.kid)
            .collect();
        if named.is_empty() {
            return Err(Fault::UnknownKey);
        }
        let mut fit = named
            .iter()
            .filter(|k| k.algorithm() == Some(algorithm))
            .peekable();
        fit.peek().ok_or(Fault::Algorithm)?;
        let signature = decode(signature)?;
        if !fit.any(|k| k.verifies(signed.as_bytes(), &signature)) {
            return Err(Fault::Signature);
        }
        serde_json::from_slice(&decode(body)?).map_err(|_| Fault::Form)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
}

impl Algorithm {
    fn of(name: &str) -> Option<Self> {
        match name {
            "RS256" => Some(Algorithm::Rs256),
            "ES256" => Some(Algorithm::Es256),
            "EdDSA" => Some(Algorithm::EdDsa),
            _ => None,
        }
    }
}

impl Jwk {
    /// The one algorithm that this key is for.
    fn algorithm(&self) -> Option<Algorithm> {
        let by_kind = match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Algorithm::Rs256,
            ("EC", Some("P-256")) => Algorithm::Es256,
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            _ => return None,
        };
        let said = self.alg.as_deref();
        said.is_none_or(|a| Algorithm::of(a) == Some(by_kind))
            .then_some(by_kind)
    }

    fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        let part = |p: &Option<String>| URL_SAFE_NO_PAD.decode(p.as_deref()?).ok();
        let verified = || match self.algorithm()? {
            Algorithm::Rs256 => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                RsaPublicKeyComponents { n, e }
                    .verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature)
                    .ok()
            }
            Algorithm::Es256 => {
                // SEC 1, section 2.3.3: an uncompressed point.
                let point = [vec![4], part(&self.x)?, part(&self.y)?].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                    .verify(signed, signature)
                    .ok()
            }
            Algorithm::EdDsa => UnparsedPublicKey::new(&ED25519, part(&self.x)?)
                .verify(signed, signature)
                .ok(),
        };
        verified().is_some()
    }
}

/// The words of a claim: a list of texts, or one text with spaces.
fn words(claim: Option<&serde_json::Value>) -> Vec<String> {
    match claim {
        Some(serde_json::Value::String(s)) => s.split_whitespace().map(str::to_owned).collect(),
        Some(serde_json::Value::Array(a)) => a
            .iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
