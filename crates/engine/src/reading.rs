//! Features that take reading the records: figures that are met, clauses that are answered, words like those of the
//! title.
//!
//! Of all that were ranked, the first [`READ`] are read and ranked anew among themselves; of the others these
//! features are unknown, which never lifts one past those that were read.

use crate::{
    Engine, Error,
    figuring::Figuring,
    finding::{Asking, check_deadline},
    matching::{Ranked, Read, by_score},
    piece::Piece,
    quoting::Quoter,
    response::{ClauseMatch, FigureMatch},
    wording::{Wording, naming},
};
use queqiao_domain::{Record, Visibility};
use queqiao_ranking::{Feature, Scorer};
use queqiao_retrieval::Mode;
use queqiao_store::RecordKey;
use queqiao_text::figures::Verdict;
use rayon::prelude::*;

/// So many of the best are read, however many are listed: the rank that is told does not depend on it. (With words of 50
/// titles looked for nothing more came, with 15 nsfc-pi lost .002.)
pub(crate) const READ: usize = 30;

impl Engine {
    /// Reads the best and ranks them anew, where a weight asks for it.
    pub(crate) fn read_features(
        &self,
        asking: &Asking<'_>,
        ranked: &mut [Ranked],
    ) -> Result<(), Error> {
        let &Asking {
            sight,
            request,
            question,
            weights,
            ..
        } = asking;
        let pipeline = &sight.pipeline;
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
        let n = ranked.len().min(READ);
        let best = &mut ranked[..n];
        let keys: Vec<RecordKey> = best.iter().map(|r| RecordKey(r.candidate.key)).collect();
        for (r, stored) in best.iter_mut().zip(self.store().get_many(&keys)?) {
            let read = |stored| Read {
                stored,
                figures: None,
            };
            r.read = stored.map(read).map(Box::new);
        }
        if let Some(wording) = wording {
            check_deadline(request, "reading the best")?;
            let names: Vec<Vec<&str>> = best.iter().map(|r| names(open(r))).collect();
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
            let pieces = match figuring.is_some() || quoter.is_some() {
                true => Piece::of_record(record),
                false => Vec::new(),
            };
            let figures = figuring.as_ref().map(|f| f.judge(&pieces));
            let clauses = match &quoter {
                Some(q) => answered(&q.cover(&q.read_record(&pieces, None, true)?)),
                None => None,
            };
            r.values[Feature::Figures as usize] = figures.as_deref().and_then(met);
            r.values[Feature::Clauses as usize] = clauses;
            r.score = scorer.score(&r.values);
            if let Some(read) = &mut r.read {
                read.figures = figures;
            }
            Ok::<(), Error>(())
        })?;
        best.sort_by(by_score);
        Ok(())
    }
}

/// The record that was read, unless it is sealed: it would be found out figure by figure, and word by word.
fn open(r: &Ranked) -> Option<&Record> {
    let record = &r.read.as_ref()?.stored.record;
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
