//! Why this pair met and not that one, and what would have to change.

use super::{Shortlists, flow::Layout, problem::ValidShortlists};
use queqiao_domain::Bilingual;
use queqiao_solve::{Residual, Step};
use serde::Serialize;

/// Why a pair is on the lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Why {
    /// The worth of the pair.
    pub worth: f64,
    /// The place of the expert among all candidates of the need by worth, from 1.
    pub rank: usize,
    /// It was wanted.
    pub wanted: bool,
    /// Worth that the lists would lose if the pair did not meet, with the best that could be done
    /// instead; known where the objective is a flow.
    pub loss: Option<f64>,
    /// In words.
    pub text: Bilingual,
}

/// One exchange of a chain: a meeting that would come or go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exchange {
    /// The need.
    pub need: String,
    /// The expert.
    pub expert: String,
    /// True when they would meet, false when they would no longer.
    pub meets: bool,
}

/// Why a pair is not on the lists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WhyNot {
    /// A stable name of the reason: `met`, `barred`, `no_candidate`, `no_room`, `better_elsewhere`.
    pub reason: &'static str,
    /// Worth that the lists would lose if they met; none where it is impossible or not known.
    pub cost: Option<f64>,
    /// The meetings that would come and go, the asked pair first.
    pub exchanges: Vec<Exchange>,
    /// In words.
    pub text: Bilingual,
}

impl ValidShortlists {
    fn place(&self, need: usize, expert: usize) -> Option<usize> {
        self.problem
            .pairs
            .iter()
            .position(|q| q.need == need && q.expert == expert)
    }

    /// Why a need and an expert are on each other's lists; `None` when they are not.
    pub fn why(&self, lists: &Shortlists, need: usize, expert: usize) -> Option<Why> {
        let p = &self.problem;
        let c = self.place(need, expert)?;
        lists.chosen.binary_search(&c).ok()?;
        let pair = &p.pairs[c];
        let rank = 1 + p
            .pairs
            .iter()
            .filter(|q| q.need == need && q.worth > pair.worth)
            .count();
        let loss = lists.flow.as_ref().and_then(|(simplex, layout)| {
            let arc = layout.arc[c]?;
            let residual = Residual::new(simplex);
            // Take the unit from the need to the expert by another way.
            let (_, steps) = residual.cheapest(
                layout.needs + need as u32,
                layout.experts + expert as u32,
                |a| a == arc,
            )?;
            Some(pair.worth - self.gain(layout, &steps))
        });
        let (n, e) = (&p.needs[need].id, &p.experts[expert].id);
        let held = self.held[c];
        let worth = pair.worth;
        let text = Bilingual::new(
            format!(
                "{n} meets {e}: worth {worth:.3}, its candidate no. {rank}{}{}",
                if held {
                    ", and they were wanted together"
                } else {
                    ""
                },
                loss.map_or(String::new(), |l| format!(
                    "; without this meeting the plan would be worth {l:.3} less"
                ))
            ),
            format!(
                "{n} 会见 {e}：匹配值 {worth:.3}，在其候选中排第 {rank}{}{}",
                if held { "，且为指定会面" } else { "" },
                loss.map_or(String::new(), |l| format!("；若取消，方案总值减少 {l:.3}"))
            ),
        );
        Some(Why {
            worth,
            rank,
            wanted: held,
            loss,
            text,
        })
    }

