//! Features that take reading the records: figures that are met, clauses that are answered.
//!
//! Of all that were ranked, the first [`READ`] are read and ranked anew among themselves; of the others these
//! features are unknown, which never lifts one past those that were read.

use crate::{
    Engine, Error,
    entry::TextPipeline,
    figuring::Figuring,
    finding::check_deadline,
    matching::{Ranked, by_score},
    question::Question,
    quoting::Quoter,
    request::MatchRequest,
    response::{ClauseMatch, FigureMatch},
};
use queqiao_domain::{Record, Visibility};
use queqiao_ranking::{Feature, Scorer, Weights};
use queqiao_store::RecordKey;
use queqiao_text::figures::Verdict;
use rayon::prelude::*;

/// So many of the best are read, however many are listed: the rank that is told does not depend on it.
const READ: usize = 50;

impl Engine {
    /// Reads the best and ranks them anew, where a weight asks for it.
    pub(crate) fn read_features(
        &self,
        pipeline: &TextPipeline,
        request: &MatchRequest,
        question: &Question,
        weights: &Weights,
        ranked: &mut [Ranked],
    ) -> Result<(), Error> {
        let figuring = (weights.get(Feature::Figures) > 0.0)
            .then(|| Figuring::of(question))
            .filter(|f| !f.is_empty());
        let quoter = (weights.get(Feature::Clauses) > 0.0)
            .then(|| Quoter::new(pipeline, question))
            .transpose()?;
        if figuring.is_none() && quoter.is_none() {
            return Ok(());
        }
        let n = ranked.len().min(READ);
        let best = &mut ranked[..n];
        let keys: Vec<RecordKey> = best.iter().map(|r| RecordKey(r.candidate.key)).collect();
        let records = self.store().get_many(&keys)?;
        let scorer = Scorer::new(weights);
        best.par_iter_mut()
            .zip(records)
            .try_for_each(|(r, stored)| {
                check_deadline(request, "reading the best")?;
                // A sealed record would be found out figure by figure.
                let found = r.candidate.facets.visibility;
                let open = |s: &Record| ![found, s.visibility].contains(&Visibility::Sealed);
                let Some(record) = stored.map(|s| s.record).filter(open) else {
                    return Ok(());
                };
                let (figures, clauses) = read(&record, figuring.as_ref(), quoter.as_ref())?;
                r.values[Feature::Figures as usize] = figures;
                r.values[Feature::Clauses as usize] = clauses;
                r.score = scorer.score(&r.values);
                Ok::<(), Error>(())
            })?;
        best.sort_by(by_score);
        Ok(())
    }
}

fn read(
    record: &Record,
    figuring: Option<&Figuring>,
    quoter: Option<&Quoter<'_>>,
) -> Result<(Option<f64>, Option<f64>), Error> {
    let figures = figuring.and_then(|f| met(&f.judge(record)));
    let clauses = quoter.map(|q| q.cover(record)).transpose()?;
    Ok((figures, clauses.and_then(|c| answered(&c))))
}

/// Share of the figures that are met, partly met counting half, of those that the record tells; none where it tells
/// none.
fn met(figures: &[FigureMatch]) -> Option<f64> {
    let told: Vec<f64> = figures
        .iter()
        .filter_map(|f| f.verdict)
        .map(|v| match v {
            Verdict::Met => 1.0,
            Verdict::Partial => 0.5,
            Verdict::Short => 0.0,
        })
        .collect();
    (!told.is_empty()).then(|| told.iter().sum::<f64>() / told.len() as f64)
}

/// Share of the clauses that are answered; none where nothing is asked.
fn answered(clauses: &[ClauseMatch]) -> Option<f64> {
    let answered = clauses
        .iter()
        .filter(|c| c.answer.is_some() && !c.contradicted);
    (!clauses.is_empty()).then(|| answered.count() as f64 / clauses.len() as f64)
}
