//! The gate: from the headers of a request to its caller.

use super::{
    AccessError, Caller, JwtConfig, Role, Tenants, jwt::Issuer, methods::Need, ring::Ring,
};
use crate::status;
use http::{HeaderMap, header::AUTHORIZATION};
use jiff::Timestamp;
use queqiao_domain::Bilingual;
use std::path::Path;
use tonic::{Code, Status};

/// The header of a key, where `authorization` is taken by a proxy.
pub(crate) const API_KEY: &str = "x-api-key";

/// Tells callers apart. Without a key file it lets everyone do everything but see contacts: that is
/// for loopback, and for networks that the operator calls closed.
#[derive(Debug)]
pub(crate) struct Gate {
    ring: Option<Ring>,
    issuer: Option<Issuer>,
}

impl Gate {
    /// A gate for the keys of a file and the tokens of an issuer; without either, an open gate.
    ///
    /// # Errors
    /// A file is there and does not read; the issuer's key set is not there.
    pub(crate) fn new(keys: Option<&Path>, jwt: Option<&JwtConfig>) -> Result<Self, AccessError> {
        let ring = keys.map(Ring::open).transpose()?;
        let issuer = jwt.map(Issuer::open).transpose()?;
        Ok(Gate { ring, issuer })
    }

    /// Whether callers are asked who they are.
    pub(crate) fn asks(&self) -> bool {
        self.issuer.is_some() || self.ring.as_ref().is_some_and(|r| r.keys().is_some())
    }

    /// Whether a key or a token could be shown now that lets anybody in.
    pub(crate) fn has_valid_key(&self) -> bool {
        if self.issuer.is_some() {
            return true;
        }
        let now = Timestamp::now();
        let keys = self.ring.as_ref().and_then(Ring::keys);
        keys.is_some_and(|f| f.keys.iter().any(|k| k.is_valid(now)))
    }

    /// Who asks, if they may call a method with this need at all. The tenant is checked when the
    /// request is read.
    pub(crate) fn admit(&self, headers: &HeaderMap, need: Option<Need>) -> Result<Caller, Refused> {
        if need == Some(Need::Nothing) {
            return Ok(Caller::anyone());
        }
        let caller = self.caller(headers).map_err(|status| Refused {
            status,
            caller: Caller::anyone(),
        })?;
        match may(&caller, need) {
            Ok(()) => Ok(caller),
            Err(status) => Err(Refused { status, caller }),
        }
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Status> {
        let keys = self.ring.as_ref().and_then(Ring::keys);
        if keys.is_none() && self.issuer.is_none() {
            return Ok(Caller::local());
        }
        let Some(shown) = shown(headers) else {
            return Err(refused(
                "CREDENTIALS_MISSING",
                "this server asks who calls: send the header `authorization: Bearer KEY` with a key from the operator",
                "本服务要求身份验证：请在请求头中加入 `authorization: Bearer 密钥`，密钥由管理员发放",
            ));
        };
        if let Some(issuer) = self.issuer.as_ref().filter(|_| shown.starts_with("ey")) {
            return issuer.caller(shown).map_err(|fault| {
                status::told(
                    Code::Unauthenticated,
                    "TOKEN_INVALID",
                    &Bilingual::new(
                        format!(
                            "this token does not count: {}; get a new one from {}",
                            fault.en(),
                            issuer.name()
                        ),
                        format!("令牌无效：{}；请向 {} 重新获取", fault.zh(), issuer.name()),
                    ),
                    &[],
                )
            });
        }
        let Some(key) = keys.as_ref().and_then(|k| k.find(shown)) else {
            return Err(refused(
                "CREDENTIALS_INVALID",
                "this key is none of this server's: check that it was copied whole, or ask the operator for one",
                "密钥无效：请检查是否完整复制，或向管理员申请",
            ));
        };
        // Whoever has the secret may know what became of it.
        if key.revoked.is_some() {
            return Err(refused(
                "KEY_REVOKED",
                "this key was revoked: ask the operator for another",
                "密钥已被吊销：请向管理员申请新的密钥",
            ));
        }
        if !key.is_valid(Timestamp::now()) {
            return Err(refused(
                "KEY_EXPIRED",
                "this key has expired: ask the operator for another",
                "密钥已过期：请向管理员申请新的密钥",
            ));
        }
        Ok(Caller::of_key(key))
    }
}

/// Why somebody does not get in, and who, as far as that is known.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) status: Status,
    pub(crate) caller: Caller,
}

/// Whether a caller may call a method with this need.
fn may(caller: &Caller, need: Option<Need>) -> Result<(), Status> {
    match need {
        None | Some(Need::Nothing | Need::Known) => Ok(()),
        Some(Need::InTenant(role)) => holds(caller, role),
        Some(Need::InAll(role)) => {
            holds(caller, role)?;
            if caller.tenants == Tenants::All {
                return Ok(());
            }
            Err(status::told(
                Code::PermissionDenied,
                "ALL_TENANTS_NEEDED",
                &Bilingual::new(
                    "this concerns every tenant, and your key is for some: ask the operator for a key of all tenants",
                    "此操作涉及所有租户，而您的密钥只属于部分租户：请向管理员申请全部租户的密钥",
                ),
                &[],
            ))
        }
    }
}

