//! Good teams, fast: greedy from every lead, then take out one or two and fill up again.

use crate::problem::{TeamParams, ValidTeam};
use queqiao_solve::{Answer, Programme, Stop};

/// Starts that are worked on with the wider exchange.
const POLISHED: usize = 4;

impl ValidTeam {
    /// The best team found, with its value; none when none was found.
    pub(crate) fn search(&self, params: &TeamParams, stop: &Stop) -> Option<(f64, Vec<usize>)> {
        let p = &self.problem;
        let base: Vec<usize> = (0..p.candidates.len())
            .filter(|j| self.forced[*j])
            .collect();
        if !self.may_grow(&base) {
            return None;
        }
        let has_lead = base.iter().any(|j| p.candidates[*j].lead) || p.least_leads == 0;
        let mut starts: Vec<Vec<usize>> = vec![base.clone()];
        if !has_lead {
            starts = (0..p.candidates.len())
                .filter(|j| p.candidates[*j].lead && self.open[*j])
                .map(|j| base.iter().copied().chain([j]).collect())
                .collect();
        }
        let mut found: Vec<(f64, Vec<usize>)> = Vec::new();
        for start in &starts {
            for per_cost in [false, true] {
                if stop.now() && !found.is_empty() {
                    break;
                }
                let team = self.fill(start, per_cost, params);
                if self.keeps_all(&team) {
                    found.push((self.value(&team, params), team));
                }
            }
        }
        if found.is_empty() {
            found.extend(self.any_team(stop).map(|t| (self.value(&t, params), t)));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        found.dedup_by(|a, b| a.1 == b.1);
        found.truncate(POLISHED);
        let mut best: Option<(f64, Vec<usize>)> = None;
        for (_, team) in found {
            let polished = self.polish(team, params, stop);
            if best.as_ref().is_none_or(|b| polished.0 > b.0 + 1e-12) {
                best = Some(polished);
            }
        }
        best
    }

    /// Adds whoever brings most (per 万元, when `per_cost`) until nobody fits or helps. Seats are
    /// kept for what is still owed: leads, societies, floors, quotas.
    pub(crate) fn fill(&self, start: &[usize], per_cost: bool, params: &TeamParams) -> Vec<usize> {
        let p = &self.problem;
        let mut team = start.to_vec();
        let mut covered = vec![0.0_f64; p.tasks.len()];
        let mut second = covered.clone();
        let take = |covered: &mut Vec<f64>, second: &mut Vec<f64>, j: usize| {
            for (t, w) in &self.worth[j] {
                let (c, s) = (&mut covered[*t as usize], &mut second[*t as usize]);
                if *w > *c {
                    *s = *c;
                    *c = *w;
                } else if *w > *s {
                    *s = *w;
                }
            }
        };
        for j in &team {
            take(&mut covered, &mut second, *j);
        }
        loop {
            let owed = self.owed(&team);
            let left = (p.size as usize).saturating_sub(team.len());
            let mut best: Option<(bool, f64, usize)> = None;
            for j in 0..p.candidates.len() {
                if !self.open[j] || team.contains(&j) {
                    continue;
                }
                let gain: f64 = self.worth[j]
                    .iter()
                    .map(|(t, w)| {
                        let (c, s) = (covered[*t as usize], second[*t as usize]);
                        // What a second best is worth when somebody may drop out.
                        (w - c).max(0.0) + params.robust * (w.min(c) - s).max(0.0)
                    })
                    .sum::<f64>()
                    - params.per_member;
                let key = if per_cost {
                    gain / p.candidates[j].cost.max(1e-6)
                } else {
                    gain
                };
                let pays = owed.iter().any(|who| who.contains(&j));
                if gain <= 1e-12 && !pays {
                    continue;
                }
                // When seats run out, only those who pay what is owed.
                if owed.len() >= left && !owed.is_empty() && !pays {
                    continue;
                }
                let better = best.is_none_or(|(q, k, i)| {
                    let urgent = owed.len() >= left;
                    (urgent && pays && !q)
                        || ((!urgent || pays == q) && (key > k || (key == k && j < i)))
                });
                if better {
                    team.push(j);
                    let fits = self.may_grow(&team);
                    team.pop();
                    if fits {
                        best = Some((pays, key, j));
                    }
                }
            }
            let Some((_, _, j)) = best else { break };
            take(&mut covered, &mut second, j);
            team.push(j);
        }
        team.sort_unstable();
        team
    }

    /// What a team still owes: for each constraint that asks for at least something, who would pay.
    fn owed(&self, team: &[usize]) -> Vec<Vec<usize>> {
        let p = &self.problem;
        let mut owed = Vec::new();
        let on = |j: &usize| team.contains(j);
        let leads: Vec<usize> = (0..p.candidates.len())
            .filter(|j| p.candidates[*j].lead)
            .collect();
        let have = leads.iter().filter(|j| on(j)).count();
        for _ in have..p.least_leads as usize {
            owed.push(leads.clone());
        }
        let known: Vec<usize> = team
            .iter()
            .flat_map(|j| p.candidates[*j].societies.iter().copied())
            .collect();
        let societies = self.society_count(team);
        for _ in societies..p.least_societies as usize {
            owed.push(
                (0..p.candidates.len())
                    .filter(|j| {
                        p.candidates[*j]
                            .societies
                            .iter()
                            .any(|s| !known.contains(s))
                    })
                    .collect(),
            );
        }
        for (_, who) in &self.floors {
            if !who.iter().any(on) {
                owed.push(who.clone());
            }
        }
        for q in &p.quotas {
            let have = q.who.iter().filter(|j| on(j)).count();
            for _ in have..q.least as usize {
                owed.push(q.who.clone());
            }
        }
        owed
    }

    /// Takes out one or two and fills up again, as long as that helps.
    pub(crate) fn polish(
        &self,
        mut team: Vec<usize>,
        params: &TeamParams,
        stop: &Stop,
    ) -> (f64, Vec<usize>) {
        let mut best = self.value(&team, params);
        'again: loop {
            let n = team.len();
            let ones = (0..n).map(|a| (a, a));
            let twos = (0..n).flat_map(|a| (a + 1..n).map(move |b| (a, b)));
            for (a, b) in ones.chain(twos) {
                if stop.now() {
                    break 'again;
                }
                if self.forced[team[a]] || self.forced[team[b]] {
                    continue;
                }
                let rest: Vec<usize> = team
                    .iter()
                    .enumerate()
                    .filter(|(i, _)| *i != a && *i != b)
                    .map(|(_, j)| *j)
                    .collect();
                for per_cost in [false, true] {
                    let filled = self.fill(&rest, per_cost, params);
                    let value = self.value(&filled, params);
                    if value > best + 1e-9 && self.keeps_all(&filled) {
                        (team, best) = (filled, value);
                        continue 'again;
                    }
                }
            }
            // One for one, whoever it is: the greedy refill only tries the best.
            for a in 0..n {
                if self.forced[team[a]] {
                    continue;
                }
                let mut trial = team.clone();
                for j in 0..self.problem.candidates.len() {
                    if !self.open[j] || team.contains(&j) {
                        continue;
                    }
                    if stop.now() {
                        break 'again;
                    }
                    trial[a] = j;
                    let value = self.value(&trial, params);
                    if value > best + 1e-9 && self.keeps_all(&trial) {
                        team = trial;
                        team.sort_unstable();
                        best = value;
                        continue 'again;
                    }
                }
            }
            break;
        }
        (best, team)
    }

    /// Some team that keeps every constraint, by an integer programme over the constraints alone.
    pub(crate) fn any_team(&self, stop: &Stop) -> Option<Vec<usize>> {
        let mut programme = Programme::new();
        let worth = |j: usize| self.worth[j].iter().map(|w| w.1).sum();
        let (x, _) = self.constraints(&mut programme, worth);
        match programme.maximise(stop) {
            Answer::Found(f) => {
                let team: Vec<usize> = (0..x.len()).filter(|j| f.is(x[*j])).collect();
                self.keeps_all(&team).then_some(team)
            }
            _ => None,
        }
    }
}
