//! The JSON document of a report.

use super::Report;
use crate::{
    compare::{Comparison, Comparisons},
    evaluate::{Evaluation, Missing},
    run::Precision,
};
use serde_json::{Map, Value, json};

/// A number, or null where there is none.
fn number(x: f64) -> Value {
    serde_json::Number::from_f64(x).map_or(Value::Null, Value::Number)
}

/// Whole numbers without a fraction: grades mostly are.
fn grade(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 1e15 {
        Value::from(x as i64)
    } else {
        number(x)
    }
}

pub(super) fn document(r: &Report<'_>) -> Value {
    let mut out = json!({
        "collection": r.title,
        "queries": r.qrels.queries().len(),
        "judgements": r.qrels.judgements(),
        "options": {
            "missing": match r.options.missing { Missing::Zero => "zero", Missing::Skip => "skip" },
            "precision": match r.options.precision {
                Precision::Double => "double",
                Precision::Single => "single",
            },
            "depth": r.options.depth,
            "only_answerable": r.options.only_answerable,
        },
        "measures": names(r),
        "runs": r.runs.iter().map(|e| run(r, e)).collect::<Vec<_>>(),
    });
    if let (Some(c), Some(o)) = (r.comparisons, out.as_object_mut()) {
        o.insert("comparison".to_owned(), comparisons(r, c));
    }
    out
}

fn names(r: &Report<'_>) -> Vec<String> {
    let first = r.runs.first();
    first.map_or(Vec::new(), |e| {
        e.measures.iter().map(ToString::to_string).collect()
    })
}

fn by_measure(e: &Evaluation, values: &[f64]) -> Value {
    let fields = e.measures.iter().zip(values);
    Value::Object(
        fields
            .map(|(m, v)| (m.to_string(), number(*v)))
            .collect::<Map<_, _>>(),
    )
}

fn run(r: &Report<'_>, e: &Evaluation) -> Value {
    let mut out = json!({
        "run": e.run,
        "measures": by_measure(e, &e.means),
        "answered": e.answered,
        "unanswered": e.unanswered,
        "unjudged_queries": e.unjudged_queries,
        "answers": e.answers,
    });
    if let (true, Some(o)) = (r.per_query, out.as_object_mut()) {
        let queries: Map<String, Value> = (e.queries.iter().enumerate())
            .map(|(q, id)| (id.clone(), by_measure(e, e.row(q))))
            .collect();
        o.insert("per_query".to_owned(), Value::Object(queries));
    }
    out
}

fn comparisons(r: &Report<'_>, c: &Comparisons) -> Value {
    let s = &c.settings;
    json!({
        "baseline": r.runs.get(c.baseline).map(|e| e.run.as_str()),
        "alpha": s.alpha,
        "level": s.level(),
        "looks": s.looks,
        "permutations": s.permutations,
        "resamples": s.resamples,
        "seed": s.seed,
        "comparisons": c.all.iter().map(|x| comparison(r, c, x)).collect::<Vec<_>>(),
    })
}

fn comparison(r: &Report<'_>, c: &Comparisons, x: &Comparison) -> Value {
    let e = r.runs.get(x.run);
    let measure = e.and_then(|e| e.measures.get(x.measure));
    let level = c.settings.level();
    let moved: Vec<Value> = (x.moved.iter())
        .map(|q| {
            let documents: Vec<Value> = (q.documents.iter())
                .map(|d| {
                    json!({
                        "document": d.document,
                        "grade": grade(d.grade),
                        "before": d.before,
                        "after": d.after,
                    })
                })
                .collect();
            json!({
                "query": q.query,
                "before": number(q.before),
                "after": number(q.after),
                "documents": documents,
            })
        })
        .collect();
    json!({
        "run": e.map(|e| e.run.as_str()),
        "measure": measure.map(ToString::to_string),
        "lower_is_better": measure.is_some_and(|m| m.lower_is_better()),
        "before": number(x.before),
        "after": number(x.after),
        "difference": number(x.t.mean),
        "interval": { "low": number(x.interval.low), "high": number(x.interval.high) },
        "queries": x.t.n,
        "t": { "t": number(x.t.t), "p": number(x.t.p),
               "low": number(x.t.interval.low), "high": number(x.t.interval.high) },
        "randomisation": { "p": number(x.randomisation.p), "exact": x.randomisation.exact,
                           "permutations": x.randomisation.permutations },
        "p_holm": number(x.p_holm),
        "p_benjamini_hochberg": number(x.p_bh),
        "significant": x.p_holm < level,
        "effect_size": number(x.t.d),
        "standard_deviation": number(x.t.sd),
        "wins": x.wins,
        "ties": x.ties,
        "losses": x.losses,
        "detectable": { "at_80": number(x.power.detectable(0.8)),
                        "at_90": number(x.power.detectable(0.9)) },
        "moved": moved,
    })
}
