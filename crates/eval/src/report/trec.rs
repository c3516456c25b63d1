//! Lines as trec_eval prints them.

use super::Report;
use crate::measure::{Aggregation, Measure, Name};
use std::fmt::Write;

/// Measures that are printed as whole numbers there.
fn is_count(m: &Measure) -> bool {
    m.name().aggregation() == Aggregation::Sum
}

pub(super) fn lines(r: &Report<'_>) -> String {
    let mut out = String::new();
    for e in r.runs {
        let mut line = |name: &str, query: &str, value: String| {
            let _ = writeln!(out, "{name:<22}\t{query}\t{value}");
        };
        let show = |m: &Measure, v: f64| {
            if is_count(m) {
                format!("{v:.0}")
            } else {
                format!("{v:6.4}")
            }
        };
        if r.per_query {
            for (q, query) in e.queries.iter().enumerate() {
                for (m, v) in e.measures.iter().zip(e.row(q)) {
                    // Figures of all queries have no lines of their own.
                    let whole = m.name().aggregation() == Aggregation::GeometricMean;
                    if !whole && m.name() != Name::NumQ {
                        line(&m.trec_eval_name(), query, show(m, *v));
                    }
                }
            }
        }
        line("runid", "all", e.run.clone());
        for (m, v) in e.measures.iter().zip(&e.means) {
            line(&m.trec_eval_name(), "all", show(m, *v));
        }
    }
    out
}
