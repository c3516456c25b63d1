//! Matches: found, explained, one by one or in batches.

use crate::{
    Engine, Error,
    conditions::Conditions,
    disclosing::Disclosed,
    entry::TextPipeline,
    error::RecordViolation,
    figuring::Figuring,
    matching::{Ranked, Ranking},
    outcomes::kept,
    question::Question,
    quoting::Quoter,
    request::{Ask, MAX_BATCH, MAX_K, MOST_EXPLORATION, MatchRequest},
    response::{Asked, Match, MatchResponse, Note},
    tenant::Live,
};
use queqiao_domain::{
    Bilingual, DisclosureStage, Facets, Field, Filter, Kind, Op, TenantId, Value, Visibility,
};
use queqiao_ranking::{Calibration, Scorer, Weights};
use queqiao_retrieval::{Consistency, Index, Mode, Query, SearchResult};
use queqiao_store::{KeptAnswer, RecordKey, StoredRecord};
use rayon::prelude::*;
use std::{sync::Arc, time::Instant};

/// What a request is answered from, taken once: the index, if the tenant has one, and the reading
/// of text that made it.
pub(crate) struct Sight {
    pub(crate) live: Option<Arc<Live>>,
    pub(crate) pipeline: TextPipeline,
}

/// Below this share of known characters an answer says that the model knows little of the text.
const LOW_COVERAGE: f32 = 0.6;

