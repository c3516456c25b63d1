//! What rankings that were never shown would have earned, from logs of those that were.
//!
//! A run places documents; a log tells what came of documents at the places where they were shown.
//! Each item that was shown is weighed by how much more, or less, the run would have shown it, so
//! that on average the log speaks for the run (Horvitz and Thompson 1952). What is estimated is the
//! outcome of a list: the sum over its items, on average over the lists of the log.

mod figures;
mod target;

pub use figures::{Assumption, Estimate, Estimates, Figures, OffPolicySettings, Settled};

use super::read::{ShownItem, ShownList};
use crate::{
    error::{Cause, Error},
    lang::Text,
    run::Run,
};
use std::collections::{HashMap, HashSet};
use target::{Target, settled};

/// Lists of a query.
#[derive(Debug, Default)]
struct Seen {
    /// Documents, with their rank where places matter, else 0.
    shown: HashSet<(String, usize)>,
    /// How often a run would have filled so many places.
    depths: HashMap<usize, u64>,
}

/// Takes lists one by one; see [`read_log`](super::read_log).
#[derive(Debug)]
pub struct OffPolicy<'a> {
    settings: OffPolicySettings,
    targets: Vec<Target<'a>>,
    predictions: Option<HashMap<&'a str, HashMap<&'a str, f64>>>,
    seen: HashMap<String, Seen>,
}

impl<'a> OffPolicy<'a> {
    /// Begins. `predictions` say for a query and a document what comes of it once it is looked at;
    /// what they leave out is predicted as 0.
    ///
    /// # Errors
    /// Settings that make no sense.
    pub fn new(
        runs: &'a [Run],
        predictions: Option<&'a Run>,
        settings: OffPolicySettings,
    ) -> Result<Self, Error> {
        let s = &settings;
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let fit = s.alpha > 0.0 && s.alpha < 1.0;
        let limits = s.min_ess >= 0.0 && s.min_support >= 0.0;
        if !fit || !limits || !s.clip.is_none_or(positive) || s.depth == Some(0) {
            return Err(Error::new(
                Cause::Option,
                Text::new(
                    "the level lies between 0 and 1, the largest weight and the depth above 0, limits not below",
                    "显著性水平应在 0 与 1 之间，权重上限和深度应大于 0，下限不小于 0",
                ),
                Text::new("see --help", "参见 --help"),
            ));
        }
        let targets = runs.iter().map(Target::new);
        let by_document = |run: &'a Run| {
            let lists = run.lists().iter();
            lists.map(|l| (l.query(), l.iter().collect())).collect()
        };
        Ok(OffPolicy {
            targets: targets.collect(),
            predictions: predictions.map(by_document),
            seen: HashMap::new(),
            settings,
        })
    }

    /// Takes a list that was shown.
    ///
    /// # Errors
    /// An item without a propensity where places matter; something came of a place that
    /// nobody looks at.
    pub fn take(&mut self, list: &ShownList) -> Result<(), Error> {
        let chances = self.chances(list)?;
        let places = self.settings.assume == Assumption::Placement;
        let depth = self.settings.depth.unwrap_or(list.items.len());
        let seen = match self.seen.get_mut(&list.query) {
            Some(s) => s,
            None => self.seen.entry(list.query.clone()).or_default(),
        };
        *seen.depths.entry(depth).or_default() += 1;
        for ((item, rank), chance) in list.items.iter().zip(1..).zip(&chances) {
            if *chance > 0.0 {
                let at = if places { rank } else { 0 };
                seen.shown.insert((item.document.clone(), at));
            }
        }
        let predictions = self.predictions.as_ref();
        let predicted = predictions.map(|p| p.get(list.query.as_str()));
        for target in &mut self.targets {
            target.take(list, &chances, depth, predicted, &self.settings);
        }
        Ok(())
    }

    /// The chance of each item to have earned its outcome where it did: the divisor of its weight;
    /// 0 where nobody looks.
    fn chances(&self, list: &ShownList) -> Result<Vec<f64>, Error> {
        let of = |(i, item): (usize, &ShownItem)| match self.settings.assume {
            Assumption::Placement => item.propensity.ok_or_else(|| no_propensity(i)),
            Assumption::Examination => {
                let e = &self.settings.examination;
                let chance = item.examined.unwrap_or_else(|| e.at(i + 1));
                if chance == 0.0 && item.outcome != 0.0 {
                    return Err(nobody_looks(i));
                }
                Ok(chance)
            }
        };
        list.items.iter().enumerate().map(of).collect()
    }

    /// What the log says, bit for bit the same in any order of its lists.
    pub fn finish(self) -> Estimates {
        let OffPolicy {
            settings,
            targets,
            seen,
            ..
        } = self;
        let has_predictions = self.predictions.is_some();
        let mut logged: Vec<f64> = targets.first().map_or(Vec::new(), |t| t.earned().collect());
        logged.sort_unstable_by(f64::total_cmp);
        let mut queries: Vec<(&String, &Seen)> = seen.iter().collect();
        queries.sort_unstable_by_key(|(q, _)| *q);
        Estimates {
            lists: logged.len() as u64,
            logged: settled(&logged, settings.alpha),
            runs: targets
                .into_iter()
                .map(|t| t.estimate(&queries, &settings, has_predictions))
                .collect(),
        }
    }
}

fn no_propensity(item: usize) -> Error {
    Error::new(
        Cause::Unfit,
        Text::new(
            format!("shown[{item}] has no propensity, which `placement` needs"),
            format!("shown[{item}] 缺少 propensity，而 placement 需要它"),
        ),
        Text::new(
            "log the chance of each document to stand at its rank, or assume `examination`",
            "请记录每个文档出现在该名次的概率，或改用 examination 假设",
        ),
    )
}

fn nobody_looks(item: usize) -> Error {
    let rank = item + 1;
    Error::new(
        Cause::Unfit,
        Text::new(
            format!("something came of shown[{item}], and nobody looks at rank {rank}"),
            format!("shown[{item}] 有结果，但第 {rank} 位无人查看"),
        ),
        Text::new(
            "give chances of being looked at for all ranks that were shown",
            "请给出所有展示名次的查看概率",
        ),
    )
}
