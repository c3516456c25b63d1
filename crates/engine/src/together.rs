//! The lists of many askers, made together.

use crate::{
    Engine, Error,
    finding::{Asking, Sight, check_deadline, check_k},
    matching::{Ranked, Ranking},
    question::Question,
    request::{Ask, MAX_BATCH, MatchRequest},
    response::MatchResponse,
};
use queqiao_domain::{Field, Filter, Op, RecordId, TenantId, Value};
use queqiao_ranking::{Mutual, Weights, together};
use queqiao_retrieval::{Mode, SearchResult};
use queqiao_store::RecordKey;
use rayon::prelude::*;
use std::collections::HashMap;

/// Places in all lists together.
pub const MAX_PLACES: usize = 2_000;
/// Candidates of all lists together: each is asked whom it wants.
const MAX_CANDIDATES: usize = 4_000;
/// Candidates of one list.
const MOST: usize = 100;

/// An asker's side, ready.
struct Side {
    question: Question,
    weights: Weights,
    ranked: Vec<Ranked>,
    found: SearchResult,
}

impl Engine {
    /// The lists of many stored records, made together: whom each wants and who wants it count alike, and the
    /// famous few are not on every list. All or none are answered, and kept where that is asked for.
    ///
    /// Each list is made of the askers' best (some 20 to 100, so that 4,000 are looked at in all); each of these
    /// asks back which of the askers it wants, and the lists with the greatest Nash social welfare of both sides
    /// are taken. Their order is not that of the scores.
    ///
    /// # Errors
    /// No requests or too many, more than [`MAX_PLACES`] places in all, an asker that is no stored record or
    /// stands twice, diversity or exploration beside it; and as [`Engine::find_matches`].
    pub fn find_matches_together(
        &self,
        tenant: &TenantId,
        requests: &[MatchRequest],
    ) -> Result<Vec<MatchResponse>, Error> {
        let askers = check(requests)?;
        let sight = self.sight(tenant);
        let depth = (MAX_CANDIDATES / requests.len()).min(MOST);
        let asking = requests
            .par_iter()
            .map(|r| self.asking(tenant, r, &sight, depth))
            .collect::<Result<Vec<_>, Error>>()?;
        let wanted = self.wanted((tenant, &sight), (requests, &askers), &asking)?;
        let rows: Vec<Vec<Mutual>> = asking
            .iter()
            .enumerate()
            .map(|(i, a)| wanted.row(&askers[i], &a.ranked))
            .collect();
        let most: Vec<usize> = requests.iter().map(|r| r.k).collect();
        let lists = together(&rows, wanted.place.len(), &most);
        let answers = asking
            .into_par_iter()
            .zip(lists)
            .zip(requests)
            .zip(rows)
            .map(|(((a, list), request), row)| {
                let back: HashMap<RecordId, f64> = list
                    .iter()
                    .map(|c| (a.ranked[*c].candidate.id.clone(), row[*c].wanted))
                    .collect();
                let ranked = reordered(a.ranked, &list);
                let asking = Asking {
                    tenant,
                    sight: &sight,
                    request,
                    question: &a.question,
                    weights: &a.weights,
                };
                let (mut answer, kept) = self.answer(&asking, &ranked, &a.found)?;
                for m in &mut answer.matches {
                    m.wanted = back.get(&m.id).copied();
                }
                Ok((answer, kept))
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let (answers, kept): (Vec<_>, Vec<_>) = answers.into_iter().unzip();
        let kept: Vec<_> = kept.into_iter().flatten().collect();
        if !kept.is_empty() {
            self.store().keep_answers(tenant, &kept)?;
        }
        Ok(answers)
    }

    fn asking(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        sight: &Sight,
        depth: usize,
    ) -> Result<Side, Error> {
        let question = self.question(tenant, request, &sight.pipeline)?;
        let weights = self.weights(request)?;
        let asking = Asking {
            tenant,
            sight,
            request,
            question: &question,
            weights: &weights,
        };
        let (mut ranked, found) = self.rank(&asking, request.k)?;
        ranked.truncate(depth.max(request.k));
        // Many are asked back before any is told: they are read again then, as they are.
        ranked.iter_mut().for_each(|r| r.read = None);
        Ok(Side {
            question,
            weights,
            ranked,
            found,
        })
    }

    /// What each of the candidates wants of each asker.
    fn wanted(
        &self,
        (tenant, sight): (&TenantId, &Sight),
        (requests, askers): (&[MatchRequest], &[RecordId]),
        asking: &[Side],
    ) -> Result<Wanted, Error> {
        let mut keys: Vec<u64> = asking
            .iter()
            .flat_map(|a| a.ranked.iter().map(|r| r.candidate.key))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        let Some((live, request)) = sight.live.as_ref().zip(requests.first()) else {
            return Ok(Wanted::default());
        };
        let stored: Vec<RecordKey> = keys.iter().map(|k| RecordKey(*k)).collect();
        let stored = self.store().get_many(&stored)?;
        let ids = askers.iter().map(|id| Value::Text(id.as_str().to_owned()));
        let filter = Filter::any_of(Field::Id, Op::Eq, ids);
        let weights = self
            .weights(&MatchRequest {
                weights: Vec::new(),
                ..request.clone()
            })?
            // Whom one wants does not depend on who else asks.
            .without_neighbours();
        let activities = self.activities(tenant, &weights)?;
        let scores = stored
            .par_iter()
            .map(|stored| {
                check_deadline(request, "asking back")?;
                let Some(stored) = stored else {
                    return Ok(HashMap::new());
                };
                let question = Question::from_record(&sight.pipeline, &stored.record)?;
                let ranking = Ranking {
                    question: &question,
                    filter: &filter,
                    admit: &|_, _| true,
                    mode: Mode::Hybrid,
                    wanted: askers.len(),
                    weights: &weights,
                    sees_sealed: request.sees_sealed,
                    today: Some(request.today),
                    activities: activities.as_deref(),
                    every_feature: false,
                };
                let (ranked, _) = ranking.run(&live.index)?;
                let best = ranked.first().map_or(0.0, |r| r.score.get());
                let share = |r: Ranked| match best > 0.0 {
                    true => (r.candidate.id, (r.score.get() / best).clamp(0.0, 1.0)),
                    false => (r.candidate.id, 0.0),
                };
                Ok(ranked.into_iter().map(share).collect())
            })
            .collect::<Result<Vec<_>, Error>>()?;
        let place = keys.into_iter().enumerate().map(|(i, k)| (k, i)).collect();
        Ok(Wanted { place, scores })
    }
}

/// What candidates want.
#[derive(Default)]
struct Wanted {
    /// The place of a record's key.
    place: HashMap<u64, usize>,
    /// By place, then asker.
    scores: Vec<HashMap<RecordId, f64>>,
}

impl Wanted {
    /// The candidates of an asker, as its share of its best and as it is wanted back.
    fn row(&self, asker: &RecordId, ranked: &[Ranked]) -> Vec<Mutual> {
        let best = ranked.first().map_or(0.0, |r| r.score.get());
        let each = ranked.iter().map(|r| {
            let answerer = self.place.get(&r.candidate.key).copied();
            let scores = answerer.and_then(|a| self.scores.get(a));
            Mutual {
                answerer: answerer.unwrap_or(usize::MAX),
                wants: match best > 0.0 {
                    true => (r.score.get() / best).clamp(0.0, 1.0),
                    false => 0.0,
                },
                wanted: scores.and_then(|s| s.get(asker)).copied().unwrap_or(0.0),
            }
        });
        each.collect()
    }
}

/// The listed first, in the order of their places.
fn reordered(ranked: Vec<Ranked>, list: &[usize]) -> Vec<Ranked> {
    let mut rank = vec![usize::MAX; ranked.len()];
    for (place, &c) in list.iter().enumerate() {
        rank[c] = place;
    }
    let mut keyed: Vec<(usize, Ranked)> = rank.into_iter().zip(ranked).collect();
    keyed.sort_by_key(|(place, _)| *place);
    keyed.into_iter().map(|(_, r)| r).collect()
}

/// The askers, where the requests can be answered together.
fn check(requests: &[MatchRequest]) -> Result<Vec<RecordId>, Error> {
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
    let places: usize = requests.iter().map(|r| r.k).sum();
    if places > MAX_PLACES {
        return Err(Error::argument(
            "requests",
            (
                format!("{places} places in all lists"),
                format!("所有名单共 {places} 个名额"),
            ),
            (
                format!(
                    "made together, lists have at most {MAX_PLACES} places in all: ask for a smaller k"
                ),
                format!("一并生成的名单合计至多 {MAX_PLACES} 个名额：请减小 k"),
            ),
        ));
    }
    let mut askers: Vec<RecordId> = Vec::with_capacity(requests.len());
    for (i, r) in requests.iter().enumerate() {
        check_k(r.k)?;
        let wrong = |field: &str, problem: (&str, &str), expected: (&str, &str)| {
            Err(Error::argument(
                format!("requests[{i}].{field}"),
                problem,
                expected,
            ))
        };
        let Ask::Record(id) = &r.ask else {
            return wrong(
                "record",
                (
                    "who asks is no stored record, so nobody can ask back for it",
                    "提问者不是已存的记录，无法反向匹配",
                ),
                (
                    "store it, and ask with its name",
                    "请先存入，再用其名称提问",
                ),
            );
        };
        if askers.contains(id) {
            return wrong(
                "record",
                ("it asks twice", "重复提问"),
                ("each asker once", "每个提问者只能出现一次"),
            );
        }
        if r.diversity.is_some() || r.exploration > 0.0 {
            return wrong(
                "diversity",
                (
                    "lists that are made together have an order of their own",
                    "一并生成的名单自有其次序",
                ),
                (
                    "neither diversity nor exploration",
                    "不可同时要求多样化或探索",
                ),
            );
        }
        askers.push(id.clone());
    }
    Ok(askers)
}