/// The credential of a request: never logged, never repeated in an answer.
fn shown(headers: &HeaderMap) -> Option<&str> {
    let bearer = headers.get(AUTHORIZATION).and_then(|v| {
        let (scheme, rest) = v.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| rest.trim())
    });
    bearer.or_else(|| headers.get(API_KEY)?.to_str().ok())
}

pub(crate) fn holds(caller: &Caller, role: Role) -> Result<(), Status> {
    if caller.roles.allow(role) {
        return Ok(());
    }
    Err(status::told(
        Code::PermissionDenied,
        "ROLE_NEEDED",
        &Bilingual::new(
            format!(
                "this needs the role {role}, which your key does not have: ask the operator for a key with it"
            ),
            format!("此操作需要角色 {role}，您的密钥没有该角色：请向管理员申请"),
        ),
        &[("role", role.as_str())],
    ))
}

fn refused(reason: &'static str, en: &str, zh: &str) -> Status {
    status::told(Code::Unauthenticated, reason, &Bilingual::new(en, zh), &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyFile, NewKey,
        access::{methods::need, ring::LOOK},
    };
    use http::HeaderValue;
    use std::{fs, time::Duration};

    fn key(path: &Path, role: Role) -> (String, String) {
        let new = NewKey {
            name: "t".to_owned(),
            roles: [role].into_iter().collect(),
            tenants: Tenants::Only([queqiao_domain::TenantId::default()].into()),
            expires: None,
            requests_per_second: None,
        };
        let (info, text) = KeyFile::create(path, new).unwrap();
        (info.id, text)
    }

    fn with(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        headers
    }

    fn wait() {
        std::thread::sleep(LOOK + Duration::from_millis(20));
    }

    #[test]
    fn keys_are_taken_from_two_headers_and_needs_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = KeyFile::path_in(dir.path());
        let (id, text) = key(&path, Role::Writer);
        let gate = Gate::new(Some(&path), None).unwrap();
        let read = need("/queqiao.v1.RecordService/GetRecord");
        for headers in [
            with("authorization", &format!("Bearer {text}")),
            with("authorization", &format!("bearer  {text}")),
            with("x-api-key", &text),
        ] {
            assert_eq!(
                gate.admit(&headers, read).unwrap().subject,
                format!("key:{id}")
            );
        }
        let refuse = |headers: &HeaderMap, path: &str| {
            gate.admit(headers, need(path)).unwrap_err().status.code()
        };
        for headers in [
            HeaderMap::new(),
            with("authorization", &text),
            with("authorization", &format!("Basic {text}")),
            with("x-api-key", "qq_00000000_x"),
        ] {
            let code = refuse(&headers, "/queqiao.v1.RecordService/GetRecord");
            assert_eq!(code, Code::Unauthenticated);
            // Also where nothing is: strangers do not learn what there is.
            assert_eq!(refuse(&headers, "/no.such/Method"), Code::Unauthenticated);
        }
        let mine = with("x-api-key", &text);
        assert_eq!(
            refuse(&mine, "/queqiao.v1.EventService/PlanEvent"),
            Code::PermissionDenied
        );
        assert_eq!(
            refuse(&mine, "/queqiao.v1.AdminService/ChangeModel"),
            Code::PermissionDenied
        );
        let strangers = gate.admit(&HeaderMap::new(), need("/grpc.health.v1.Health/Check"));
        assert_eq!(strangers.unwrap(), Caller::anyone());
    }

    #[test]
    fn a_revoked_key_ends_and_a_lost_file_opens_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = KeyFile::path_in(dir.path());
        let read = need("/queqiao.v1.RecordService/GetRecord");
        let gate = Gate::new(Some(&path), None).unwrap();
        assert_eq!(
            gate.admit(&HeaderMap::new(), read).unwrap(),
            Caller::local()
        );
        assert!(!gate.asks());
        let (id, text) = key(&path, Role::Reader);
        let mine = with("x-api-key", &text);
        wait();
        assert!(gate.asks() && gate.has_valid_key());
        assert!(gate.admit(&mine, read).is_ok());
        assert!(
            gate.admit(&HeaderMap::new(), read).is_err(),
            "asked from the first key on"
        );
        KeyFile::revoke(&path, &id).unwrap();
        wait();
        let e = gate.admit(&mine, read).unwrap_err().status;
        assert!(
            e.message().contains("revoked") && !e.message().contains(&text),
            "{e}"
        );
        assert!(!gate.has_valid_key());
        let (_, other) = key(&path, Role::Reader);
        wait();
        let other = with("x-api-key", &other);
        assert!(gate.admit(&other, read).is_ok());
        fs::write(&path, "torn").unwrap();
        wait();
        assert!(gate.admit(&other, read).is_ok(), "what was read stays");
        fs::remove_file(&path).unwrap();
        wait();
        assert!(gate.admit(&other, read).is_err());
        assert!(gate.admit(&HeaderMap::new(), read).is_err());
    }
}
