//! `AdminService`, reflection, request ids.

use crate::support::{PARENT, check, config, expert, need, question, start, start_with};
use queqiao_engine::embed::ModelStore;
use queqiao_proto::v1;
use queqiao_server::ServerConfig;
use tonic::Code;
use tonic_reflection::pb;

#[tokio::test(flavor = "multi_thread")]
async fn figures_and_rebuild() {
    let s = start().await;
    s.put(expert("e1", "张三", "膜分离")).await;
    s.put(need("n1", "题", "膜分离")).await;
    let figures = async || {
        let request = v1::GetStatisticsRequest {
            parent: PARENT.into(),
        };
        s.admin()
            .get_statistics(request)
            .await
            .unwrap()
            .into_inner()
    };
    let f = figures().await;
    let experts = f
        .records
        .iter()
        .find(|r| r.kind() == v1::Kind::Expert)
        .unwrap();
    assert_eq!((experts.count, f.health.as_str()), (1, "serving"));
    assert_eq!(f.store_seq, f.index_seq);
    // So few need no graph.
    assert_eq!((f.passage_count, f.pending_passage_count), (2, 2));
    let before = s.ask("膜分离").await.unwrap().matches;
    let request = v1::RebuildIndexRequest {
        parent: PARENT.into(),
    };
    let done = s.admin().rebuild_index(request).await.unwrap().into_inner();
    assert_eq!(done.index_seq, f.store_seq);
    assert_eq!(s.ask("膜分离").await.unwrap().matches, before);
    let bad = v1::RebuildIndexRequest {
        parent: "all".into(),
    };
    check(
        s.admin().rebuild_index(bad).await,
        Code::InvalidArgument,
        "INVALID_FIELD",
        &["parent"],
    );
}

/// A folder with two models: links to the one that ships, under two names and with other settings.
fn two_models() -> (tempfile::TempDir, ModelStore) {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models");
    let shipped = ModelStore::open(shipped.as_ref()).unwrap();
    let from = shipped.dir().join(shipped.default_name());
    let dir = tempfile::tempdir().unwrap();
    for name in ["b", "a"] {
        let to = dir.path().join(name);
        std::fs::create_dir(&to).unwrap();
        for file in ["model.safetensors", "tokenizer.json", "config.json"] {
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
        // Another file, another hash: to the engine it is another model.
        let config = std::fs::read_to_string(to.join("config.json")).unwrap();
        std::fs::write(
            to.join("config.json"),
            config.replace('{', &format!("{{\"note\": \"{name}\",")),
        )
        .unwrap();
        ModelStore::register(dir.path(), name, "MIT", "a test", false).unwrap();
    }
    let store = ModelStore::open(dir.path()).unwrap();
    (dir, store)
}

#[tokio::test(flavor = "multi_thread")]
async fn models_and_version() {
    let (_dir, models) = two_models();
    let s = start_with(ServerConfig {
        models: Some(models),
        ..config()
    })
    .await;
    let page = |page_token: String| v1::ListModelsRequest {
        page_size: 1,
        page_token,
    };
    let first = s
        .admin()
        .list_models(page(String::new()))
        .await
        .unwrap()
        .into_inner();
    let a = &first.models[0];
    assert_eq!(
        (a.name.as_str(), a.licence.as_str(), a.hash.len(), a.in_use),
        ("models/a", "MIT", 64, false)
    );
    let second = s
        .admin()
        .list_models(page(first.next_page_token))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (
            second.models[0].name.as_str(),
            second.next_page_token.as_str()
        ),
        ("models/b", "")
    );

    s.put(expert("e1", "张三", "膜分离")).await;
    s.put(expert("e2", "李四", "古籍修复")).await;
    let before = s.ask("反渗透膜").await.unwrap();
    let change = async |name: &str| {
        let request = v1::ChangeModelRequest { name: name.into() };
        s.admin().change_model(request).await
    };
    for wrong in ["b", "models/c", ""] {
        check(
            change(wrong).await,
            Code::InvalidArgument,
            "INVALID_FIELD",
            &["name"],
        );
    }
    assert_eq!(s.ask("反渗透膜").await.unwrap().model, before.model);
    let model = change("models/b").await.unwrap().into_inner().model;
    let after = s.ask("反渗透膜").await.unwrap();
    assert!(model.starts_with("b@"), "{model}");
    assert_eq!(after.model, model);
    assert_eq!(after.matches[0].name, before.matches[0].name);
    s.put(expert("e3", "王五", "反渗透膜")).await;
    let listed = s
        .admin()
        .list_models(v1::ListModelsRequest::default())
        .await
        .unwrap()
        .into_inner();
    let in_use: Vec<bool> = listed.models.iter().map(|m| m.in_use).collect();
    assert_eq!(in_use, [false, true]);

    let info = s
        .admin()
        .get_server_info(v1::GetServerInfoRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        (info.version.as_str(), info.api.as_str()),
        (env!("CARGO_PKG_VERSION"), "queqiao.v1")
    );
    assert_eq!(info.max_request_bytes, 16 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_and_describes() {
    let s = start().await;
    macro_rules! reflect {
        ($version:ident, $request:ident) => {{
            use pb::$version::{
                ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
                server_reflection_request::MessageRequest,
                server_reflection_response::MessageResponse,
            };
            let ask = async |message| {
                let request = ServerReflectionRequest {
                    message_request: Some(message),
                    ..Default::default()
                };
                let stream = tokio_stream::iter([request]);
                let mut c = ServerReflectionClient::new(s.channel.clone());
                let mut answers = c.server_reflection_info(stream).await.unwrap().into_inner();
                answers
                    .message()
                    .await
                    .unwrap()
                    .unwrap()
                    .message_response
                    .unwrap()
            };
            let MessageResponse::ListServicesResponse(list) =
                ask(MessageRequest::ListServices(String::new())).await
            else {
                panic!()
            };
            let names: Vec<_> = list.service.into_iter().map(|s| s.name).collect();
            for service in [
                "RecordService",
                "MatchService",
                "AdminService",
                "TeamService",
                "OutcomeService",
                "InsightService",
                "EventService",
            ] {
                assert!(
                    names.contains(&format!("queqiao.v1.{service}")),
                    "{names:?}"
                );
            }
            assert!(names.contains(&"grpc.health.v1.Health".to_owned()));
            for file in [
                "queqiao/v1/record.proto",
                "google/protobuf/timestamp.proto",
                "google/protobuf/field_mask.proto",
            ] {
                let answer = ask(MessageRequest::FileByFilename(file.into())).await;
                assert!(
                    matches!(answer, MessageResponse::FileDescriptorResponse(_)),
                    "{file}"
                );
            }
        }};
    }
    reflect!(v1, ServerReflectionRequest);
    reflect!(v1alpha, ServerReflectionRequest);
}

#[tokio::test(flavor = "multi_thread")]
async fn request_ids_come_back() {
    let s = start().await;
    let sent = async |id: &'static str| {
        let mut request = tonic::Request::new(question("膜"));
        request
            .metadata_mut()
            .insert("x-request-id", id.parse().unwrap());
        let answer = s.matches().r#match(request).await.unwrap();
        answer
            .metadata()
            .get("x-request-id")
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(sent("job-7").await, "job-7");
    assert_ne!(sent("two words").await, "two words");
    // On errors too.
    let e = s.ask("").await.unwrap_err();
    assert!(e.metadata().get("x-request-id").is_some());
}
