//! Shortlists as a least-cost flow.
//!
//! ```text
//! group of needs ─► need ─► expert ─► group of experts ─► home ─► …
//! ```
//!
//! Every need sends as many units as it has places; a place that stays empty goes home directly. The
//! levels of the objective (minima, filled places, worth) are one cost: any simple cycle of the
//! residual network passes home once, so a level's bonus need only exceed what the pairs of one
//! cycle can be worth, `2·min(needs, experts) + 2` times the largest, and not the total. Costs stay
//! small enough for exact integers.

use super::{
    Objective,
    problem::{Room, ValidShortlists},
};
use queqiao_solve::{Arc, Flow, FlowError, Network, Node, Simplex, Stop};

/// Which levels count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Goal {
    /// Filled places come before worth.
    pub(crate) fill: bool,
    /// What an expert's next appearance costs more, in worth.
    pub(crate) exposure: f64,
}

impl Goal {
    pub(crate) fn of(objective: Objective) -> Self {
        match objective {
            Objective::Total | Objective::Stable => Goal {
                fill: false,
                exposure: 0.0,
            },
            Objective::CoverFirst | Objective::MaxMin | Objective::Nash => Goal {
                fill: true,
                exposure: 0.0,
            },
            Objective::ExposureFair { cost } => Goal {
                fill: true,
                exposure: if cost.is_finite() { cost.max(0.0) } else { 0.0 },
            },
        }
    }
}

/// Where things stand in the network.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    /// By pair; none for those that are held or barred.
    pub(crate) arc: Vec<Option<Arc>>,
    /// Cost per worth.
    pub(crate) scale: f64,
    pub(crate) needs: Node,
    pub(crate) experts: Node,
    pub(crate) home: Node,
    /// Arcs that would cost something else if only the total counted, and what.
    plain: Vec<(Arc, i64)>,
    /// Largest cost of an arc of a pair that [`Simplex::set_cost`] may set.
    pub(crate) largest: i64,
}

/// A solved network.
pub(crate) struct Solved {
    pub(crate) simplex: Simplex,
    pub(crate) layout: Layout,
    pub(crate) flow: Flow,
}

impl Solved {
    /// Pairs that the flow chose, with those that are held.
    pub(crate) fn chosen(&self, v: &ValidShortlists) -> Vec<usize> {
        self.layout.chosen(v, &self.flow.units)
    }

    /// Total worth of what was chosen.
    pub(crate) fn worth(&self, v: &ValidShortlists) -> f64 {
        let pairs = &v.problem.pairs;
        self.chosen(v).iter().map(|c| pairs[*c].worth).sum()
    }

    /// What a stopped flow may still lack, in worth; 0 when it is optimal.
    pub(crate) fn missing(&self) -> f64 {
        (self.flow.cost - self.flow.bound) as f64 / self.layout.scale
    }

    /// The greatest total worth of any lists that keep as many minima, from where the flow stands.
    pub(crate) fn total_bound(&self, v: &ValidShortlists, stop: &Stop) -> f64 {
        let mut simplex = self.simplex.clone();
        for (a, cost) in &self.layout.plain {
            simplex.set_cost(*a, *cost);
        }
        let flow = simplex.solve(stop);
        let total: f64 = self
            .layout
            .chosen(v, &flow.units)
            .iter()
            .map(|c| v.problem.pairs[*c].worth)
            .sum();
        total + (flow.cost - flow.bound) as f64 / self.layout.scale
    }
}

impl Layout {
    pub(crate) fn chosen(&self, v: &ValidShortlists, units: &[i64]) -> Vec<usize> {
        (0..v.problem.pairs.len())
            .filter(|c| v.held[*c] || self.arc[*c].is_some_and(|a| units[a as usize] > 0))
            .collect()
    }

    /// The cost of a pair's arc for a worth.
    pub(crate) fn cost(&self, worth: f64) -> i64 {
        -((worth * self.scale).round() as i64)
    }
}

/// Decimal scale: costs up to a billion per pair, less where there are so many parties that sums
/// could overflow.
fn scale(v: &ValidShortlists, goal: Goal, nodes: usize) -> f64 {
    let short_side = v.problem.needs.len().min(v.problem.experts.len()) as f64;
    let mut scale = 10_f64.powi(9 - v.largest.log10().ceil() as i32);
    // The largest bonus is at most nine times the worth of a cycle; see `solve`.
    let room = (i64::MAX / 64) as f64 / (nodes as f64 + 2.0);
    let cycle = (2.0 * short_side + 4.0) * (v.largest + goal.exposure * exposure_steps(v));
    while 10.0 * cycle * scale > room {
        scale /= 10.0;
    }
    scale
}

fn exposure_steps(v: &ValidShortlists) -> f64 {
    let needs = v.problem.needs.len() as u32;
    let most = v.problem.experts.iter().map(|e| e.most.min(needs)).max();
    f64::from(most.unwrap_or(0))
}

/// Builds and solves the network. Zero flow is feasible from the start, so a stop always leaves
/// shortlists.
pub(crate) fn solve(v: &ValidShortlists, goal: Goal, stop: &Stop) -> Result<Solved, FlowError> {
    let (network, layout) = build(v, goal);
    let mut simplex = Simplex::new(network, Some(layout.home))?;
    let flow = simplex.solve(stop);
    Ok(Solved {
        simplex,
        layout,
        flow,
    })
}

