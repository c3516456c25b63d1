//! What is told of each match, and which clauses no match answers.

use crate::{
    Error,
    disclosing::Disclosed,
    figuring::Figuring,
    matching::Ranked,
    piece::Piece,
    quoting::Quoter,
    response::{Excerpt, Match},
};
use queqiao_domain::DisclosureStage;
use queqiao_ranking::{Calibration, Scorer};
use queqiao_store::StoredRecord;
use std::sync::Arc;

/// The clauses that no match answers, in the question's order; none where every match is sealed and not
/// disclosed, since nothing is told of those.
pub(crate) fn uncovered(asked: Vec<Excerpt>, matches: &[Match]) -> Vec<Excerpt> {
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
            (Some(q), Some(s)) if !sealed => {
                let pieces = Piece::of_record(&s.record);
                let read = q.read_record(&pieces, Some(passage), self.clauses)?;
                // Figures of another reading may be of another revision.
                let same = r.read.as_ref().filter(|read| std::ptr::eq(&read.stored, s));
                let judged = same.and_then(|read| read.figures.clone());
                let clauses = match self.clauses {
                    true => q.cover(&read),
                    false => Vec::new(),
                };
                (
                    q.quote(&read),
                    judged.unwrap_or_else(|| self.figuring.judge(&pieces)),
                    clauses,
                )
            }
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
