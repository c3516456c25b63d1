//! Whether a figure that is offered meets one that is asked for.

use super::{Figure, Interval};
use crate::normalise;
use serde::Serialize;
use std::collections::HashSet;

/// What an offered figure is to an asked one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All values that are offered are as asked.
    Met,
    /// Some are, some are not.
    Partial,
    /// None is.
    Short,
}

/// Two figures that speak of the same thing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// What came of it.
    pub verdict: Verdict,
    /// By how much the offer is better (above 0) or worse than the bound that matters, as a share of
    /// it; none for a bound of zero.
    pub margin: Option<f64>,
    /// How sure it is that both speak of the same thing: the words their names share, 0 to 1.
    pub shared: f64,
}

/// Names that share less are names of different things.
const LEAST_SHARED: f64 = 0.5;

/// Compares an offered figure with an asked one. `None` when they are incomparable: other dimensions,
/// or names that do not speak of the same thing.
pub fn compare(asked: &Figure, offered: &Figure) -> Option<Comparison> {
    if !asked.unit.is_comparable(&offered.unit) {
        return None;
    }
    let shared = names(&asked.name, &offered.name);
    if shared < LEAST_SHARED {
        return None;
    }
    // In the unit that is asked in: shares of a temperature are shares of its degrees, not of kelvin.
    let written = |i: Interval| Interval {
        low: i.low.map(|x| asked.unit.from_base(x)),
        high: i.high.map(|x| asked.unit.from_base(x)),
    };
    let mut wanted = written(asked.interval);
    // 循环800次: more is no worse.
    if !asked.bounded && asked.unit.is_count() && wanted.low == wanted.high {
        wanted.high = None;
    }
    let (verdict, margin) = judge(wanted, written(offered.interval));
    Some(Comparison {
        verdict,
        margin,
        shared,
    })
}

/// Share of the characters' pairs that two names have in common (Dice), 1 where both are the same.
fn names(a: &str, b: &str) -> f64 {
    let pairs = |name: &str| -> HashSet<(char, char)> {
        let letters: Vec<char> = normalise(name)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        letters.windows(2).map(|w| (w[0], w[1])).collect()
    };
    let (a, b) = (pairs(a), pairs(b));
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    // The shorter name counts: 韧性 is part of 抗冲击韧性.
    let common = a.intersection(&b).count() as f64;
    common / a.len().min(b.len()) as f64
}

fn judge(asked: Interval, offered: Interval) -> (Verdict, Option<f64>) {
    // An asked point asks for that value, give or take a twentieth.
    let asked = match (asked.low, asked.high) {
        (Some(a), Some(b)) if a == b => Interval {
            low: Some(a - 0.05 * a.abs()),
            high: Some(a + 0.05 * a.abs()),
        },
        _ => asked,
    };
    let low = offered.low.unwrap_or(f64::NEG_INFINITY);
    let high = offered.high.unwrap_or(f64::INFINITY);
    let least = asked.low.unwrap_or(f64::NEG_INFINITY);
    let most = asked.high.unwrap_or(f64::INFINITY);
    // Rounding of units: 1.8 t/m³ is 1.80 g/cm³. Nothing is near an open end.
    let near = |a: f64, b: f64| {
        let size = a.abs().max(b.abs());
        size.is_finite() && (a - b).abs() <= 1e-9 * size
    };
    let at_least = |x: f64, y: f64| x >= y || near(x, y);
    // "At least 65" offered and at least 67 asked: what is promised for sure counts.
    let within = at_least(low, least) && at_least(most, high);
    let apart = !at_least(high, least) || !at_least(most, low);
    let verdict = if within {
        Verdict::Met
    } else if apart {
        Verdict::Short
    } else {
        Verdict::Partial
    };
    let share = |by: f64, of: f64| (of != 0.0 && by.is_finite()).then(|| by / of.abs());
    let over = asked.low.and_then(|l| share(low - l, l));
    let under = asked.high.and_then(|h| share(h - high, h));
    let margin = match (over, under) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    (verdict, margin)
}
