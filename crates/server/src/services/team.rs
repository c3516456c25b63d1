//! `TeamService`.

use super::sealed::may_read_sealed;
use crate::{
    access::{Context, context},
    app::{App, deadline, today},
    convert::{ReadTeam, TeamSource, read_consortium, read_team, write_consortium, write_team},
    status::{self, nowhere},
};
use queqiao_domain::TenantId;
use queqiao_engine::{
    Error, score_team,
    solve::Certificate,
    teams::{Consortium, Outcome, TeamError, TeamProblem, consortium},
};
use queqiao_proto::v1;
use std::sync::Arc;
use tonic::{Code, Request, Response, Status};

/// Service teams and consortia.
pub(crate) struct TeamApi {
    pub(crate) app: Arc<App>,
}

/// The problem with scores, and the candidates' names.
fn problem(
    app: &App,
    (cx, tenant): (&Context, &TenantId),
    source: TeamSource,
) -> Result<(TeamProblem, Vec<String>), Status> {
    let failed = |e: Error| status::from_engine(e, &nowhere);
    match source {
        TeamSource::Given(mut g) => {
            if !g.scored {
                let model = app.engine.embedder();
                score_team(&mut g.problem, &g.needs, &g.candidates, model).map_err(failed)?;
            }
            Ok((g.problem, g.names))
        }
        TeamSource::Stored(mut request) => {
            request.sees_sealed = may_read_sealed(cx);
            let found = app
                .engine
                .team_for(tenant, &request, today())
                .map_err(failed)?;
            let names = found.experts.into_iter().map(|r| r.title).collect();
            Ok((found.problem, names))
        }
    }
}

fn wrong(e: TeamError) -> Status {
    status::from_engine(
        Error::argument(
            "source",
            e.message(),
            ("needs and candidates of a team", "应为团队的需求与候选人"),
        ),
        &nowhere,
    )
}

fn impossible(c: &Certificate) -> Status {
    status::impossible(
        Code::FailedPrecondition,
        "TEAM_IMPOSSIBLE",
        &c.describe(),
        Some(c),
    )
}

fn unknown() -> Status {
    status::plain(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        (
            "the time ended before a team was found or proven impossible: give more time or ask for less",
            "在找到团队或证明不可行之前时间已到：请放宽时限或减少要求",
        ),
    )
}

#[tonic::async_trait]
impl v1::team_service_server::TeamService for TeamApi {
    async fn compose_team(
        &self,
        request: Request<v1::ComposeTeamRequest>,
    ) -> Result<Response<v1::ComposeTeamResponse>, Status> {
        let cx = context(&request);
        cx.enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let read = read_team(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                let ReadTeam {
                    tenant,
                    source,
                    limits,
                    params,
                } = read;
                let (mut p, names) = problem(app, (&cx, &tenant), source)?;
                limits.set(&mut p);
                let valid = p.check().map_err(wrong)?;
                match valid.compose(&params, stop) {
                    Outcome::Team(plan) => Ok(write_team(valid.problem(), &names, &plan)),
                    Outcome::Impossible(c) => Err(impossible(&c)),
                    Outcome::Unknown => Err(unknown()),
                }
            })
            .await?;
        self.app.answer(answer)
    }

    async fn compose_consortium(
        &self,
        request: Request<v1::ComposeConsortiumRequest>,
    ) -> Result<Response<v1::ComposeConsortiumResponse>, Status> {
        let cx = context(&request);
        cx.enter_parent(&request.get_ref().parent)?;
        let deadline = deadline(&request);
        let read = read_consortium(request.into_inner()).map_err(status::invalid)?;
        let answer = self
            .app
            .plan(deadline, move |app, stop| {
                let ReadTeam {
                    tenant,
                    source,
                    limits,
                    params,
                } = read;
                let (mut p, names) = problem(app, (&cx, &tenant), source)?;
                limits.set(&mut p);
                let found = consortium(p.clone(), &params, stop).map_err(wrong)?;
                if let Consortium::Impossible(c) = &found {
                    return Err(impossible(c));
                }
                write_consortium(&p, &names, &found).ok_or_else(unknown)
            })
            .await?;
        self.app.answer(answer)
    }
}
