//! Who may do what, over the wire: strangers, other roles, other tenants, keys that ended.

use crate::support::{Running, check, config, expert, start_with, told};
use prost::{Message, bytes::Bytes};
use prost_types::{FileDescriptorSet, MethodDescriptorProto};
use queqiao_proto::v1;
use queqiao_server::{KeyFile, NewKey, Role, ServerConfig, Tenants};
use std::{path::Path, time::Duration};
use tonic::{Code, Request, Status};

/// A server that asks who calls.
pub(crate) struct Guarded {
    pub(crate) s: Running,
    path: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

/// Makes a key: roles by comma; tenants by comma, or `*`.
fn key(path: &Path, roles: &str, tenants: &str) -> String {
    KeyFile::create(path, new(roles, tenants)).unwrap().1
}

fn new(roles: &str, tenants: &str) -> NewKey {
    NewKey {
        name: "t".into(),
        roles: roles
            .split(',')
            .map(|r| r.parse::<Role>().unwrap())
            .collect(),
        tenants: match tenants {
            "*" => Tenants::All,
            some => Tenants::Only(
                some.split(',')
                    .map(|t| queqiao_domain::TenantId::new(t).unwrap())
                    .collect(),
            ),
        },
        expires: None,
        requests_per_second: None,
    }
}

async fn guarded() -> Guarded {
    guarded_with(config()).await
}

pub(crate) async fn guarded_with(config: ServerConfig) -> Guarded {
    let dir = tempfile::tempdir().unwrap();
    let path = KeyFile::path_in(dir.path());
    // The first key makes the server ask.
    key(&path, "reader", "nobody");
    let s = start_with(ServerConfig {
        keys: Some(path.clone()),
        ..config
    })
    .await;
    Guarded { s, path, _dir: dir }
}

impl Guarded {
    /// A key that the server knows when this returns.
    pub(crate) async fn key(&self, roles: &str, tenants: &str) -> String {
        let key = key(&self.path, roles, tenants);
        tokio::time::sleep(Duration::from_millis(300)).await;
        key
    }

