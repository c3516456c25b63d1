//! Features that take reading the records: figures that are met, clauses that are answered, words like those of the
//! title.
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
    wording::{LOOKED_AT, Wording, naming},
};
use queqiao_domain::{Record, Visibility};
use queqiao_ranking::{Feature, Scorer, Weights};
use queqiao_retrieval::Mode;
use queqiao_store::RecordKey;
use queqiao_text::figures::Verdict;
use rayon::prelude::*;

/// So many of the best are read, however many are listed: the rank that is told does not depend on it.
pub(crate) const READ: usize = 50;

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
        let wording = (weights.get(Feature::TitleWords) > 0.0 && request.mode != Mode::Lexical)
            .then(|| Wording::of(pipeline, question))
            .transpose()?
            .flatten();
        if figuring.is_none() && quoter.is_none() && wording.is_none() {
            return Ok(());
        }
        let most = match figuring.is_none() && quoter.is_none() {
            true => LOOKED_AT,
            false => READ,
        };
        let n = ranked.len().min(most);
        let best = &mut ranked[..n];
        let keys: Vec<RecordKey> = best.iter().map(|r| RecordKey(r.candidate.key)).collect();
        for (r, stored) in best.iter_mut().zip(self.store().get_many(&keys)?) {
            r.stored = stored;
        }
        if let Some(wording) = wording {
            check_deadline(request, "reading the best")?;
            let each = best.iter().take(LOOKED_AT);
            let names: Vec<Vec<&str>> = each.map(|r| names(open(r))).collect();
            let near = wording.near(&names)?;
            for (r, near) in best.iter_mut().zip(near) {
                r.values[Feature::TitleWords as usize] = near;
            }
        }
        let scorer = Scorer::new(weights);
        best.par_iter_mut().try_for_each(|r| {
            check_deadline(request, "reading the best")?;
            let Some(record) = open(r) else {
                return Ok(());
            };
            let (figures, clauses) = read(record, figuring.as_ref(), quoter.as_ref())?;
            r.values[Feature::Figures as usize] = figures;
            r.values[Feature::Clauses as usize] = clauses;
            r.score = scorer.score(&r.values);
            Ok::<(), Error>(())
        })?;
        best.sort_by(by_score);
        Ok(())
    }
}

/// The record that was read, unless it is sealed: it would be found out figure by figure, and word by word.
fn open(r: &Ranked) -> Option<&Record> {
    let record = &r.stored.as_ref()?.record;
    let visible = [r.candidate.facets.visibility, record.visibility];
    (!visible.contains(&Visibility::Sealed)).then_some(record)
}

/// Lists of short names of what somebody does.
const NAMING: [&str; 4] = ["research[", "keywords[", "services[", "products["];

/// What names a record's matters; nothing of none.
fn names(record: Option<&Record>) -> Vec<&str> {
    let units = record.map(Record::units).unwrap_or_default();
    let parts = || units.iter().flat_map(|u| &u.parts);
    let is_name = |path: &str| {
        let listed = NAMING.iter().any(|list| path.starts_with(list));
        listed || path == "title" || path.ends_with("].title")
    };
    let heads = parts().filter(|p| is_name(&p.path)).map(|p| p.text);
    naming(heads.collect(), parts().map(|p| p.text))
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
