//! `EventService`.

use super::stopping::{self, failed};
use crate::{
    access::context,
    app::{App, deadline},
    convert::{
        ReadEvent, read_explain_meeting, read_panels, read_plan_event, read_replan_event,
        read_rounds, read_tracks, write_changes, write_explanation, write_panels, write_plan,
        write_rounds, write_tracks,
    },
    status,
};
use queqiao_engine::{
    event_scores,
    events::plan::{Earlier, EventPlan},
    plan_event, plan_panels, plan_roundtables, plan_tracks, score_panels, score_roundtables,
    score_tracks,
    solve::Stop,
};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// Lists, timetables, panels, roundtables, tracks.
pub(crate) struct EventApi {
    pub(crate) app: Arc<App>,
}

fn planned(
    app: &App,
    read: &ReadEvent,
    before: Option<&[Earlier]>,
    stop: &Stop,
) -> Result<EventPlan, Status> {
    let event = &read.event;
    let scores = match event.scores.is_empty() {
        true => event_scores(event, stopping::model(app, stop)).map_err(failed)?,
        false => Vec::new(),
    };
    plan_event(event, &scores, before, stop).map_err(failed)
}

#[tonic::async_trait]
impl v1::event_service_server::EventService for EventApi {
    async fn plan_event(
        &self,
        request: Request<v1::PlanEventRequest>,
    ) -> Result<Response<v1::PlanEventResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let read = read_plan_event(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                let plan = planned(app, &read, None, stop)?;
                Ok(v1::PlanEventResponse {
                    plan: Some(write_plan(&read, plan)),
                })
            })
            .await?;
        self.app.answer(answer)
    }

    async fn replan_event(
        &self,
        request: Request<v1::ReplanEventRequest>,
    ) -> Result<Response<v1::ReplanEventResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let (read, before) = read_replan_event(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                let plan = planned(app, &read, Some(&before), stop)?;
                Ok(v1::ReplanEventResponse {
                    changes: write_changes(&read, &plan.changes),
                    plan: Some(write_plan(&read, plan)),
                })
            })
            .await?;
        self.app.answer(answer)
    }

    async fn explain_meeting(
        &self,
        request: Request<v1::ExplainMeetingRequest>,
    ) -> Result<Response<v1::ExplainMeetingResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let (read, pair) = read_explain_meeting(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                let plan = planned(app, &read, None, stop)?;
                Ok(write_explanation(&read, &plan, pair))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn form_panels(
        &self,
        request: Request<v1::FormPanelsRequest>,
    ) -> Result<Response<v1::FormPanelsResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let mut read = read_panels(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                if read.problem.scores.is_empty() {
                    let model = stopping::model(app, stop);
                    score_panels(
                        &mut read.problem,
                        &read.applications,
                        &read.reviewers,
                        model,
                    )
                    .map_err(failed)?;
                }
                let panels = plan_panels(&read.problem, stop).map_err(failed)?;
                Ok(write_panels(&read, panels))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn seat_roundtables(
        &self,
        request: Request<v1::SeatRoundtablesRequest>,
    ) -> Result<Response<v1::SeatRoundtablesResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let mut read = read_rounds(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                if !read.scored {
                    let model = stopping::model(app, stop);
                    score_roundtables(
                        &mut read.problem,
                        &read.tables,
                        &read.guests,
                        &read.host_of,
                        model,
                    )
                    .map_err(failed)?;
                }
                let seating = plan_roundtables(&read.problem, read.seed, stop).map_err(failed)?;
                Ok(write_rounds(&read, seating))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn fill_tracks(
        &self,
        request: Request<v1::FillTracksRequest>,
    ) -> Result<Response<v1::FillTracksResponse>, Status> {
        context(&request).enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let mut read = read_tracks(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                if !read.scored {
                    let model = stopping::model(app, stop);
                    score_tracks(
                        &mut read.problem,
                        &read.lists,
                        &read.projects,
                        &read.only,
                        model,
                    )
                    .map_err(failed)?;
                }
                let plan = plan_tracks(&read.problem, stop).map_err(failed)?;
                Ok(write_tracks(&read, plan))
            })
            .await?;
        self.app.answer(answer)
    }
}
