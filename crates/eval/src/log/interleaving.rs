//! Two systems in one list: which of the two do people prefer?

use super::read::{ShownList, read_log};
use crate::{
    error::{Cause, Error},
    lang::Text,
    stats::{Paired, paired_t, sign_test},
};
use serde::Serialize;
use std::{collections::BTreeMap, path::Path};

/// What team-draft interleaving says (Radlinski, Kurup and Joachims, CIKM 2008): two systems pick in
/// turn, who begins is drawn by coin in every round, and each earns what comes of its picks.
///
/// Figures are of `second` against `first`, which are in order of name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interleaving {
    /// One system.
    pub first: String,
    /// The other.
    pub second: String,
    /// Lists in which either of them placed something.
    pub lists: u64,
    /// Lists where the second earned more.
    pub wins: u64,
    /// Lists where both earned the same, mostly nothing.
    pub ties: u64,
    /// Lists where the second earned less.
    pub losses: u64,
    /// Share of lists won by the second, ties by half, less a half (Chapelle, Joachims, Radlinski and
    /// Yue, TOIS 30(1), 2012): above 0 where the second is preferred.
    pub preference: f64,
    /// p of the sign test over lists that one of them won, two-sided; 1 where there are none.
    pub p_sign: f64,
    /// What the second earned more than the first, per list, with Student's t.
    pub credit: Paired,
    /// Places of the first, and of the second.
    pub places: [u64; 2],
    /// Lists that the first began, and the second.
    pub began: [u64; 2],
    /// p of both beginning equally often, two-sided: a small one says that the coin, or the log, is
    /// not fair.
    pub p_began: f64,
    /// Lists where their places differ by more than one: no draft leaves these, unless one system had
    /// nothing more to give.
    pub uneven: u64,
}

/// Analyses a log whose items name their `team`. An item without one, as where both systems agreed,
/// earns nobody anything.
///
/// # Errors
/// Of the file; other than two teams.
pub fn interleaving(log: &Path, alpha: f64) -> Result<Interleaving, Error> {
    let mut lists: Vec<Drafted> = Vec::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    read_log(log, |list| {
        lists.push(drafted(list, &mut names)?);
        Ok(())
    })?;
    let file = log.display().to_string();
    analyse(names, &lists, alpha).map_err(|e| e.in_file(&file))
}

/// What the teams, in the order in which they were first seen, have of a list.
#[derive(Debug, Clone, Copy)]
struct Drafted {
    places: [u64; 2],
    credit: [f64; 2],
    began: usize,
}

fn drafted(list: &ShownList, names: &mut BTreeMap<String, usize>) -> Result<Drafted, Error> {
    let mut out = Drafted {
        places: [0; 2],
        credit: [0.0; 2],
        began: usize::MAX,
    };
    for item in &list.items {
        let Some(team) = &item.team else { continue };
        let next = names.len();
        let at = match names.get(team) {
            Some(at) => *at,
            None => *names.entry(team.clone()).or_insert(next),
        };
        let (Some(places), Some(credit)) = (out.places.get_mut(at), out.credit.get_mut(at)) else {
            let all: Vec<&str> = names.keys().map(String::as_str).collect();
            return Err(teams(&all.join(", ")));
        };
        *places += 1;
        *credit += item.outcome;
        if out.began == usize::MAX {
            out.began = at;
        }
    }
    Ok(out)
}

fn analyse(
    names: BTreeMap<String, usize>,
    lists: &[Drafted],
    alpha: f64,
) -> Result<Interleaving, Error> {
    let found: Vec<(String, usize)> = names.into_iter().collect();
    let [(first, a), (second, b)] = found.as_slice() else {
        let all: Vec<&str> = found.iter().map(|n| n.0.as_str()).collect();
        return Err(teams(&all.join(", ")));
    };
    let lists: Vec<&Drafted> = lists.iter().filter(|l| l.places != [0, 0]).collect();
    let of = |x: &[u64; 2], team: usize| x.get(team).copied().unwrap_or_default();
    let sum = |team: usize| lists.iter().map(|l| of(&l.places, team)).sum();
    let began = |team: usize| lists.iter().filter(|l| l.began == team).count() as u64;
    // Sums do not depend on the order of the lists.
    let earned = |l: &Drafted, team: usize| l.credit.get(team).copied().unwrap_or_default();
    let mut credit: Vec<f64> = lists
        .iter()
        .map(|l| earned(l, *b) - earned(l, *a))
        .collect();
    credit.sort_unstable_by(f64::total_cmp);
    let count = |test: fn(&f64) -> bool| credit.iter().filter(|d| test(d)).count() as u64;
    let (wins, ties, losses) = (
        count(|d| *d > 0.0),
        count(|d| *d == 0.0),
        count(|d| *d < 0.0),
    );
    let n = lists.len() as f64;
    Ok(Interleaving {
        lists: lists.len() as u64,
        wins,
        ties,
        losses,
        preference: (wins as f64 + ties as f64 / 2.0) / n - 0.5,
        p_sign: sign_test(wins, losses),
        credit: paired_t(&credit, alpha),
        places: [sum(*a), sum(*b)],
        began: [began(*a), began(*b)],
        p_began: sign_test(began(*a), began(*b)),
        uneven: lists
            .iter()
            .filter(|l| of(&l.places, 0).abs_diff(of(&l.places, 1)) > 1)
            .count() as u64,
        first: first.clone(),
        second: second.clone(),
    })
}

fn teams(found: &str) -> Error {
    let (en, zh) = match found {
        "" => (
            "no item names a team".to_owned(),
            "没有条目写明 team".to_owned(),
        ),
        _ => (
            format!("the teams are: {found}; an interleaving has two"),
            format!("出现的 team 有：{found}；交错实验应有两个"),
        ),
    };
    Error::new(
        Cause::Unfit,
        Text::new(en, zh),
        Text::new(
            r#"items are such as {"doc": "d1", "team": "new", "outcome": 1}"#,
            r#"条目形如 {"doc": "d1", "team": "new", "outcome": 1}"#,
        ),
    )
}
