//! What a team covers: every need by its best member who has room for it.

use crate::problem::{TeamParams, ValidTeam};
use queqiao_solve::{Network, Node, Simplex, Stop};

/// Scores are compared and summed in exact units of a billionth of the largest.
const UNITS: f64 = 1e9;

/// Who covers what.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cover {
    /// Weighted sum of the scores.
    pub(crate) value: f64,
    /// By task: the member.
    pub(crate) by: Vec<Option<usize>>,
}

impl ValidTeam {
    /// The best cover by a team. Exact: where loads bind it is a small least-cost flow.
    pub(crate) fn cover(&self, team: &[usize]) -> Cover {
        let n = self.problem.tasks.len();
        let mut best = vec![0.0_f64; n];
        let mut by = vec![None; n];
        for j in team {
            for (t, w) in &self.worth[*j] {
                if *w > best[*t as usize] {
                    best[*t as usize] = *w;
                    by[*t as usize] = Some(*j);
                }
            }
        }
        let overloaded = team.iter().any(|j| {
            self.problem.candidates[*j]
                .load
                .is_some_and(|l| by.iter().filter(|b| **b == Some(*j)).count() > l as usize)
        });
        if overloaded {
            return self.loaded_cover(team);
        }
        Cover {
            value: best.iter().sum(),
            by,
        }
    }

    fn loaded_cover(&self, team: &[usize]) -> Cover {
        let n = self.problem.tasks.len();
        let home = (n + team.len()) as Node;
        let mut net = Network::new(n + team.len() + 1, 0);
        let largest = team
            .iter()
            .flat_map(|j| self.worth[*j].iter().map(|w| w.1))
            .fold(1e-12, f64::max);
        let mut arcs = Vec::new();
        // Floors come first: a part that reaches its floor is worth more than any exchange of others.
        let floor = |t: usize, w: f64| {
            let task = &self.problem.tasks[t];
            task.floor.is_some_and(|f| w >= f * task.weight - 1e-12)
        };
        let bonus = (2 * n as i64 + 2) * UNITS as i64;
        for t in 0..n {
            net.supply(t as Node, 1);
            net.supply(home, -1);
            net.arc(t as Node, home, 2, 0);
        }
        for (k, j) in team.iter().enumerate() {
            for (t, w) in &self.worth[*j] {
                let extra = if floor(*t as usize, *w) { bonus } else { 0 };
                let cost = -((w / largest * UNITS).round() as i64) - extra;
                arcs.push((net.arc(*t, (n + k) as Node, 1, cost), *t as usize, *j, *w));
            }
            let load = self.problem.candidates[*j].load.unwrap_or(n as u32);
            net.arc((n + k) as Node, home, i64::from(load), 0);
        }
        let mut cover = Cover {
            value: 0.0,
            by: vec![None; n],
        };
        // Costs are at most a billion and nodes few: the network is always valid.
        if let Ok(mut s) = Simplex::new(net, Some(home)) {
            let flow = s.solve(&Stop::never());
            for (a, t, j, w) in arcs {
                if flow.units[a as usize] > 0 {
                    cover.by[t] = Some(j);
                    cover.value += w;
                }
            }
        }
        cover
    }

    /// True when every floor is reached by whoever covers the need, loads included.
    pub(crate) fn reaches_floors(&self, team: &[usize]) -> bool {
        if self.floors.is_empty() {
            return true;
        }
        let loaded = team
            .iter()
            .any(|j| self.problem.candidates[*j].load.is_some());
        if !loaded {
            return self
                .floors
                .iter()
                .all(|(_, who)| who.iter().any(|j| team.contains(j)));
        }
        let by = self.cover(team).by;
        self.floors
            .iter()
            .all(|(t, who)| by[*t].is_some_and(|j| who.contains(&j)))
    }

    /// The objective of a team: what it covers, mixed with what it still covers when the member who
    /// matters most is gone, less what members cost in value.
    pub(crate) fn value(&self, team: &[usize], params: &TeamParams) -> f64 {
        let whole = self.cover(team).value;
        let kept = if params.robust > 0.0 {
            self.worst_drop(team).map_or(0.0, |w| w.1)
        } else {
            0.0
        };
        (1.0 - params.robust) * whole + params.robust * kept - params.per_member * team.len() as f64
    }

    /// The member whose loss costs most, and what is covered then.
    pub(crate) fn worst_drop(&self, team: &[usize]) -> Option<(usize, f64)> {
        team.iter()
            .map(|j| {
                let rest: Vec<usize> = team.iter().copied().filter(|k| k != j).collect();
                (*j, self.cover(&rest).value)
            })
            .min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)))
    }
}
