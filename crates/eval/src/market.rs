//! Lists on both sides of a market: who envies whom, which pairs would rather have each other, how
//! many matches to expect.
//!
//! Owners are those who get lists, candidates those who stand in them. An owner wants a candidate,
//! and the candidate the owner, with chances that are given for both ways; what is not given is 0. A
//! pair matches where each looks at the other and wants it.

use crate::{
    error::{Cause, Error},
    examination::Examination,
    lang::Text,
    run::Run,
};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};

/// What is known.
#[derive(Debug, Clone, Copy)]
pub struct Market<'a> {
    /// Owners' lists.
    pub lists: &'a Run,
    /// Candidates' lists of owners; none where a candidate sees every owner whose list it stands in.
    pub back: Option<&'a Run>,
    /// How much owners want candidates: by owner, then candidate. Negative values count as 0.
    pub wants: &'a Run,
    /// How much candidates want owners: by candidate, then owner. None: a candidate agrees to any
    /// owner, and prefers those that want it more.
    pub wants_back: Option<&'a Run>,
    /// Places of a list that count, on both sides; all by default.
    pub depth: Option<usize>,
    /// Chances of being looked at, by rank, on both sides.
    pub examination: &'a Examination,
    /// Lists that a candidate may stand in; any number by default.
    pub capacity: Option<usize>,
}

/// Who would rather be in another's place.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Envy {
    /// Those who could envy.
    pub agents: usize,
    /// Those who envy at least one other.
    pub envious: usize,
    /// How many each of them envies, on average over all.
    pub envied: f64,
    /// How much the place of another would be worth more, at most, in expected matches.
    pub largest: f64,
}

/// What the lists amount to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TwoSided {
    /// What owners want of what they got, summed over lists.
    pub value: f64,
    /// Pairs that are expected to match, Σ wants · wants back · looks · looks back (Tomita, Togashi,
    /// Hashizume and Ohsaka, RecSys 2023); none where some want is no chance.
    pub expected_matches: Option<f64>,
    /// Envy among candidates: with the places that another has in owners' lists, would one match more
    /// (Saito and Joachims, KDD 2022)?
    pub envy_of_candidates: Envy,
    /// Envy among owners: with the places that another has in candidates' lists, where these have
    /// lists; else, with the list that another got.
    pub envy_of_owners: Envy,
    /// Blocking pairs (Gale and Shapley 1962): not in each other's list, while the owner wants the
    /// candidate more than one it got, or has room, and the candidate the owner likewise.
    pub blocking_pairs: usize,
    /// Owners in at least one of them.
    pub blocked_owners: usize,
}

/// Differences of values that rounding makes.
const ROUNDING: f64 = 1e-9;

/// Agent to agent, with a value; rows in the order of the agents, each row in order of agent.
type Sparse = Vec<Vec<(u32, f64)>>;

/// Both sides as numbers.
struct Sides {
    owners: usize,
    candidates: usize,
    /// Owner to candidate.
    wants: Sparse,
    /// Candidate to owner.
    wants_back: Sparse,
    /// Owner to candidate: the chance of being looked at.
    lists: Sparse,
    /// Candidate to owner; none where there are no such lists.
    back: Option<Sparse>,
}

