//! `MatchService`.

use super::sealed::{may_ask_for, may_read_sealed, note_shown};
use crate::{
    access::{Context, Role, context, holds},
    app::{App, deadline, today},
    convert::{
        BatchItem, read_clarify, read_explain, read_match, read_match_batch, write_clarity,
        write_match_response, write_why,
    },
    status::{self, nowhere},
};
use queqiao_domain::{Kind, ResourceName, Visibility};
use queqiao_engine::{Ask, Error, MatchRequest};
use queqiao_proto::v1;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tonic::{Request, Response, Status};
use tonic_types::StatusExt;

/// Who should meet whom, and why.
pub(crate) struct MatchApi {
    pub(crate) app: Arc<App>,
}

#[tonic::async_trait]
impl v1::match_service_server::MatchService for MatchApi {
    async fn r#match(
        &self,
        request: Request<v1::MatchRequest>,
    ) -> Result<Response<v1::MatchResponse>, Status> {
        let cx = context(&request);
        cx.enter_parent(&request.get_ref().parent)?;
        may_keep(&cx, request.get_ref())?;
        let deadline = deadline(&request);
        let came = Instant::now();
        let mut item =
            read_match(request.into_inner(), today(), deadline).map_err(status::invalid)?;
        item.request.sees_sealed = may_read_sealed(&cx);
        let answer = self
            .app
            .read(move |app| {
                let waited = came.elapsed();
                check_asker(app, &cx, &item)?;
                let asking = item.asking_kind();
                let answer = app.engine.find_matches(&item.tenant, &item.request);
                let plan = plan(&item.request, waited, came.elapsed());
                cx.noted().plan = Some(plan);
                let answer = answer.map_err(|e| failed(e, &item, ""))?;
                cx.noted().match_id = Some(answer.match_id.clone());
                let about = ("Match", &item.tenant, item.asker.as_ref());
                note_shown(app, &cx, about, answer.matches.iter())?;
                Ok(write_match_response(&item.tenant, asking, answer))
            })
            .await?;
        self.app.answer(answer)
    }

    async fn match_batch(
        &self,
        request: Request<v1::MatchBatchRequest>,
    ) -> Result<Response<v1::MatchBatchResponse>, Status> {
        let cx = context(&request);
        cx.enter_parent(&request.get_ref().parent)?;
        for question in &request.get_ref().requests {
            may_keep(&cx, question)?;
        }
        let deadline = deadline(&request);
        let together = request.get_ref().together;
        let (tenant, questions) =
            read_match_batch(request.into_inner(), today(), deadline).map_err(status::invalid)?;
        let answer = self
            .app
            .read(move |app| {
                let read: Vec<Result<BatchItem, Status>> = questions
                    .into_iter()
                    .map(|q| {
                        let mut item = q.map_err(status::invalid)?;
                        item.request.sees_sealed = may_read_sealed(&cx);
                        check_asker(app, &cx, &item)?;
                        Ok(item)
                    })
                    .collect();
                // Together, all are answered or none.
                if let Some(Err(e)) = read.iter().find(|r| together && r.is_err()) {
                    return Err(e.clone());
                }
                let requests: Vec<_> = read.iter().flatten().map(|i| i.request.clone()).collect();
                let of_batch = |e| status::from_engine(e, &nowhere);
                let answers = match requests.is_empty() {
                    true => Vec::new(),
                    false if together => {
                        let all = app.engine.find_matches_together(&tenant, &requests);
                        all.map_err(of_batch)?.into_iter().map(Ok).collect()
                    }
                    false => app
                        .engine
                        .find_matches_batch(&tenant, &requests)
                        .map_err(of_batch)?,
                };
                for (item, answer) in read.iter().flatten().zip(&answers) {
                    let shown = answer.iter().flat_map(|a| &a.matches);
                    note_shown(
                        app,
                        &cx,
                        ("MatchBatch", &tenant, item.asker.as_ref()),
                        shown,
                    )?;
                }
                let mut answers = answers.into_iter();
                let results = read
                    .into_iter()
                    .enumerate()
                    .map(|(i, item)| {
                        let answered = item.and_then(|item| {
                            let asking = item.asking_kind();
                            match answers.next() {
                                Some(Ok(a)) => Ok(write_match_response(&tenant, asking, a)),
                                Some(Err(e)) => Err(failed(e, &item, &format!("requests[{i}]."))),
                                None => Err(status::internal("INTERNAL")),
                            }
                        });
                        v1::MatchResult {
                            result: Some(match answered {
                                Ok(a) => v1::match_result::Result::Response(a),
                                Err(s) => v1::match_result::Result::Problem(problem(&s)),
                            }),
                        }
                    })
                    .collect();
                Ok(v1::MatchBatchResponse { results })
            })
            .await?;
        self.app.answer(answer)
    }

    async fn clarify(
        &self,
        request: Request<v1::ClarifyRequest>,
    ) -> Result<Response<v1::ClarifyResponse>, Status> {
        let answer = clarified(self, request).await?;
        self.app.answer(answer)
    }

    async fn explain(
        &self,
        request: Request<v1::ExplainRequest>,
    ) -> Result<Response<v1::ExplainResponse>, Status> {
        let cx = context(&request);
        let deadline = deadline(&request);
        let changes_too = !request.get_ref().omit_counterfactuals;
        let (mut item, candidate) =
            read_explain(request.into_inner(), today(), deadline).map_err(status::invalid)?;
        cx.enter(&item.tenant)?;
        item.request.sees_sealed = may_read_sealed(&cx);
        let answer = self
            .app
            .read(move |app| {
                check_asker(app, &cx, &item)?;
                check_kind(app, &candidate)?;
                let asking = item.asking_kind();
                let list = Some(item.request.k).filter(|k| *k > 0);
                let explained = app
                    .engine
                    .explain(
                        &item.tenant,
                        &item.request,
                        &candidate.id,
                        list,
                        changes_too,
                    )
                    .map_err(|e| failed(e, &item, "question."))?;
                let shown = std::iter::once(&explained.matched);
                note_shown(
                    app,
                    &cx,
                    ("Explain", &item.tenant, item.asker.as_ref()),
                    shown,
                )?;
                Ok(write_why(&item.tenant, asking, explained))
            })
            .await?;
        self.app.answer(answer)
    }
}

