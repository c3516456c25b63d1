//! Matches: found, explained, one by one or in batches.

use crate::{
    Engine, Error,
    admitting::{admits, base_filter, seen_filter},
    entry::TextPipeline,
    error::RecordViolation,
    figuring::Figuring,
    matching::{Ranked, Ranking},
    notes::notes,
    outcomes::kept,
    question::Question,
    quoting::Quoter,
    request::{Ask, MAX_BATCH, MAX_K, MOST_EXPLORATION, MatchRequest},
    response::{MatchResponse, Note},
    telling::{Teller, uncovered},
    tenant::Live,
};
use queqiao_domain::{Bilingual, TenantId, Visibility};
use queqiao_ranking::{Calibration, Scorer, Weights};
use queqiao_retrieval::{Mode, SearchResult};
use queqiao_store::{KeptAnswer, RecordKey, StoredRecord};
use rayon::prelude::*;
use std::{borrow::Cow, sync::Arc, time::Instant};

/// What a request is answered from, taken once: the index, if the tenant has one, and the reading
/// of text that made it.
pub(crate) struct Sight {
    pub(crate) live: Option<Arc<Live>>,
    pub(crate) pipeline: TextPipeline,
}

/// A question as it is answered: whose, of what, and by which weights.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) sight: &'a Sight,
    pub(crate) request: &'a MatchRequest,
    pub(crate) question: &'a Question,
    pub(crate) weights: &'a Weights,
}

impl Engine {
    /// Ranked matches for a need, a text, or anyone who offers help.
    ///
    /// While a remote model does not answer, a hybrid request is answered by shared words alone,
    /// and a note says so; vectors of another model are never compared with the index's.
    ///
    /// # Errors
    /// [`Error::Argument`] names the part of the request that cannot be used; [`Error::NotFound`], where the asker is no
    /// record; [`Error::Deadline`]; [`Error::Embed`], where the model fails and shared words were not enough.
    pub fn find_matches(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
    ) -> Result<MatchResponse, Error> {
        check_k(request.k)?;
        if request.per_organisation == Some(0) {
            return Err(Error::argument(
                "per_organisation",
                (
                    "no match of any organisation leaves nothing",
                    "每个单位零个匹配，结果必为空",
                ),
                ("expected 1 or more", "应为 1 或更大"),
            ));
        }
        check_listing(request)?;
        let mut sight = self.sight(tenant);
        match self.find_with(tenant, request, &sight) {
            Err(Error::Embed(e)) if e.may_pass() && request.mode == Mode::Hybrid => {
                tracing::warn!(%tenant, "answering by shared words alone: {e}");
                let request = MatchRequest {
                    mode: Mode::Lexical,
                    ..request.clone()
                };
                sight.pipeline = sight.pipeline.without_model();
                let mut answer = self.find_with(tenant, &request, &sight)?;
                answer.notes.insert(
                    0,
                    Note {
                        code: "MODEL_UNAVAILABLE",
                        message: Bilingual::new(
                            "the embedding model does not answer at the moment: the order rests on shared words alone",
                            "嵌入模型暂时无法使用：排序仅依据共同词语",
                        ),
                    },
                );
                Ok(answer)
            }
            answer => answer,
        }
    }

    pub(crate) fn sight(&self, tenant: &TenantId) -> Sight {
        let live = self.tenants.find(tenant).map(|t| t.get());
        let pipeline = match &live {
            Some(live) => live.pipeline.clone(),
            None => self.tenants.pipeline(),
        };
        Sight { live, pipeline }
    }

    fn find_with(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        sight: &Sight,
    ) -> Result<MatchResponse, Error> {
        let question = self.question(tenant, request, &sight.pipeline)?;
        let weights = self.weights(request)?;
        let asking = Asking {
            tenant,
            sight,
            request,
            question: &question,
            weights: &weights,
        };
        let (ranked, found) = self.rank(&asking, request.k)?;
        let (answer, kept) = self.answer(&asking, &ranked, &found)?;
        if let Some(kept) = kept {
            self.store.keep_answers(tenant, &[kept])?;
        }
        Ok(answer)
    }

