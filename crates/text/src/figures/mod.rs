//! Figures (技术指标) in Chinese and English text: quantities with units and bounds, and what a bound
//! asks of a quantity.
//!
//! Purpose: tell whether an offer's 72 % meets a need's ≥ 67 %. A figure is found where a number
//! stands with a unit this module knows; what is not understood is left out rather than guessed. Units
//! are read with their case (5 G is no 5 g), compounds by their parts (`g/cm³`, 立方米/小时, W/(m·K)),
//! and two figures compare only when they measure the same thing: the same dimension, and names that
//! share their words.

mod bound;
mod number;
mod unit;
mod verdict;

pub use bound::Interval;
pub use unit::Unit;
pub use verdict::{Comparison, Verdict, compare};

use std::ops::Range;

/// A quantity in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Where it stands, name and bound left out: bytes of the text.
    pub span: Range<usize>,
    /// What is measured, in the text's own words (抗冲击韧性); empty where the text does not say.
    pub name: String,
    /// The values it speaks of, in the unit's base (metres, kilograms, seconds, shares of one, 元).
    pub interval: Interval,
    /// The unit, as written and as understood.
    pub unit: Unit,
    /// A bound is stated in words or signs (≥, 不低于, 以上, at least), or a range, or a tolerance.
    pub bounded: bool,
    /// Hoped for, and not told to be so (希望不低于85%).
    pub wished: bool,
    /// The figure after it says what is hoped for instead (低于70%，希望不低于85%).
    pub superseded: bool,
}

/// The figures of a text, in order.
///
/// ```
/// use queqiao_text::figures::figures;
/// let found = figures("抗冲击韧性≥67%，堆积密度不低于1.80克/立方厘米，粒度10-15 μm");
/// assert_eq!(found[0].name, "抗冲击韧性");
/// assert_eq!(found[0].interval.low, Some(0.67));
/// assert!((found[1].interval.low.unwrap() - 1800.0).abs() < 1e-9);
/// assert!((found[2].interval.high.unwrap() - 15e-6).abs() < 1e-12);
/// ```
pub fn figures(text: &str) -> Vec<Figure> {
    let mut out: Vec<Figure> = Vec::new();
    let mut at = 0;
    // Where the words that may name the next figure begin.
    let mut words = 0;
    // The first of those figures that go by the last one's name.
    let mut list = 0;
    // Behind the last digit there is none.
    let digit = |c: char| number::half(c).is_ascii_digit();
    let last = text.rfind(digit).map_or(0, |at| at + 1);
    while at < last {
        let Some(first) = text[at..].chars().next() else {
            break;
        };
        let found = bound::may_begin(first).then(|| bound::read(text, at));
        let Some(found) = found.flatten() else {
            at += first.len_utf8();
            continue;
        };
        let before = &text[words..found.bound_start];
        // 长10 mm，宽5 mm; and 耐压 10 MPa、20 MPa: a figure right after another goes by its name. So does one that
        // is hoped for instead (厚度0.8 mm，要求0.5 mm), of the same dimension.
        let wished = bound::wished(before);
        let fits =
            |last: &&Figure| !wished || !found.tolerance && last.unit.is_comparable(&found.unit);
        let last = out.last().filter(|_| bound::goes_on(before));
        let (name, follows) = match (bound::name(before), last.filter(fits)) {
            (name, Some(last)) if name.is_empty() => (last.name.clone(), true),
            (name, _) => (name, false),
        };
        words = found.end;
        at = found.end;
        // 64K is a depth of memory as often as a temperature.
        let degrees = |n: &str| n.contains('温') || n.to_lowercase().contains("temperature");
        if found.unit.text == "K" && !degrees(&name) {
            continue;
        }
        if follows && wished {
            // 不低于90%，力争95%: both are asked for.
            let same = |e: &&mut Figure| e.unit.is_comparable(&found.unit);
            for earlier in out[list..].iter_mut().filter(same) {
                earlier.superseded |= !earlier.interval.takes_in(&found.interval);
            }
        }
        if !follows || wished {
            list = out.len();
        }
        // 目标0.5 mm、0.6 mm: both are.
        let wished = wished || follows && out.last().is_some_and(|last| last.wished);
        out.push(Figure {
            span: found.start..found.end,
            name,
            interval: found.interval,
            unit: found.unit,
            bounded: found.bounded,
            wished,
            superseded: false,
        });
    }
    out
}

#[cfg(test)]
mod tests;