/// An answer that is kept is written: that takes more than reading.
fn may_keep(cx: &Context, question: &v1::MatchRequest) -> Result<(), Status> {
    match question.keep {
        true => holds(cx.caller(), Role::Writer),
        false => Ok(()),
    }
}

async fn clarified(
    api: &MatchApi,
    request: Request<v1::ClarifyRequest>,
) -> Result<v1::ClarifyResponse, Status> {
    let cx = context(&request);
    let deadline = deadline(&request);
    let mut item =
        read_clarify(request.into_inner(), today(), deadline).map_err(status::invalid)?;
    cx.enter(&item.tenant)?;
    item.request.sees_sealed = may_read_sealed(&cx);
    api.app
        .read(move |app| {
            check_asker(app, &cx, &item)?;
            let asking = item.asking_kind();
            let clarity = app
                .engine
                .clarify(&item.tenant, &item.request)
                .map_err(|e| failed(e, &item, "question."))?;
            Ok(write_clarity(&item.tenant, asking, clarity))
        })
        .await
}

/// The engine looks for an id; the wire names its kind too, which has to be right.
fn check_asker(app: &App, cx: &Context, item: &BatchItem) -> Result<(), Status> {
    let Some(asker) = &item.asker else {
        return Ok(());
    };
    may_ask_for(cx, check_kind(app, asker)?)
}

/// The record of a name is there; who may see it.
fn check_kind(app: &App, name: &ResourceName) -> Result<Visibility, Status> {
    app.engine
        .get(&name.tenant, Some(name.kind), &name.id, false)
        .map(|stored| stored.record.visibility)
        .map_err(|e| status::from_engine(e, &nowhere))
}

/// A failed question; `at` is its path in the request, with a dot.
fn failed(e: Error, item: &BatchItem, at: &str) -> Status {
    let draft: Option<Kind> = match &item.request.ask {
        Ask::Draft(d) => Some(d.kind()),
        _ => None,
    };
    let e = match e {
        Error::Argument(mut v) => {
            v.field = format!("{at}{}", v.field);
            Error::Argument(v)
        }
        e => e,
    };
    status::from_engine(e, &|_| draft.map(|kind| (format!("{at}draft"), kind)))
}

/// A status as part of a batch's answer.
fn problem(s: &Status) -> v1::Problem {
    let details = s.get_error_details();
    v1::Problem {
        code: s.code() as i32,
        reason: details
            .error_info()
            .map(|i| i.reason.clone())
            .unwrap_or_default(),
        message: s.message().to_owned(),
        field: details
            .bad_request()
            .and_then(|b| b.field_violations.first())
            .map(|v| v.field.clone())
            .unwrap_or_default(),
        message_zh: details
            .localized_message()
            .map(|m| m.message.clone())
            .unwrap_or_default(),
    }
}

/// How a match was made: what was asked for, by its shape and never by its text, and where the time went.
fn plan(request: &MatchRequest, waited: Duration, all: Duration) -> String {
    let asked = match &request.ask {
        Ask::Record(_) => "record".to_owned(),
        Ask::Text(text) => format!("text of {} bytes", text.len()),
        _ => "draft".to_owned(),
    };
    let kinds: Vec<&str> = request.to.iter().map(|k| k.as_str()).collect();
    let ms = |d: Duration| d.as_millis();
    format!(
        "ask={asked} kinds={} mode={:?} k={} filter={} quotes={} per_organisation={:?} waited_ms={} worked_ms={}",
        if kinds.is_empty() {
            "default".to_owned()
        } else {
            kinds.join("+")
        },
        request.mode,
        request.k,
        !matches!(request.filter, queqiao_domain::Filter::All),
        request.quotes,
        request.per_organisation,
        ms(waited),
        ms(all.saturating_sub(waited)),
    )
}