    /// Why a need and an expert are not on each other's lists, and what would have to change.
    pub fn why_not(&self, lists: &Shortlists, need: usize, expert: usize) -> WhyNot {
        let p = &self.problem;
        let (n, e) = (&p.needs[need].id, &p.experts[expert].id);
        let plain = |reason, en: String, zh: String| WhyNot {
            reason,
            cost: None,
            exchanges: Vec::new(),
            text: Bilingual::new(en, zh),
        };
        if p.barred.contains(&(need, expert)) {
            return plain(
                "barred",
                format!("{n} and {e} must not meet; they would if the bar were lifted"),
                format!("{n} 与 {e} 须回避；解除回避后方可会面"),
            );
        }
        let Some(c) = self.place(need, expert) else {
            return plain(
                "no_candidate",
                format!("{e} is no candidate for {n}: no score was given for them"),
                format!("{e} 不在 {n} 的候选之列：没有两者的匹配值"),
            );
        };
        if lists.chosen.binary_search(&c).is_ok() {
            return plain(
                "met",
                format!("{n} and {e} do meet"),
                format!("{n} 与 {e} 已安排会面"),
            );
        }
        if let Some((simplex, layout)) = &lists.flow
            && let Some(arc) = layout.arc[c]
        {
            let residual = Residual::new(simplex);
            let way = residual.cheapest(
                layout.experts + expert as u32,
                layout.needs + need as u32,
                |a| a == arc,
            );
            return match way {
                None => plain(
                    "no_room",
                    format!("no exchange of meetings makes room for {n} and {e}"),
                    format!("无论如何调换，都无法为 {n} 与 {e} 腾出名额"),
                ),
                Some((_, steps)) => {
                    let cost = -(self.gain(layout, &steps) + p.pairs[c].worth);
                    let mut exchanges = vec![self.exchange(c, true)];
                    for (place, a) in layout.arc.iter().enumerate() {
                        if let Some(s) = steps.iter().find(|s| Some(s.arc) == *a) {
                            exchanges.push(self.exchange(place, s.more));
                        }
                    }
                    let gives: Vec<String> = exchanges
                        .iter()
                        .filter(|x| !x.meets)
                        .map(|x| format!("{} – {}", x.need, x.expert))
                        .collect();
                    let given = if gives.is_empty() {
                        "-".to_owned()
                    } else {
                        gives.join(", ")
                    };
                    WhyNot {
                        reason: "better_elsewhere",
                        cost: Some(cost),
                        text: Bilingual::new(
                            format!(
                                "for {n} and {e} to meet, {given} would have to give way, which costs {cost:.3}"
                            ),
                            format!("若 {n} 与 {e} 会面，则须放弃 {given}，方案总值减少 {cost:.3}"),
                        ),
                        exchanges,
                    }
                }
            };
        }
        let loads = self.loads(&lists.chosen);
        let mine = lists
            .chosen
            .iter()
            .filter(|q| p.pairs[**q].need == need)
            .count();
        let full = |b: bool, en: &str, zh: &str| {
            if b {
                (en.to_owned(), zh.to_owned())
            } else {
                Default::default()
            }
        };
        let (a, az) = full(
            mine >= p.needs[need].most as usize,
            "its list is full",
            "名单已满",
        );
        let (b, bz) = full(
            loads[expert] >= p.experts[expert].most,
            "the expert has no place left",
            "专家名额已满",
        );
        let sep = |x: &str, y: &str, s: &str| {
            [x, y]
                .iter()
                .filter(|t| !t.is_empty())
                .copied()
                .collect::<Vec<_>>()
                .join(s)
        };
        plain(
            "better_elsewhere",
            format!(
                "{n} and {e} have better meetings in this plan ({})",
                sep(&a, &b, ", ")
            ),
            format!(
                "在本方案中 {n} 与 {e} 各有更合适的会面（{}）",
                sep(&az, &bz, "，")
            ),
        )
    }

    /// What a chain of exchanges adds to the worth of the lists.
    fn gain(&self, layout: &Layout, steps: &[Step]) -> f64 {
        let mut gain = 0.0;
        for (c, a) in layout.arc.iter().enumerate() {
            if let Some(s) = steps.iter().find(|s| Some(s.arc) == *a) {
                let worth = self.problem.pairs[c].worth;
                gain += if s.more { worth } else { -worth };
            }
        }
        gain
    }

    fn exchange(&self, c: usize, meets: bool) -> Exchange {
        let pair = &self.problem.pairs[c];
        Exchange {
            need: self.problem.needs[pair.need].id.clone(),
            expert: self.problem.experts[pair.expert].id.clone(),
            meets,
        }
    }
}
