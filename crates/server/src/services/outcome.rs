//! `OutcomeService`.

use crate::{
    access::context,
    app::App,
    convert::{
        read_funnel, read_kept_answer, read_outcomes, write_funnel, write_kept_answer, write_report,
    },
    status::{self, nowhere},
};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What came of matches.
pub(crate) struct OutcomeApi {
    pub(crate) app: Arc<App>,
}

#[tonic::async_trait]
impl v1::outcome_service_server::OutcomeService for OutcomeApi {
    async fn report_outcomes(
        &self,
        request: Request<v1::ReportOutcomesRequest>,
    ) -> Result<Response<v1::ReportOutcomesResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let (tenant, outcomes) = read_outcomes(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .write(move |app| {
                let stored = app
                    .engine
                    .report_outcomes(&tenant, &outcomes)
                    .map_err(|e| status::from_engine(e, &nowhere))?;
                Ok(write_report(stored))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn get_funnel(
        &self,
        request: Request<v1::GetFunnelRequest>,
    ) -> Result<Response<v1::Funnel>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let (tenant, asked) = read_funnel(request.get_ref()).map_err(status::invalid)?;
        let answer = self
            .app
            .read(move |app| {
                let funnel = app
                    .engine
                    .funnel(&tenant, &asked)
                    .map_err(|e| status::from_engine(e, &nowhere))?;
                Ok(write_funnel(funnel))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn get_kept_answer(
        &self,
        request: Request<v1::GetKeptAnswerRequest>,
    ) -> Result<Response<v1::KeptAnswer>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let (tenant, id) = read_kept_answer(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .read(move |app| {
                let kept = app
                    .engine
                    .kept_answer(&tenant, &id)
                    .map_err(|e| status::from_engine(e, &nowhere))?;
                Ok(write_kept_answer(&tenant, kept))
            })
            .await?;
        self.app.answer(answer)
    }
}
