//! `AdminService`.

use super::of_tenant;
use crate::{
    app::{App, today},
    convert::{PageToken, Word, count, read_page_size, read_parent},
    status::{self, nowhere},
};
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
        let tenant = read_parent("parent", &request.get_ref().parent).map_err(status::invalid)?;
        of_tenant(&tenant);
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
        })
    }

    async fn list_models(
        &self,
        request: Request<v1::ListModelsRequest>,
    ) -> Result<Response<v1::ListModelsResponse>, Status> {
        let w = request.get_ref();
        let size = read_page_size(w.page_size).map_err(status::invalid)?;
        let token = PageToken::bound_to("ListModels", &[]);
        let start = token.read(&w.page_token).map_err(status::invalid)?;
        let start = start.map_or(0, |s| usize::try_from(s).unwrap_or(usize::MAX));
        let mut models: Vec<_> = self.app.config.models.iter().collect();
        models.sort_by(|a, b| (&a.name, &a.hash).cmp(&(&b.name, &b.hash)));
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
                    dimensions: count(m.dimensions),
                    description: m.description.clone(),
                    in_use: m.hash == in_use.hash(),
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
        let tenant = read_parent("parent", &request.get_ref().parent).map_err(status::invalid)?;
        of_tenant(&tenant);
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
