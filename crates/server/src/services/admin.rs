//! `AdminService`.

use crate::{
    access::context,
    app::{App, today},
    convert::{PageToken, Word, count, read_page_size, read_parent},
    status::{self, nowhere},
};
use queqiao_domain::Violation;
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Figures, models, and the repair of derived files.
pub(crate) struct AdminApi {
    pub(crate) app: Arc<App>,
}

fn whole(n: impl TryInto<i64>) -> i64 {
    n.try_into().unwrap_or(i64::MAX)
}

#[tonic::async_trait]
impl v1::admin_service_server::AdminService for AdminApi {
    async fn get_statistics(
        &self,
        request: Request<v1::GetStatisticsRequest>,
    ) -> Result<Response<v1::Statistics>, Status> {
        let cx = context(&request);
        let tenant = read_parent("parent", &request.get_ref().parent).map_err(status::invalid)?;
        cx.enter(&tenant)?;
        let s = self
            .app
            .read(move |app| {
                app.engine
                    .statistics(&tenant, today())
                    .map_err(|e| status::from_engine(e, &nowhere))
            })
            .await?;
        self.app.answer(v1::Statistics {
            records: s
                .records
                .into_iter()
                .map(|(kind, n)| v1::KindCount {
                    kind: kind.write(),
                    count: whole(n),
                })
                .collect(),
            passage_count: whole(s.passages),
            store_seq: s.store_seq,
            index_seq: s.index_seq,
            health: s.health,
            model: s.model,
            day: s.day.to_string(),
            pending_passage_count: whole(s.pending_passages),
            indexing: s.indexing,
        })
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let w = request.get_ref();
        let size = read_page_size(w.page_size).map_err(status::invalid)?;
        let token = PageToken::bound_to(&self.app.page_key(), "ListModels", &[]);
        let start = token.read(&w.page_token).map_err(status::invalid)?;
        let start = start.map_or(0, |s| usize::try_from(s).unwrap_or(usize::MAX));
        let known = self.app.config.models.as_ref();
        let mut models: Vec<_> = known.map(|s| s.list()).unwrap_or_default().iter().collect();
        models.sort_by(|a, b| a.name.cmp(&b.name));
        let end = start.saturating_add(size);
        let in_use = self.app.engine.model();
        let page = v1::ListModelsResponse {
            models: models
                .iter()
                .skip(start)
                .take(size)
                .map(|m| v1::Model {
                    name: format!("models/{}", m.name),
                    hash: m.hash.clone(),
                    dimensions: count(m.dim),
                    description: m.summary.clone(),
                    licence: m.licence.clone(),
                    in_use: m.name == in_use.name()
                        && (m.hash.is_empty() || m.hash == in_use.hash()),
                })
                .collect(),
            next_page_token: if end < models.len() {
                token.write(end as u64)
            } else {
                String::new()
            },
        };
        self.app.answer(page)
    }

    async fn rebuild_index(
        &self,
        request: Request<v1::RebuildIndexRequest>,
    ) -> Result<Response<v1::RebuildIndexResponse>, Status> {
        let cx = context(&request);
        let tenant = read_parent("parent", &request.get_ref().parent).map_err(status::invalid)?;
        cx.enter(&tenant)?;
        let answer = self
            .app
            .write(move |app| {
                let failed = |e| status::from_engine(e, &nowhere);
                app.engine.rebuild(&tenant).map_err(failed)?;
                let s = app.engine.statistics(&tenant, today()).map_err(failed)?;
                Ok(v1::RebuildIndexResponse {
                    index_seq: s.index_seq,
                })
            })
            .await?;
        self.app.answer(answer)
    }

    async fn change_model(
        &self,
        request: Request<v1::ChangeModelRequest>,
    ) -> Result<Response<v1::ChangeModelResponse>, Status> {
        let given = &request.get_ref().name;
        let unknown = |expected: (String, String)| {
            let problem = (
                format!("`{given}` is none of this server's models"),
                format!("本服务没有模型 `{given}`"),
            );
            status::invalid(vec![Violation::new("name", problem, expected)])
        };
        let Some(store) = self.app.config.models.clone() else {
            let none = "it was started without a folder of models";
            return Err(unknown((
                none.to_owned(),
                "启动时未找到模型目录".to_owned(),
            )));
        };
        let name = given
            .strip_prefix("models/")
            .filter(|n| store.entry(n).is_ok())
            .ok_or_else(|| {
                let names: Vec<_> = store.list().iter().map(|m| m.name.as_str()).collect();
                let names = names.join(", ");
                unknown((
                    format!("expected models/ and one of {names}"),
                    format!("应为 models/ 加上 {names} 之一"),
                ))
            })?
            .to_owned();
        let answer = self
            .app
            .write(move |app| {
                let failed = |e| status::from_engine(e, &nowhere);
                let model = store.load(Some(&name)).map_err(|e| failed(e.into()))?;
                app.engine.change_model(model).map_err(failed)?;
                Ok(v1::ChangeModelResponse {
                    model: app.engine.model().to_string(),
                })
            })
            .await?;
        self.app.answer(answer)
    }

    type BackupStream = super::backup::Chunks;

    async fn backup(
        &self,
        request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let keys = match v1::BackupPart::try_from(request.get_ref().part) {
            Ok(v1::BackupPart::Unspecified | v1::BackupPart::Records) => false,
            Ok(v1::BackupPart::Keys) => true,
            Err(_) => {
                return Err(status::invalid(vec![Violation::new(
                    "part",
                    ("this part is not known", "没有这一部分"),
                    (
                        "expected BACKUP_PART_RECORDS or BACKUP_PART_KEYS",
                        "应为 BACKUP_PART_RECORDS 或 BACKUP_PART_KEYS",
                    ),
                )]));
            }
        };
        super::backup::start(&self.app, keys)
            .await
            .map(Response::new)
    }

    async fn set_log_level(
        &self,
        request: Request<v1::SetLogLevelRequest>,
    ) -> Result<Response<v1::SetLogLevelResponse>, Status> {
        let Some(log) = &self.app.config.log else {
            return Err(status::told(
                tonic::Code::FailedPrecondition,
                "LOG_NOT_OURS",
                &queqiao_domain::Bilingual::new(
                    "this server's log is kept by the program that embeds it: change it there",
                    "本服务的日志由嵌入它的程序管理：请在该程序中修改",
                ),
                &[],
            ));
        };
        let levels = &request.get_ref().levels;
        let before = log.set(levels).map_err(|why| {
            status::invalid(vec![Violation::new(
                "levels",
                (format!("it does not read: {why}"), format!("无法识别：{why}")),
                (
                    "expected error, warn, info, debug or trace, or parts such as info,queqiao_server=debug",
                    "应为 error、warn、info、debug 或 trace，或如 info,queqiao_server=debug",
                ),
            )])
        })?;
        tracing::warn!(%levels, %before, "the log's levels were changed");
        self.app.answer(v1::SetLogLevelResponse { before })
    }

    async fn get_server_info(
        &self,
        _request: Request<v1::GetServerInfoRequest>,
    ) -> Result<Response<v1::ServerInfo>, Status> {
        self.app.answer(v1::ServerInfo {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            api: "queqiao.v1".to_owned(),
            model: self.app.engine.model().to_string(),
            max_request_bytes: whole(self.app.config.max_request_bytes),
            max_response_bytes: whole(self.app.config.max_response_bytes),
        })
    }
}
