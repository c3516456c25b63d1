//! `InsightService`.

use super::sealed::may_read_sealed;
use crate::{
    access::context,
    app::{App, deadline, today},
    convert::{read_chain, read_duplicates, write_chain, write_duplicates},
    status::{self, nowhere},
};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What all records say together.
pub(crate) struct InsightApi {
    pub(crate) app: Arc<App>,
}

#[tonic::async_trait]
impl v1::insight_service_server::InsightService for InsightApi {
    async fn find_duplicates(
        &self,
        request: Request<v1::FindDuplicatesRequest>,
    ) -> Result<Response<v1::FindDuplicatesResponse>, Status> {
        let cx = context(&request);
        cx.enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let (tenant, mut asked) =
            read_duplicates(request.get_ref(), deadline).map_err(status::invalid)?;
        asked.sees_sealed = may_read_sealed(&cx);
        let answer = self
            .app
            .read(move |app| {
                let found = app
                    .engine
                    .duplicates(&tenant, &asked)
                    .map_err(|e| status::from_engine(e, &nowhere))?;
                Ok(write_duplicates(&tenant, asked.kind, found))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn map_chain(
        &self,
        request: Request<v1::MapChainRequest>,
    ) -> Result<Response<v1::MapChainResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let (tenant, asked) =
            read_chain(request.into_inner(), today(), deadline).map_err(status::invalid)?;
        let answer = self
            .app
            .read(move |app| {
                let view = app
                    .engine
                    .chain(&tenant, &asked)
                    .map_err(|e| status::from_engine(e, &nowhere))?;
                Ok(write_chain(&tenant, view))
            })
            .await?;
        self.app.answer(answer)
    }
}