impl Market<'_> {
    /// Measures.
    ///
    /// # Errors
    /// The lists name nobody of whom it is known what they want.
    pub fn measure(&self) -> Result<TwoSided, Error> {
        let sides = self.sides()?;
        let wants = Lookup::of(&sides.wants);
        let wants_back = Lookup::of(&sides.wants_back);
        // Chance that both agree, by owner.
        let agree: Sparse = rows(&sides.wants, |i, j, p| p * wants_back.get(j, i));
        let looks = Lookup::of(&sides.lists);
        let value = total(&rows(&sides.lists, |i, j, _| wants.get(i, j)));
        let chances = |s: &Sparse| s.iter().flatten().all(|(_, p)| *p <= 1.0);
        let is_chance = chances(&sides.wants) && chances(&sides.wants_back);
        let (met, of_candidates, of_owners) = match &sides.back {
            Some(back) => {
                let looks_back = Lookup::of(back);
                let met = rows(&agree, |i, j, s| s * looks.get(i, j) * looks_back.get(j, i));
                let shown = rows(&agree, |i, j, s| s * looks_back.get(j, i));
                let seen = rows(&agree, |i, j, s| s * looks.get(i, j));
                (
                    met,
                    envy(&transposed(&shown, sides.candidates), &sides.lists),
                    envy(&seen, back),
                )
            }
            None => (
                rows(&agree, |i, j, s| s * looks.get(i, j)),
                envy(&transposed(&agree, sides.candidates), &sides.lists),
                envy(&agree, &transposed(&sides.lists, sides.candidates)),
            ),
        };
        let blocking = self.blocking(&sides, &wants, &wants_back);
        Ok(TwoSided {
            value,
            expected_matches: is_chance.then(|| total(&met)),
            envy_of_candidates: of_candidates,
            envy_of_owners: of_owners,
            blocking_pairs: blocking.iter().sum(),
            blocked_owners: blocking.iter().filter(|n| **n > 0).count(),
        })
    }

    fn sides(&self) -> Result<Sides, Error> {
        let queries = |r: &'_ Run| -> Vec<String> {
            r.lists().iter().map(|l| l.query().to_owned()).collect()
        };
        let documents = |r: &'_ Run| -> Vec<String> {
            let all = r.lists().iter().flat_map(|l| l.iter());
            all.map(|(d, _)| d.to_owned()).collect()
        };
        let by_owner = [Some(self.lists), Some(self.wants)];
        let by_candidate = [self.back, self.wants_back];
        let of = |a: [Option<&Run>; 2], b: [Option<&Run>; 2]| {
            let ids: BTreeSet<String> = (a.into_iter().flatten().flat_map(queries))
                .chain(b.into_iter().flatten().flat_map(documents))
                .collect();
            Numbers(ids.into_iter().zip(0..).collect())
        };
        let owners = of(by_owner, by_candidate);
        let candidates = of(by_candidate, by_owner);
        let worth = |_: usize, v: f64| Some(v).filter(|v| *v > 0.0);
        let looked = |rank: usize, _: f64| Some(self.examination.at(rank));
        let wants = matrix(self.wants, &owners, &candidates, usize::MAX, worth);
        let lists = matrix(
            self.lists,
            &owners,
            &candidates,
            self.depth.unwrap_or(usize::MAX),
            looked,
        );
        let known = (lists.iter().zip(&wants)).any(|(l, w)| !l.is_empty() && !w.is_empty());
        if !known {
            return Err(Error::new(
                Cause::Queries,
                Text::new(
                    "of nobody who got a list is it known whom they want",
                    "得到名单者的意愿都未给出",
                ),
                Text::new(
                    "check that lists and wants use the same ids",
                    "请确认名单与意愿使用相同的编号",
                ),
            ));
        }
        let wants_back = match self.wants_back {
            Some(run) => matrix(run, &candidates, &owners, usize::MAX, worth),
            // Agreed to by all.
            None => rows(&transposed(&wants, candidates.0.len()), |_, _, _| 1.0),
        };
        let back = self.back.map(|run| {
            let depth = self.depth.unwrap_or(usize::MAX);
            matrix(run, &candidates, &owners, depth, looked)
        });
        Ok(Sides {
            owners: owners.0.len(),
            candidates: candidates.0.len(),
            wants,
            wants_back,
            lists,
            back,
        })
    }

    /// Blocking pairs, by owner.
    fn blocking(&self, s: &Sides, wants: &Lookup<'_>, wants_back: &Lookup<'_>) -> Vec<usize> {
        // Where nobody asked the candidates, they prefer those that want them.
        let likes_back = |j: u32, i: u32| match self.wants_back {
            Some(_) => wants_back.get(j, i),
            None => wants.get(i, j),
        };
        let standing = transposed(&s.lists, s.candidates);
        let held = s.back.as_ref().unwrap_or(&standing);
        let lists = Lookup::of(&s.lists);
        let back = s.back.as_ref().map(Lookup::of);
        // The least wanted of those held; anyone is better than an empty place.
        let least = |row: &[(u32, f64)], room: bool, want: &dyn Fn(u32) -> f64| match room {
            true => 0.0,
            false => row
                .iter()
                .map(|(x, _)| want(*x))
                .fold(f64::INFINITY, f64::min),
        };
        let room = |row: &[(u32, f64)]| self.depth.is_some_and(|k| row.len() < k);
        let lowest: Vec<f64> = held
            .iter()
            .zip(0..)
            .map(|(row, j)| {
                let open = match s.back {
                    Some(_) => room(row),
                    None => self.capacity.is_none_or(|c| row.len() < c),
                };
                least(row, open, &|i| likes_back(j, i))
            })
            .collect();
        (0..s.owners)
            .map(|i| {
                let (Some(list), Some(wanted)) = (s.lists.get(i), s.wants.get(i)) else {
                    return 0;
                };
                let i = i as u32;
                let mine = least(list, room(list), &|j| wants.get(i, j));
                let blocks = |&&(j, p): &&(u32, f64)| {
                    let (likes, bound) = (likes_back(j, i), lowest.get(j as usize));
                    let together = lists.has(i, j) && back.as_ref().is_none_or(|b| b.has(j, i));
                    p > mine && !together && bound.is_some_and(|b| likes > *b)
                };
                wanted.iter().filter(blocks).count()
            })
            .collect()
    }
}