    /// The answer to a question, of records in the order in which they are to be listed, and what is to be kept of
    /// it where that is asked for.
    pub(crate) fn answer(
        &self,
        asking: &Asking<'_>,
        ranked: &[Ranked],
        found: &SearchResult,
    ) -> Result<(MatchResponse, Option<KeptAnswer>), Error> {
        let &Asking {
            tenant,
            sight,
            request,
            question,
            weights,
        } = asking;
        let pipeline = &sight.pipeline;
        let teller = Teller {
            scorer: Scorer::new(weights),
            quoter: request
                .quotes
                .then(|| Quoter::new(pipeline, question))
                .transpose()?,
            figuring: Figuring::of(question),
            clauses: request.clauses,
            calibration: self.calibration_for(request, weights),
        };
        let listed = self.listed(asking, ranked)?;
        let top = &listed.rows;
        let stages = self.stages(tenant, &request.ask, top.iter().map(|(r, _)| *r))?;
        let sealed = |(r, _): &(&Ranked, f64)| r.candidate.facets.visibility == Visibility::Sealed;
        let records = match teller.quoter.is_some() || top.iter().any(sealed) {
            true => self.stored(top)?,
            false => vec![None; top.len()],
        };
        let matches = top
            .par_iter()
            .zip(records)
            .zip(stages)
            .enumerate()
            .map(|(i, (((r, probability), record), stage))| {
                check_deadline(request, "quoting")?;
                let mut m = teller.tell(i + 1, r, (record.as_deref(), stage))?;
                m.drawn = Some(*probability).filter(|p| *p < 1.0);
                Ok(m)
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let model = match &sight.live {
            Some(live) => live.pipeline.embedder.fingerprint(),
            None => pipeline.embedder.fingerprint(),
        };
        let answer = MatchResponse {
            uncovered: match &teller.quoter {
                Some(q) if request.clauses => uncovered(q.requirements(), &matches),
                _ => Vec::new(),
            },
            relevance_kept: listed.kept,
            match_id: uuid::Uuid::now_v7().to_string(),
            notes: notes(asking, found, &listed)?,
            matches,
            admitted: found.admitted,
            total: found.total,
            seq: (self.tenants.find(tenant)).map_or(0, |t| t.own_seq(found.seq)),
            model: model.to_string(),
            calibrated_to: teller.calibration.map(|c| c.target.clone()),
            weights: weights.version.clone(),
        };
        let kept = request
            .keep
            .then(|| {
                let values: Vec<_> = top.iter().map(|(r, p)| (r.values, *p)).collect();
                kept(request, &answer, weights, &values)
            })
            .transpose()?;
        Ok((answer, kept))
    }

    /// Many requests at once, on all cores; one that fails does not fail the others.
    ///
    /// # Errors
    /// No request or too many. What is wrong with one request stands in its place of the answer.
    pub fn find_matches_batch(
        &self,
        tenant: &TenantId,
        requests: &[MatchRequest],
    ) -> Result<Vec<Result<MatchResponse, Error>>, Error> {
        if requests.is_empty() || requests.len() > MAX_BATCH {
            return Err(Error::argument(
                "requests",
                (
                    format!("{} requests", requests.len()),
                    format!("共 {} 个请求", requests.len()),
                ),
                (
                    format!("expected 1 to {MAX_BATCH}"),
                    format!("应为 1 至 {MAX_BATCH} 个"),
                ),
            ));
        }
        Ok(requests
            .par_iter()
            .map(|r| self.find_matches(tenant, r))
            .collect())
    }

    pub(crate) fn question(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        pipeline: &TextPipeline,
    ) -> Result<Question, Error> {
        match &request.ask {
            Ask::Text(text) => Question::from_text(pipeline, text),
            Ask::Record(id) => {
                let stored = self.find_record(tenant, id)?;
                Question::from_record(pipeline, &stored.record)
            }
            Ask::Draft(record) => {
                let id = record.id.clone();
                // Checked for its rules; it asks as it was given, so that offsets are the caller's.
                (**record)
                    .clone()
                    .check(&self.options.limits)
                    .map_err(|found| {
                        Error::Records(
                            found
                                .into_iter()
                                .map(|violation| RecordViolation {
                                    index: 0,
                                    id: id.clone(),
                                    violation,
                                })
                                .collect(),
                        )
                    })?;
                Question::from_record(pipeline, record)
            }
        }
    }

    /// What scores mean, where they are those that it was fitted to.
    pub(crate) fn calibration_for(
        &self,
        request: &MatchRequest,
        weights: &Weights,
    ) -> Option<&Calibration> {
        let calibration = self.calibration.as_ref()?;
        let same = request.mode == Mode::Hybrid && weights.version == calibration.weights;
        same.then_some(calibration)
    }

    /// The engine's weights with the caller's in place of some.
    pub(crate) fn weights(&self, request: &MatchRequest) -> Result<Weights, Error> {
        let weights = self.weights.with(&request.weights);
        let expected = ("another number", "请换一个数");
        weights.map_err(|e| Error::argument("weights", e.message(), expected))
    }

    /// The records of matches: as they were read to rank them, the others as they are now.
    fn stored<'a>(
        &self,
        top: &[(&'a Ranked, f64)],
    ) -> Result<Vec<Option<Cow<'a, StoredRecord>>>, Error> {
        let unread = top.iter().filter(|(r, _)| r.read.is_none());
        let keys: Vec<RecordKey> = unread.map(|(r, _)| RecordKey(r.candidate.key)).collect();
        let mut now = self.store.get_many(&keys)?.into_iter();
        let each = top.iter().map(|(r, _)| match &r.read {
            Some(read) => Some(Cow::Borrowed(&read.stored)),
            None => now.next().flatten().map(Cow::Owned),
        });
        Ok(each.collect())
    }

    /// All that are ranked, best first, at least `wanted` where so many are admitted, and the rest of what the search
    /// found.
    pub(crate) fn rank(
        &self,
        asking: &Asking<'_>,
        wanted: usize,
    ) -> Result<(Vec<Ranked>, SearchResult), Error> {
        let &Asking {
            tenant,
            sight,
            request,
            question,
            weights,
        } = asking;
        check_deadline(request, "reading the question")?;
        let Some(live) = &sight.live else {
            return Ok((Vec::new(), SearchResult::default()));
        };
        let filter = base_filter(request, question).and(seen_filter(request));
        let conditions = self.conditions(request, question);
        let activities = self.activities(tenant, weights)?;
        let (mut ranked, found) = Ranking {
            question,
            filter: &filter,
            admit: &|_, facets| conditions.excludes(facets).is_none() && admits(request, facets),
            sees_sealed: request.sees_sealed,
            mode: request.mode,
            wanted,
            weights,
            today: Some(request.today),
            activities: activities.as_deref(),
            every_feature: false,
        }
        .run(&live.index)?;
        check_deadline(request, "searching")?;
        self.read_features(asking, &mut ranked)?;
        Ok((ranked, found))
    }
}

fn check_listing(request: &MatchRequest) -> Result<(), Error> {
    if let Some(d) = request.diversity
        && !(0.5..=1.0).contains(&d.least)
    {
        return Err(Error::argument(
            "diversity.least_relevance",
            (
                format!("{} is no share of relevance to keep", d.least),
                format!("{} 不是可用的相关性保留比例", d.least),
            ),
            ("expected 0.5 to 1", "应为 0.5 至 1"),
        ));
    }
    if !(0.0..=MOST_EXPLORATION).contains(&request.exploration) {
        return Err(Error::argument(
            "exploration",
            (
                format!("{} is no share of a list", request.exploration),
                format!("{} 不是可用的名单占比", request.exploration),
            ),
            (
                format!("expected 0 to {MOST_EXPLORATION}"),
                format!("应为 0 至 {MOST_EXPLORATION}"),
            ),
        ));
    }
    Ok(())
}

pub(crate) fn check_k(k: usize) -> Result<(), Error> {
    if (1..=MAX_K).contains(&k) {
        Ok(())
    } else {
        Err(Error::argument(
            "k",
            (
                format!("{k} matches cannot be asked for"),
                format!("不能要求 {k} 个匹配"),
            ),
            (
                format!("expected 1 to {MAX_K}"),
                format!("应为 1 至 {MAX_K}"),
            ),
        ))
    }
}

pub(crate) fn check_deadline(request: &MatchRequest, doing: &'static str) -> Result<(), Error> {
    match request.deadline {
        Some(d) if Instant::now() > d => Err(Error::Deadline { doing }),
        _ => Ok(()),
    }
}
