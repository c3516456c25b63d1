//! From a ranking to the list that is given: the best, at most so many of one organisation, not the same
//! ten times, with a place for newcomers.

use crate::{
    Engine, Error,
    conditions::key,
    entry::{TextPipeline, mix},
    finding::{Asking, check_deadline},
    matching::Ranked,
    piece::Piece,
    quoting::Quoter,
    request::{Diversity, DiversityMethod, MatchRequest},
};
use ndarray::Array1;
use queqiao_domain::{TenantId, Visibility};
use queqiao_embed::Role;
use queqiao_ranking::{Diverse, draw, mmr, xquad};
use queqiao_store::{RecordKey, StoredRecord};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// A list is made diverse from so many times its length, …
const TIMES: usize = 5;
/// … of at least so many candidates, …
const LEAST_POOL: usize = 50;
/// … and at most so many: their texts are read.
const MOST_POOL: usize = 200;
/// Whoever was on fewer kept answers is a newcomer.
const NEW: usize = 3;
/// Newcomers are drawn by the exponential of so many times their score.
const SHARPNESS: f64 = 10.0;

/// A list.
pub(crate) struct Listed<'a> {
    /// Its records in order, each with the probability with which it stands there.
    pub(crate) rows: Vec<(&'a Ranked, f64)>,
    /// Better ones that were passed over because their organisations have enough.
    pub(crate) passed_over: usize,
    /// Records left out of a diverse list because a better one, or one of equal score before it, says
    /// the very same.
    pub(crate) folded: usize,
    /// Relevance kept, where it was traded for diversity.
    pub(crate) kept: Option<f64>,
}

impl Engine {
    /// The list of a request.
    pub(crate) fn listed<'a>(
        &self,
        asking: &Asking<'_>,
        ranked: &'a [Ranked],
    ) -> Result<Listed<'a>, Error> {
        let request = asking.request;
        let wanted = match request.diversity {
            Some(_) => (TIMES * request.k)
                .clamp(LEAST_POOL, MOST_POOL)
                .max(request.k),
            None => request.k,
        };
        let (mut pool, passed_over, folded) = capped(ranked, request, wanted);
        let mut kept = None;
        if let Some(diversity) = request.diversity {
            let diverse = self.diverse(asking, &pool, diversity)?;
            kept = Some(diverse.kept);
            pool = diverse.order.into_iter().map(|i| pool[i]).collect();
        }
        let mut rows: Vec<(&Ranked, f64)> = pool.into_iter().map(|r| (r, 1.0)).collect();
        if request.exploration > 0.0 {
            self.explore(asking.tenant, request, ranked, &mut rows)?;
        }
        Ok(Listed {
            rows,
            passed_over,
            folded,
            kept,
        })
    }

    fn diverse(
        &self,
        asking: &Asking<'_>,
        pool: &[&Ranked],
        diversity: Diversity,
    ) -> Result<Diverse, Error> {
        let (request, pipeline) = (asking.request, &asking.sight.pipeline);
        let keys: Vec<RecordKey> = pool.iter().map(|r| RecordKey(r.candidate.key)).collect();
        let mut records = self.store.get_many(&keys)?;
        for stored in &mut records {
            // Which clause a sealed record answers would tell what it says.
            let sealed = |s: &StoredRecord| s.record.visibility == Visibility::Sealed;
            if !request.sees_sealed && stored.as_ref().is_some_and(sealed) {
                *stored = None;
            }
        }
        check_deadline(request, "reading candidates")?;
        let scores: Vec<f64> = pool.iter().map(|r| r.score.get().max(0.0)).collect();
        Ok(match diversity.method {
            DiversityMethod::Mmr => {
                let vectors = records
                    .par_iter()
                    .map(|stored| match stored {
                        Some(s) => profile(pipeline, &Piece::of_record(&s.record)),
                        None => Ok(None),
                    })
                    .collect::<Result<Vec<_>, Error>>()?;
                let similar = |i: usize, j: usize| match (&vectors[i], &vectors[j]) {
                    (Some(a), Some(b)) => f64::from(a.dot(b)).max(0.0),
                    _ => 0.0,
                };
                mmr(&scores, similar, request.k, diversity.least)
            }
            DiversityMethod::Xquad => {
                let quoter = Quoter::new(pipeline, asking.question)?;
                let covered = records
                    .par_iter()
                    .map(|stored| match stored {
                        Some(s) => {
                            let pieces = Piece::of_record(&s.record);
                            Ok(quoter.cover(&quoter.read_record(&pieces, None, true)?))
                        }
                        None => Ok(Vec::new()),
                    })
                    .collect::<Result<Vec<_>, Error>>()?;
                let aspects = quoter.requirements().len();
                // What does not answer a clause covers none of it.
                let covers = |i: usize, a: usize| {
                    let clause = covered[i].get(a).filter(|c| c.answer.is_some());
                    clause.map_or(0.0, |c| c.strength)
                };
                xquad(&scores, aspects, covers, request.k, diversity.least)
            }
        })
    }

    /// Gives the last places of a list to newcomers that stand right behind it, drawn with a known
    /// probability. Equal requests draw alike; another seed draws anew.
    fn explore<'a>(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        ranked: &'a [Ranked],
        rows: &mut Vec<(&'a Ranked, f64)>,
    ) -> Result<(), Error> {
        let snapshot = self.store.snapshot()?;
        let mut near: Vec<&Ranked> = Vec::new();
        for r in ranked.iter().take(TIMES * request.k) {
            if snapshot.appearances(tenant, &r.candidate.id, NEW)? < NEW {
                near.push(r);
            }
        }
        // Whoever is on the rest of the list needs no luck; fewer newcomers get fewer places.
        let mut places = (request.exploration * request.k as f64).ceil() as usize;
        let newcomers = loop {
            let listed = &rows[..rows.len().min(request.k).saturating_sub(places)];
            let on_it = |r: &Ranked| {
                listed
                    .iter()
                    .any(|(l, _)| l.candidate.key == r.candidate.key)
            };
            let found: Vec<&Ranked> = near.iter().copied().filter(|r| !on_it(r)).collect();
            if found.len() >= places {
                break found;
            }
            places = found.len();
        };
        if places == 0 {
            return Ok(());
        }
        let weights: Vec<f64> = newcomers
            .iter()
            .map(|r| (SHARPNESS * r.score.get()).clamp(-300.0, 300.0).exp())
            .collect();
        let first = ranked.first().map_or(u64::MAX, |r| r.candidate.key);
        let scores = ranked.iter().map(|r| r.score.get());
        let uniform = uniform(request.exploration_seed, first, scores);
        let drawn = draw(&weights, places, uniform);
        rows.truncate(rows.len().min(request.k).saturating_sub(places));
        rows.extend(drawn.into_iter().map(|(i, p)| (newcomers[i], p)));
        Ok(())
    }
}

