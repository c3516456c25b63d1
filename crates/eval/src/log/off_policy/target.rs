//! One run and what the log's lists say of it.

use super::{Assumption, Estimate, Figures, OffPolicySettings, Seen, Settled};
use crate::{lang::Text, log::read::ShownList, run::Run, stats::paired_t};
use std::collections::HashMap;

/// One list's part in a run's figures.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// Σ looks × weight: the looks that speak for the run.
    weight: f64,
    /// Σ looks × weight².
    squares: f64,
    /// Σ weight × outcome.
    weighed: f64,
    /// Σ weight × (outcome − predicted) + Σ what is predicted of the run's own list.
    robust: f64,
    /// The looks that the run's own list would get: what Σ looks × weight is on average.
    expected: f64,
    /// What came of the list.
    earned: f64,
}

#[derive(Debug)]
pub(super) struct Target<'a> {
    run: &'a Run,
    rows: Vec<Row>,
    largest_weight: f64,
    clipped: u64,
    unanswered: u64,
}

impl<'a> Target<'a> {
    pub(super) fn new(run: &'a Run) -> Self {
        Target {
            run,
            rows: Vec::new(),
            largest_weight: 0.0,
            clipped: 0,
            unanswered: 0,
        }
    }

    /// What came of each list that was taken.
    pub(super) fn earned(&self) -> impl Iterator<Item = f64> {
        self.rows.iter().map(|r| r.earned)
    }

    pub(super) fn take(
        &mut self,
        list: &ShownList,
        chances: &[f64],
        depth: usize,
        predicted: Option<Option<&HashMap<&str, f64>>>,
        s: &OffPolicySettings,
    ) {
        let answers = self.run.list(&list.query);
        self.unanswered += u64::from(answers.is_none());
        let ranks: HashMap<&str, usize> = answers
            .into_iter()
            .flat_map(|a| a.iter().map(|d| d.0).take(depth).zip(1..))
            .collect();
        let prediction = |document: &str| {
            let known = predicted.flatten().and_then(|p| p.get(document));
            known.copied().unwrap_or(0.0)
        };
        let mut row = Row {
            weight: 0.0,
            squares: 0.0,
            weighed: 0.0,
            robust: 0.0,
            expected: (1..=ranks.len()).map(|r| shows(s, r)).sum(),
            earned: list.items.iter().map(|i| i.outcome).sum(),
        };
        if predicted.is_some() {
            let own = answers.into_iter().flat_map(|a| a.iter().take(depth));
            row.robust = own
                .zip(1..)
                .map(|((d, _), r)| s.examination.at(r) * prediction(d))
                .sum();
        }
        for ((item, rank), chance) in list.items.iter().zip(1..).zip(chances) {
            let Some(there) = ranks.get(item.document.as_str()) else {
                continue;
            };
            let moved = s.assume == Assumption::Placement && *there != rank;
            if *chance == 0.0 || moved {
                continue;
            }
            let full = shows(s, *there) / chance;
            let weight = s.clip.map_or(full, |most| full.min(most));
            self.largest_weight = self.largest_weight.max(full);
            self.clipped += u64::from(weight < full);
            let looks = shows(s, rank);
            row.weight += looks * weight;
            row.squares += looks * weight * weight;
            row.weighed += weight * item.outcome;
            let expected = s.examination.at(rank) * prediction(&item.document);
            row.robust += weight * (item.outcome - expected);
        }
        self.rows.push(row);
    }