impl Engine {
    /// Ranked matches for a need, a text, or anyone who offers help.
    ///
    /// While a remote model does not answer, a hybrid request is answered by shared words alone,
    /// and a note says so; vectors of another model are never compared with the index's.
    pub fn find_matches(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
    ) -> Result<MatchResponse, Error> {
        check_k(request.k)?;
        if request.per_organisation == Some(0) {
            return Err(Error::argument(
                "per_organisation",
                "no match of any organisation leaves nothing",
                "expected 1 or more",
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
        let (ranked, found) =
            self.rank((tenant, sight), request, &question, &weights, request.k)?;
        let (answer, kept) = self.answer(
            tenant,
            request,
            (sight, &question, weights),
            (&ranked, &found),
        )?;
        if let Some(kept) = kept {
            self.store.keep_answers(tenant, &[kept])?;
        }
        Ok(answer)
    }

    /// The answer to a question, of records in the order in which they are to be listed, and what is to be kept of
    /// it where that is asked for.
    pub(crate) fn answer(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        (sight, question, weights): (&Sight, &Question, Weights),
        (ranked, found): (&[Ranked], &SearchResult),
    ) -> Result<(MatchResponse, Option<KeptAnswer>), Error> {
        let pipeline = &sight.pipeline;
        let teller = Teller {
            scorer: Scorer::new(&weights),
            quoter: request
                .quotes
                .then(|| Quoter::new(pipeline, question))
                .transpose()?,
            figuring: Figuring::of(question),
            clauses: request.clauses,
            calibration: self.calibration_for(request, &weights),
        };
        let listed = self.listed(tenant, (pipeline, request, question), ranked)?;
        let top = &listed.rows;
        let stages = self.stages(tenant, &request.ask, top.iter().map(|(r, _)| *r))?;
        let sealed = |(r, _): &(&Ranked, f64)| r.candidate.facets.visibility == Visibility::Sealed;
        let records = match teller.quoter.is_some() || top.iter().any(sealed) {
            true => {
                let keys: Vec<RecordKey> = top
                    .iter()
                    .map(|(r, _)| RecordKey(r.candidate.key))
                    .collect();
                self.store.get_many(&keys)?
            }
            false => vec![None; top.len()],
        };
        let matches = top
            .par_iter()
            .zip(records)
            .zip(stages)
            .enumerate()
            .map(|(i, (((r, probability), record), stage))| {
                check_deadline(request, "quoting")?;
                let mut m = teller.tell(i + 1, r, (record.as_ref(), stage))?;
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
            notes: notes(
                sight,
                request,
                question,
                found,
                (listed.passed_over, listed.folded),
            )?,
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
                kept(request, &answer, &weights, &values)
            })
            .transpose()?;
        Ok((answer, kept))
    }

    /// Many requests at once, on all cores; one that fails does not fail the others.
    pub fn find_matches_batch(
        &self,
        tenant: &TenantId,
        requests: &[MatchRequest],
    ) -> Result<Vec<Result<MatchResponse, Error>>, Error> {
        if requests.is_empty() || requests.len() > MAX_BATCH {
            return Err(Error::argument(
                "requests",
                format!("{} requests", requests.len()),
                format!("expected 1 to {MAX_BATCH}"),
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
        weights.map_err(|e| Error::argument("weights", e.to_string(), "a number from 0 to 100"))
    }

    pub(crate) fn rank(
        &self,
        (tenant, sight): (&TenantId, &Sight),
        request: &MatchRequest,
        question: &Question,
        weights: &Weights,
        wanted: usize,
    ) -> Result<(Vec<Ranked>, SearchResult), Error> {
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
        }
        .run(&live.index)?;
        check_deadline(request, "searching")?;
        self.read_features(&sight.pipeline, request, question, weights, &mut ranked)?;
        Ok((ranked, found))
    }
}

fn notes(
    sight: &Sight,
    request: &MatchRequest,
    question: &Question,
    found: &SearchResult,
    (passed_over, folded): (usize, usize),
) -> Result<Vec<Note>, Error> {
    let mut notes = Vec::new();
    if folded > 0 {
        notes.push(Note {
            code: "FOLDED",
            message: Bilingual::new(
                format!("{folded} records that say the very same as one on the list were left out"),
                format!("有 {folded} 条与名单中内容完全相同的记录未列出"),
            ),
        });
    }
    if passed_over > 0 {
        notes.push(Note {
            code: "PASSED_OVER",
            message: Bilingual::new(
                format!("{passed_over} better matches were passed over: their organisations have as many as were allowed"),
                format!("有 {passed_over} 个得分更高的匹配被略过：其所属单位已达上限"),
            ),
        });
    }
    if request.mode != Mode::Lexical {
        let text: Vec<&str> = question.fields.iter().map(|f| f.1.as_str()).collect();
        let covered = sight.pipeline.embedder.coverage(&text.join("\n"));
        if let Some(share) = covered.filter(|c| *c < LOW_COVERAGE) {
            let percent = (share * 100.0).round();
            notes.push(Note {
                code: "LOW_COVERAGE",
                message: Bilingual::new(
                    format!("the model knows {percent} % of this text: the order rests mostly on shared words"),
                    format!("模型只认识该文本的 {percent}%，排序主要依据共同词语"),
                ),
            });
        }
    }
    if found.admitted == 0 {
        notes.push(nothing_admitted(sight, request, question, found.total)?);
    }
    Ok(notes)
}

/// Which condition left nothing.
fn nothing_admitted(
    sight: &Sight,
    request: &MatchRequest,
    question: &Question,
    total: usize,
) -> Result<Note, Error> {
    let count = |filter: &Filter| -> Result<usize, Error> {
        let Some(live) = &sight.live else {
            return Ok(0);
        };
        let none = ndarray::Array2::zeros((0, live.pipeline.embedder.dim()));
        Ok(live
            .index
            .search(&Query {
                vectors: &none,
                passages: &[],
                filter,
                admit: &|_, facets| admits(request, facets),
                mode: Mode::Lexical,
                candidates: 0,
                consistency: Consistency::Latest,
            })?
            .admitted)
    };
    let wanted = kinds(request, question);
    let names = |f: fn(Kind) -> &'static str| wanted.iter().map(|k| f(*k)).collect::<Vec<_>>();
    let (en, zh) = if total == 0 {
        (
            "there are no records yet: import some".to_owned(),
            "还没有任何记录，请先导入".to_owned(),
        )
    } else if count(&kind_filter(&wanted))? == 0 {
        (
            format!(
                "none of the {total} records is of kind {}",
                names(Kind::as_str).join(", ")
            ),
            format!("{total} 条记录中没有{}", names(Kind::zh).join("、")),
        )
    } else if count(&base_filter(request, question))? == 0 {
        (
            format!("no record of these kinds is valid on {}", request.today),
            format!("这些类别的记录在 {} 均不在有效期内", request.today),
        )
    } else if count(&base_filter(request, question).and(seen_filter(request)))? == 0 {
        (
            "the filter leaves no record: loosen it".to_owned(),
            "筛选条件排除了所有记录，请放宽".to_owned(),
        )
    } else {
        (
            "every record that is left belongs to the asker, opted out, is closed or has a conflict".to_owned(),
            "余下的记录均属提问方自身、已退出匹配、已关闭或存在利益冲突".to_owned(),
        )
    };
    Ok(Note {
        code: "NOTHING_ADMITTED",
        message: Bilingual::new(en, zh),
    })
}

fn check_listing(request: &MatchRequest) -> Result<(), Error> {
    if let Some(d) = request.diversity
        && !(0.5..=1.0).contains(&d.least)
    {
        return Err(Error::argument(
            "diversity.least_relevance",
            format!("{} is no share of relevance to keep", d.least),
            "expected 0.5 to 1",
        ));
    }
    if !(0.0..=MOST_EXPLORATION).contains(&request.exploration) {
        return Err(Error::argument(
            "exploration",
            format!("{} is no share of a list", request.exploration),
            format!("expected 0 to {MOST_EXPLORATION}"),
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
            format!("{k} matches cannot be asked for"),
            format!("expected 1 to {MAX_K}"),
        ))
    }
}

pub(crate) fn check_deadline(request: &MatchRequest, doing: &'static str) -> Result<(), Error> {
    match request.deadline {
        Some(d) if Instant::now() > d => Err(Error::Deadline { doing }),
        _ => Ok(()),
    }
}

/// The kinds that may answer.
pub(crate) fn kinds(request: &MatchRequest, question: &Question) -> Vec<Kind> {
    if request.to.is_empty() {
        let asker = question.facets.as_ref().map_or(Kind::Need, |f| f.kind);
        asker.default_counterparts().to_vec()
    } else {
        request.to.clone()
    }
}

pub(crate) fn kind_filter(kinds: &[Kind]) -> Filter {
    Filter::any_of(Field::Kind, Op::Eq, kinds.iter().copied().map(Value::Kind))
}

/// The caller's filter for the index, which sees all of every record: of those that are sealed, [`admits`] decides
/// where the caller may not see them.
fn seen_filter(request: &MatchRequest) -> Filter {
    match request.sees_sealed || request.filter == Filter::All {
        true => request.filter.clone(),
        false => Filter::Or(vec![
            Filter::compare(
                Field::Visibility,
                Op::Eq,
                Value::Visibility(Visibility::Sealed),
            ),
            request.filter.clone(),
        ]),
    }
}

/// Whether the caller's filter lets a record pass, by what the caller may know of it.
pub(crate) fn admits(request: &MatchRequest, facets: &Facets) -> bool {
    request.sees_sealed
        || facets.visibility != Visibility::Sealed
        || facets.openly_matches(&request.filter)
}

/// What every answer must be, whatever the caller's filter says.
fn base_filter(request: &MatchRequest, question: &Question) -> Filter {
    kind_filter(&kinds(request, question)).and(Filter::compare(
        Field::Valid,
        Op::Eq,
        Value::Date(request.today),
    ))
}

impl Engine {
    pub(crate) fn conditions<'a>(
        &self,
        request: &'a MatchRequest,
        question: &'a Question,
    ) -> Conditions<'a> {
        Conditions {
            asker: question.facets.as_ref(),
            stored: match &request.ask {
                Ask::Record(id) => Some(id),
                _ => None,
            },
            own_organisation: request.own_organisation,
            today: request.today,
            needs_consent: self.options.needs_consent,
            sees_sealed: request.sees_sealed,
        }
    }
}

/// The clauses that no match answers, in the question's order; none where every match is sealed and not
/// disclosed, since nothing is told of those.
fn uncovered(asked: Vec<Asked>, matches: &[Match]) -> Vec<Asked> {
    let told = |m: &&Match| {
        let stage = m.disclosed.as_ref().map(|d| d.stage);
        stage != Some(DisclosureStage::Clauses)
    };
    let open: Vec<&Match> = matches.iter().filter(told).collect();
    if open.is_empty() && !matches.is_empty() {
        return Vec::new();
    }
    let answered = |i: usize| {
        let answers = |m: &&Match| {
            m.clauses
                .get(i)
                .is_some_and(|c| c.answer.is_some() && !c.contradicted)
        };
        open.iter().any(answers)
    };
    asked
        .into_iter()
        .enumerate()
        .filter(|(i, _)| !answered(*i))
        .map(|(_, a)| a)
        .collect()
}

/// What is told of each match.
pub(crate) struct Teller<'a> {
    pub(crate) scorer: Scorer,
    pub(crate) quoter: Option<Quoter<'a>>,
    pub(crate) figuring: Figuring,
    /// Say of every clause what answers it.
    pub(crate) clauses: bool,
    /// What scores mean.
    pub(crate) calibration: Option<&'a Calibration>,
}

impl Teller<'_> {
    pub(crate) fn tell(
        &self,
        rank: usize,
        r: &Ranked,
        (stored, stage): (Option<&StoredRecord>, DisclosureStage),
    ) -> Result<Match, Error> {
        let c = &r.candidate;
        let disclosed = Disclosed::of(r, stored, stage);
        let sealed = disclosed.is_some() && stage < DisclosureStage::Text;
        let owner = disclosed.is_none() || stage == DisclosureStage::Owner;
        // The passage of the side that contributed more.
        let passage = if c.dense.best > 0.0 || c.lexical.words + c.lexical.bigrams <= 0.0 {
            c.dense.passage
        } else {
            c.lexical.passage
        };
        let (quote, figures, clauses) = match (&self.quoter, stored) {
            (Some(q), Some(s)) if !sealed => (
                q.quote(&s.record, passage)?,
                self.figuring.judge(&s.record),
                if self.clauses {
                    q.cover(&s.record)?
                } else {
                    Vec::new()
                },
            ),
            _ => (None, Vec::new(), Vec::new()),
        };
        Ok(Match {
            rank,
            id: c.id.clone(),
            kind: c.facets.kind,
            title: match disclosed.is_none() || stage.shows_title(c.facets.kind) {
                true => c.facets.title.clone(),
                false => String::new(),
            },
            score: r.score,
            probability: self.calibration.map(|c| c.curve.probability(r.score.get())),
            parts: self.scorer.parts(&r.values),
            quote,
            figures,
            clauses,
            drawn: None,
            wanted: None,
            disclosed,
            facets: owner.then(|| Arc::clone(&c.facets)),
        })
    }
}