    /// A call of any method with any bytes; what it answers is not read.
    async fn call(&self, path: &str, body: Vec<u8>, key: Option<&str>) -> Result<(), Status> {
        let mut grpc = tonic::client::Grpc::new(self.s.channel.clone());
        grpc.ready().await.unwrap();
        let request = with(Raw(body.into()), key);
        let path = path.parse().unwrap();
        grpc.unary(request, path, RawCodec).await.map(|_| ())
    }
}

pub(crate) fn with<T>(message: T, key: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(key) = key {
        let value = format!("Bearer {key}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

/// Bytes as a message.
struct Raw(Bytes);

struct RawCodec;

impl tonic::codec::Codec for RawCodec {
    type Encode = Raw;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        RawCodec
    }

    fn decoder(&mut self) -> Self {
        RawCodec
    }
}

impl tonic::codec::Encoder for RawCodec {
    type Item = Raw;
    type Error = Status;

    fn encode(&mut self, item: Raw, out: &mut tonic::codec::EncodeBuf<'_>) -> Result<(), Status> {
        prost::bytes::BufMut::put(out, item.0);
        Ok(())
    }
}

impl tonic::codec::Decoder for RawCodec {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, from: &mut tonic::codec::DecodeBuf<'_>) -> Result<Option<()>, Status> {
        let n = prost::bytes::Buf::remaining(from);
        prost::bytes::Buf::advance(from, n);
        Ok(Some(()))
    }
}

/// Every method of `queqiao.v1` with the field of its request that names the tenant, if one does.
fn methods() -> Vec<(String, Option<(u32, bool)>)> {
    let set = FileDescriptorSet::decode(queqiao_proto::FILE_DESCRIPTOR_SET).unwrap();
    let messages: Vec<_> = set.file.iter().flat_map(|f| &f.message_type).collect();
    let tenant_field = |m: &MethodDescriptorProto| {
        let name = m.input_type().rsplit('.').next().unwrap();
        let input = messages.iter().find(|d| d.name() == name).unwrap();
        let field = |n: &str| input.field.iter().find(|f| f.name() == n);
        match (field("parent"), field("name")) {
            (Some(f), _) => Some((f.number() as u32, false)),
            (None, Some(f)) => Some((f.number() as u32, true)),
            (None, None) => None,
        }
    };
    set.file
        .iter()
        .filter(|f| f.package() == "queqiao.v1")
        .flat_map(|f| &f.service)
        .flat_map(|s| {
            s.method.iter().map(|m| {
                let path = format!("/queqiao.v1.{}/{}", s.name(), m.name());
                (path, tenant_field(m))
            })
        })
        .collect()
}

/// A message with one text in one field.
fn text_field(number: u32, text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    prost::encoding::string::encode(number, &text.to_owned(), &mut out);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_refuses_strangers_and_those_without_a_role() {
    let g = guarded().await;
    let monitor = g.key("monitor", "*").await;
    for (path, _) in methods() {
        for (key, code) in [
            (None, Code::Unauthenticated),
            (Some("qq_0badc0de_x"), Code::Unauthenticated),
            (Some(monitor.as_str()), Code::PermissionDenied),
        ] {
            let e = g.call(&path, Vec::new(), key).await;
            let known = ["ListModels", "GetServerInfo"]
                .iter()
                .any(|m| path.ends_with(m));
            if known && code == Code::PermissionDenied {
                assert!(e.is_ok(), "{path}: {e:?}");
                continue;
            }
            let e = e.unwrap_err();
            assert_eq!(told(&e).0, code, "{path}: {e:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_refuses_keys_of_other_tenants_before_it_looks() {
    let g = guarded().await;
    let mine = g.key("admin,contact-reader", "mine").await;
    let mut of_tenants = 0;
    for (path, field) in methods() {
        if path.ends_with("UpsertRecord") || path.ends_with("ChangeModel") {
            continue;
        }
        let Some((number, names_record)) = field else {
            continue;
        };
        of_tenants += 1;
        let body = |tenant: &str| {
            let rest = if names_record { "/experts/none" } else { "" };
            text_field(number, &format!("tenants/{tenant}{rest}"))
        };
        let e = g.call(&path, body("other"), Some(&mine)).await.unwrap_err();
        let (code, reason, _) = told(&e);
        assert_eq!(
            (code, reason.as_str()),
            (Code::PermissionDenied, "TENANT_NOT_ALLOWED"),
            "{path}: {e:?}"
        );
        if let Err(e) = g.call(&path, body("mine"), Some(&mine)).await {
            assert_ne!(e.code(), Code::PermissionDenied, "{path}: {e:?}");
        }
    }
    assert!(of_tenants > 18, "{of_tenants}");
    // Those that are asked otherwise.
    let explain = v1::ExplainRequest {
        question: Some(crate::support::question("膜")),
        candidate: "tenants/t/experts/e1".into(),
        ..Default::default()
    };
    let explain = g.s.matches().explain(with(explain, Some(&mine))).await;
    check(explain, Code::PermissionDenied, "TENANT_NOT_ALLOWED", &[]);
    let clarify = v1::ClarifyRequest {
        question: Some(crate::support::question("膜")),
    };
    let clarify = g.s.matches().clarify(with(clarify, Some(&mine))).await;
    check(clarify, Code::PermissionDenied, "TENANT_NOT_ALLOWED", &[]);
    let upsert = v1::UpsertRecordRequest {
        record: Some(expert("e1", "甲", "膜分离")),
        ..Default::default()
    };
    let upsert = g.s.records().upsert_record(with(upsert, Some(&mine))).await;
    check(upsert, Code::PermissionDenied, "TENANT_NOT_ALLOWED", &[]);
    let change = v1::ChangeModelRequest {
        name: "models/x".into(),
    };
    let change = g.s.admin().change_model(with(change, Some(&mine))).await;
    check(change, Code::PermissionDenied, "ALL_TENANTS_NEEDED", &[]);
}

/// A kept answer is written: who may only read may not have it kept, alone or in a batch.
#[tokio::test(flavor = "multi_thread")]
async fn who_only_reads_keeps_no_answer() {
    let g = guarded().await;
    let (reader, writer) = (g.key("reader", "t").await, g.key("writer", "t").await);
    let ask = |keep| v1::MatchRequest {
        parent: "tenants/t".into(),
        keep,
        ..crate::support::question("膜")
    };
    let batch = |keep| v1::MatchBatchRequest {
        parent: "tenants/t".into(),
        requests: vec![ask(false), ask(keep)],
        ..Default::default()
    };
    for (keep, key, may) in [
        (false, &reader, true),
        (true, &reader, false),
        (true, &writer, true),
    ] {
        let one = g.s.matches().r#match(with(ask(keep), Some(key))).await;
        let many =
            g.s.matches()
                .match_batch(with(batch(keep), Some(key)))
                .await;
        assert_eq!((one.is_ok(), many.is_ok()), (may, may));
        if !may {
            check(one, Code::PermissionDenied, "ROLE_NEEDED", &[]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_and_what_is_not_are_refused_alike() {
    let g = guarded().await;
    let writer = g.key("writer", "t").await;
    let upsert = v1::UpsertRecordRequest {
        record: Some(expert("e1", "甲", "膜分离")),
        ..Default::default()
    };
    g.s.records()
        .upsert_record(with(upsert, Some(&writer)))
        .await
        .unwrap();
    let stranger = g.key("writer", "u").await;
    let ask = async |id: &str| {
        let name = format!("tenants/t/experts/{id}");
        let request = v1::GetRecordRequest {
            name,
            ..Default::default()
        };
        let e =
            g.s.records()
                .get_record(with(request, Some(&stranger)))
                .await;
        let e = e.unwrap_err();
        (e.code(), e.message().to_owned(), e.details().to_vec())
    };
    assert_eq!(ask("e1").await, ask("e2").await);
    assert_eq!(ask("e1").await.0, Code::PermissionDenied);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_and_an_expired_key_end() {
    let g = guarded().await;
    let ask = async |key: &str| {
        let request = v1::GetServerInfoRequest {};
        g.s.admin().get_server_info(with(request, Some(key))).await
    };
    let (info, text) = KeyFile::create(&g.path, new("reader", "t")).unwrap();
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(600);
    let short = NewKey {
        expires: Some(soon),
        ..new("reader", "t")
    };
    let (_, short) = KeyFile::create(&g.path, short).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(ask(&text).await.is_ok() && ask(&short).await.is_ok());
    KeyFile::revoke(&g.path, &info.id).unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    let e = check(ask(&text).await, Code::Unauthenticated, "KEY_REVOKED", &[]);
    check(ask(&short).await, Code::Unauthenticated, "KEY_EXPIRED", &[]);
    // In both languages, and without the key.
    let details = tonic_types::StatusExt::get_error_details(&e);
    let zh = details.localized_message().unwrap();
    assert_eq!(zh.locale, "zh-CN");
    assert!(zh.message.contains("吊销") && !zh.message.contains(&text));
}