/// A number of [0, 1) that looks drawn: of equal seeds and equal rankings the same, on every machine.
fn uniform(seed: u64, first: u64, scores: impl Iterator<Item = f64>) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&first.to_le_bytes());
    scores.for_each(|s| {
        hasher.update(&s.to_bits().to_le_bytes());
    });
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The direction of a record's texts: the mean of its pieces' vectors, at length one.
fn profile(pipeline: &TextPipeline, pieces: &[Piece<'_>]) -> Result<Option<Array1<f32>>, Error> {
    let texts: Vec<String> = pieces.iter().map(Piece::text).collect();
    if texts.is_empty() {
        return Ok(None);
    }
    let vectors = pipeline.embed(&texts, Role::Passage)?;
    let rows: Vec<_> = vectors.rows().into_iter().map(|r| (1.0, r)).collect();
    Ok(Some(Array1::from(mix(&rows))))
}

/// The best `wanted` matches, at most so many of one organisation, and how many were passed over for
/// that; of a list that is to be diverse, records of one title and one score stand once, and how often
/// they did not.
fn capped<'a>(
    ranked: &'a [Ranked],
    request: &MatchRequest,
    wanted: usize,
) -> (Vec<&'a Ranked>, usize, usize) {
    if request.per_organisation.is_none() && request.diversity.is_none() {
        return (ranked.iter().take(wanted).collect(), 0, 0);
    }
    let mut seen: HashSet<(u64, &str)> = HashSet::new();
    let mut of: HashMap<String, usize> = HashMap::new();
    let (mut top, mut passed_over, mut folded) = (Vec::new(), 0, 0);
    for r in ranked {
        if top.len() == wanted {
            break;
        }
        let facets = &r.candidate.facets;
        // Who else's it is, and whose title it has, would tell of what it hides.
        if !request.sees_sealed && facets.visibility == Visibility::Sealed {
            top.push(r);
            continue;
        }
        if request.diversity.is_some()
            && !facets.title.is_empty()
            && !seen.insert((r.score.get().to_bits(), &facets.title))
        {
            folded += 1;
            continue;
        }
        if let (Some(most), Some(o)) = (request.per_organisation, &facets.organisation) {
            let n = of.entry(key(&o.name)).or_default();
            if *n == most {
                // Of a longer pool, those that the list would have met count.
                passed_over += usize::from(top.len() < request.k);
                continue;
            }
            *n += 1;
        }
        top.push(r);
    }
    (top, passed_over, folded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_the_same_on_every_machine() {
        // BLAKE3's digest of eight bytes each: seed, key, score, little endian; the number is that of another implementation, so that kept answers can be made
        // again.
        let drawn = uniform(7, 3, [0.5, 0.25].into_iter());
        assert_eq!(drawn, 0.673_831_585_137_375_8);
        assert_ne!(drawn, uniform(8, 3, [0.5, 0.25].into_iter()));
        assert_ne!(drawn, uniform(7, 4, [0.5, 0.25].into_iter()));
        assert_ne!(drawn, uniform(7, 3, [0.25, 0.5].into_iter()));
    }
}