fn build(v: &ValidShortlists, goal: Goal) -> (Network, Layout) {
    let p = &v.problem;
    let (n, m) = (p.needs.len(), p.experts.len());
    let (gn, gm) = (p.need_groups.len(), p.expert_groups.len());
    let nodes = n + m + gn + gm + 1;
    let scale = scale(v, goal, nodes);
    let (needs, experts) = (0, n as Node);
    let (need_groups, expert_groups) = ((n + m) as Node, (n + m + gn) as Node);
    let home = (nodes - 1) as Node;
    let unit = ((v.largest + goal.exposure * exposure_steps(v)) * scale).ceil() as i64 + 1;
    let cycle = (2 * n.min(m) as i64 + 4) * unit;
    let fill = if goal.fill { cycle } else { 0 };
    // A cycle may change two filled places on its way and must not pay for one minimum.
    let least = cycle + 2 * fill + 1;
    let open = v.open.iter().filter(|o| **o).count();
    let mut net = Network::new(nodes, open + 2 * (n + m) + gn + gm);
    let mut layout = Layout {
        arc: vec![None; p.pairs.len()],
        scale,
        needs,
        experts,
        home,
        plain: Vec::new(),
        largest: unit.saturating_mul(8),
    };
    for (c, pair) in p.pairs.iter().enumerate() {
        if v.open[c] {
            let (from, to) = (needs + pair.need as Node, experts + pair.expert as Node);
            layout.arc[c] = Some(net.arc(from, to, 1, layout.cost(pair.worth)));
        }
    }
    net.expect_costs(layout.largest);
    let room = v.room();
    let has = has(v);
    need_side(
        (&mut net, &mut layout.plain),
        v,
        &room,
        &has.0,
        [needs, need_groups, home],
        [fill, least],
    );
    expert_side(
        (&mut net, &mut layout.plain),
        v,
        &room,
        &has.1,
        [experts, expert_groups, home],
        least,
        goal.exposure * scale,
    );
    (net, layout)
}

/// Meetings that held pairs give: by need, by expert.
fn has(v: &ValidShortlists) -> (Vec<u32>, Vec<u32>) {
    let p = &v.problem;
    let mut has = (vec![0; p.needs.len()], vec![0; p.experts.len()]);
    for (c, pair) in p.pairs.iter().enumerate() {
        if v.held[c] {
            has.0[pair.need] += 1;
            has.1[pair.expert] += 1;
        }
    }
    has
}

fn need_side(
    (net, plain): (&mut Network, &mut Vec<(Arc, i64)>),
    v: &ValidShortlists,
    room: &Room,
    has: &[u32],
    [needs, groups, home]: [Node; 3],
    [fill, least]: [i64; 2],
) {
    let p = &v.problem;
    let mut asked = vec![0_i64; p.need_groups.len()];
    for (i, party) in p.needs.iter().enumerate() {
        let node = needs + i as Node;
        let places = i64::from(room.needs[i]);
        let must = i64::from(party.least.saturating_sub(has[i])).min(places);
        match party.group {
            None => {
                net.supply(node, places);
                net.supply(home, -places);
                // Empty places beyond the least come first; the arc for the others can take all, so
                // that the first tree can hang on it.
                let least = if must > 0 { least } else { 0 };
                for (room, extra) in [(places - must, 0), (places + 1, least)] {
                    let a = net.arc(node, home, room, fill + extra);
                    if fill > 0 {
                        plain.push((a, extra));
                    }
                }
            }
            Some(g) => {
                asked[g] += places;
                let from = groups + g as Node;
                for (room, extra) in [(must, least), (places - must, 0)] {
                    let a = net.arc(from, node, room, -fill - extra);
                    if fill > 0 {
                        plain.push((a, -extra));
                    }
                }
            }
        }
    }
    for (g, asked) in asked.iter().enumerate() {
        let units = (*asked).min(i64::from(room.need_groups[g]));
        let node = groups + g as Node;
        net.supply(node, units);
        net.supply(home, -units);
        net.arc(node, home, units + 1, 0);
    }
}

fn expert_side(
    (net, plain): (&mut Network, &mut Vec<(Arc, i64)>),
    v: &ValidShortlists,
    room: &Room,
    has: &[u32],
    [experts, groups, home]: [Node; 3],
    least: i64,
    exposure: f64,
) {
    let p = &v.problem;
    let mut degree = vec![0_u32; p.experts.len()];
    for (c, pair) in p.pairs.iter().enumerate() {
        degree[pair.expert] += u32::from(v.open[c]);
    }
    for (j, party) in p.experts.iter().enumerate() {
        let node = experts + j as Node;
        let to = party.group.map_or(home, |g| groups + g as Node);
        let places = i64::from(room.experts[j].min(degree[j]));
        let must = i64::from(party.least.saturating_sub(has[j])).min(places);
        if exposure > 0.0 {
            for a in 0..places {
                let cost = (exposure * (a + i64::from(has[j])) as f64).round() as i64;
                let extra = if a < must { least } else { 0 };
                let arc = net.arc(node, to, 1, cost - extra);
                plain.push((arc, -extra));
            }
        } else {
            if must > 0 {
                net.arc(node, to, must, -least);
            }
            net.arc(node, to, places - must, 0);
        }
    }
    for (g, most) in room.expert_groups.iter().enumerate() {
        net.arc(groups + g as Node, home, i64::from(*most), 0);
    }
}