    pub(super) fn estimate(
        mut self,
        queries: &[(&String, &Seen)],
        s: &OffPolicySettings,
        has_predictions: bool,
    ) -> Estimate {
        let key = |r: &Row| {
            let Row {
                weight,
                squares,
                weighed,
                robust,
                expected,
                earned,
            } = *r;
            [weighed, weight, squares, robust, expected, earned]
        };
        self.rows.sort_unstable_by(|a, b| {
            let pairs = key(a).into_iter().zip(key(b));
            pairs.fold(std::cmp::Ordering::Equal, |o, (a, b)| {
                o.then_with(|| a.total_cmp(&b))
            })
        });
        let sum = |of: fn(&Row) -> f64| self.rows.iter().fold(0.0, |a, r| a + of(r));
        let (weight, squares) = (sum(|r| r.weight), sum(|r| r.squares));
        let looks_of_own = sum(|r| r.expected) / self.rows.len() as f64;
        let ess = if squares > 0.0 {
            weight * weight / squares / looks_of_own
        } else {
            0.0
        };
        let support = self.support(queries, s);
        let figures = match refusal(ess, support, self.rows.len(), s) {
            Some(why) => Err(why),
            None => Ok(self.figures(s.alpha, has_predictions)),
        };
        Estimate {
            run: self.run.name().to_owned(),
            ess,
            support,
            largest_weight: self.largest_weight,
            clipped: self.clipped,
            unanswered: self.unanswered,
            figures,
        }
    }

    fn support(&self, queries: &[(&String, &Seen)], s: &OffPolicySettings) -> f64 {
        let (mut all, mut supported) = (0.0, 0.0);
        for (query, seen) in queries {
            let Some(answers) = self.run.list(query) else {
                continue;
            };
            let mut depths: Vec<(&usize, &u64)> = seen.depths.iter().collect();
            depths.sort_unstable();
            for (depth, lists) in depths {
                for ((document, _), rank) in answers.iter().take(*depth).zip(1..) {
                    let at = if s.assume == Assumption::Placement {
                        rank
                    } else {
                        0
                    };
                    let much = shows(s, rank) * *lists as f64;
                    all += much;
                    if seen.shown.contains(&(document.to_owned(), at)) {
                        supported += much;
                    }
                }
            }
        }
        if all > 0.0 { supported / all } else { 0.0 }
    }

    /// Every estimate is a mean over lists, or close to one: a ratio of means is, to first order, the
    /// mean of the values below (the delta method), which also gives its spread.
    fn figures(&self, alpha: f64, has_predictions: bool) -> Figures {
        let n = self.rows.len() as f64;
        let mean = |of: fn(&Row) -> f64| self.rows.iter().fold(0.0, |a, r| a + of(r)) / n;
        let (weight, expected) = (mean(|r| r.weight), mean(|r| r.expected));
        let ratio = mean(|r| r.weighed) / weight;
        let normalised =
            |r: &Row| ratio * r.expected + expected / weight * (r.weighed - ratio * r.weight);
        let over = |of: &dyn Fn(&Row) -> f64| {
            let values: Vec<f64> = self.rows.iter().map(of).collect();
            settled(&values, alpha)
        };
        let snips = over(&normalised);
        let doubly_robust = has_predictions.then(|| over(&|r| r.robust));
        Figures {
            ips: over(&|r| r.weighed),
            snips,
            doubly_robust,
            gain: match has_predictions {
                true => over(&|r| r.robust - r.earned),
                false => over(&|r| normalised(r) - r.earned),
            },
        }
    }
}

/// How much a run shows a document at a rank.
fn shows(s: &OffPolicySettings, rank: usize) -> f64 {
    match s.assume {
        Assumption::Placement => 1.0,
        Assumption::Examination => s.examination.at(rank),
    }
}

pub(super) fn settled(values: &[f64], alpha: f64) -> Settled {
    let t = paired_t(values, alpha);
    Settled {
        value: t.mean,
        interval: t.interval,
    }
}

fn refusal(ess: f64, support: f64, lists: usize, s: &OffPolicySettings) -> Option<Text> {
    let most = s.min_ess;
    if ess < most {
        return Some(Text::new(
            format!(
                "{ess:.1} effective lists of {lists}, fewer than {most}: the log shows too little of what the run would show"
            ),
            format!("{lists} 个名单只相当于 {ess:.1} 个，少于 {most}：日志与该 run 重合太少"),
        ));
    }
    let least = s.min_support;
    (support < least).then(|| {
        Text::new(
            format!(
                "the log never shows {:.0} % of what the run would show, more than {:.0} %",
                (1.0 - support) * 100.0,
                (1.0 - least) * 100.0
            ),
            format!(
                "该 run 会展示的内容有 {:.0} % 在日志中从未出现，超过 {:.0} %",
                (1.0 - support) * 100.0,
                (1.0 - least) * 100.0
            ),
        )
    })
}