/// Ids in their order.
struct Numbers(HashMap<String, u32>);

/// A run as numbers; `value` is told the rank and the score.
fn matrix(
    run: &Run,
    by: &Numbers,
    of: &Numbers,
    depth: usize,
    value: impl Fn(usize, f64) -> Option<f64>,
) -> Sparse {
    let mut out = vec![Vec::new(); by.0.len()];
    for list in run.lists() {
        let row = by.0.get(list.query()).map(|i| *i as usize);
        let Some(row) = row.and_then(|i| out.get_mut(i)) else {
            continue;
        };
        let of_list = list.iter().take(depth).zip(1..);
        row.extend(of_list.filter_map(|((document, score), rank)| {
            let there = of.0.get(document).copied()?;
            value(rank, score).map(|v| (there, v))
        }));
        row.sort_unstable_by_key(|(there, _)| *there);
    }
    out
}

fn rows(s: &Sparse, value: impl Fn(u32, u32, f64) -> f64) -> Sparse {
    let row = |(i, row): (u32, &Vec<(u32, f64)>)| {
        row.iter().map(|(j, v)| (*j, value(i, *j, *v))).collect()
    };
    (0..).zip(s).map(row).collect()
}

fn transposed(s: &Sparse, n: usize) -> Sparse {
    let mut out = vec![Vec::new(); n];
    for (row, i) in s.iter().zip(0..) {
        for (j, v) in row {
            if let Some(slot) = out.get_mut(*j as usize) {
                slot.push((i, *v));
            }
        }
    }
    out
}

fn total(s: &Sparse) -> f64 {
    s.iter().flatten().fold(0.0, |a, (_, v)| a + v)
}

/// A value by its two agents.
struct Lookup<'a>(&'a Sparse);

impl<'a> Lookup<'a> {
    fn of(s: &'a Sparse) -> Self {
        Lookup(s)
    }

    fn find(&self, i: u32, j: u32) -> Option<f64> {
        let row = self.0.get(i as usize)?;
        let at = row.binary_search_by_key(&j, |(there, _)| *there).ok()?;
        row.get(at).map(|(_, v)| *v)
    }

    fn get(&self, i: u32, j: u32) -> f64 {
        self.find(i, j).unwrap_or(0.0)
    }

    fn has(&self, i: u32, j: u32) -> bool {
        self.find(i, j).is_some()
    }
}

/// Envy among agents. `worth` holds for each what a look from each of the other side is worth;
/// `places` for each of the other side the agents it looks at, with the chance.
fn envy(worth: &Sparse, places: &Sparse) -> Envy {
    let each: Vec<(usize, f64)> = worth
        .par_iter()
        .enumerate()
        .map_init(
            || vec![0.0_f64; worth.len()],
            |there, (me, row)| {
                there.fill(0.0);
                for (other, v) in row {
                    for (agent, chance) in places.get(*other as usize).into_iter().flatten() {
                        if let Some(slot) = there.get_mut(*agent as usize) {
                            *slot += v * chance;
                        }
                    }
                }
                let own = there.get(me).copied().unwrap_or_default();
                let more = there.iter().map(|x| x - own);
                more.filter(|d| *d > ROUNDING)
                    .fold((0, 0.0), |(n, most): (usize, f64), d| (n + 1, most.max(d)))
            },
        )
        .collect();
    let envied: usize = each.iter().map(|e| e.0).sum();
    Envy {
        agents: each.len(),
        envious: each.iter().filter(|e| e.0 > 0).count(),
        envied: envied as f64 / each.len().max(1) as f64,
        largest: each.iter().fold(0.0, |a, e| a.max(e.1)),
    }
}
