//! The shape of the rankings: precision by recall, who is shown, whether scores mean what they say.

use super::{
    Report,
    charts::{Curve, curves, stroke},
    html::grouped,
    sections::{percent, section},
    svg::escape,
};
use crate::{
    calibration::Calibration, curve::precision_recall, evaluate::Evaluation, lists::Exposure,
};
use std::{collections::HashSet, fmt::Write};

/// The drawings side by side.
pub(super) fn shape(r: &Report<'_>) -> String {
    let body = [recall(r), exposure(r), reliability(r)].concat();
    if body.is_empty() {
        return body;
    }
    section(
        r.say("Shape of the rankings", "排序的形态"),
        "",
        &format!("<div class=\"pair\">{body}</div>"),
    )
}

/// A drawing with what it shows and whose lines are whose.
fn drawing(title: &str, lead: &str, drawn: &str, legend: &str) -> String {
    format!(
        "<figure><figcaption><h3>{title}</h3><small>{lead}</small></figcaption>{drawn}{legend}</figure>"
    )
}

fn legend(r: &Report<'_>, told: impl Fn(usize, &Evaluation) -> String) -> String {
    let mut out = String::from("<ul class=\"legend\">");
    for (i, e) in r.runs.iter().enumerate() {
        let _ = write!(
            out,
            "<li><svg viewBox=\"0 0 26 9\" aria-hidden=\"true\"><path class=\"curve {}\" d=\"M1 4.5L25 4.5\"/></svg><span><b>{}</b> {}</span></li>",
            stroke(i),
            escape(&e.run),
            told(i, e)
        );
    }
    out.push_str("</ul>");
    out
}

/// Precision against recall.
fn recall(r: &Report<'_>) -> String {
    if r.runs.iter().any(|e| e.observation.placements.is_empty()) {
        return String::new();
    }
    let all: Vec<Curve> = (r.runs.iter().enumerate())
        .map(|(color, e)| Curve {
            color,
            points: precision_recall(r.qrels, e, 50),
            marks: Vec::new(),
            note: e.run.clone(),
        })
        .collect();
    let names = (r.say("recall", "召回率"), r.say("precision", "精确率"));
    let title = r.say("Precision and recall", "精确率与召回率");
    drawing(
        title,
        r.say(
            "The highest precision at this recall or beyond, averaged over queries that have relevant documents.",
            "该召回率及以上的最高精确率，对有相关文档的查询取平均。",
        ),
        &curves(&all, false, names, title),
        &legend(r, |_, _| String::new()),
    )
}

/// Who is shown.
fn exposure(r: &Report<'_>) -> String {
    let Some(k) = r.options.watch.exposure else {
        return String::new();
    };
    let known = r.supply.unwrap_or_else(|| everyone(r));
    let all: Vec<Exposure> = r
        .runs
        .iter()
        .map(|e| Exposure::new(e.observation.exposure.values().copied(), known))
        .collect();
    let lines: Vec<Curve> = (all.iter().zip(r.runs).enumerate())
        .map(|(color, (x, e))| Curve {
            color,
            points: x.curve(100),
            marks: Vec::new(),
            note: e.run.clone(),
        })
        .collect();
    let names = (
        r.say(
            "share of documents, least shown first",
            "文档占比（从少到多）",
        ),
        r.say("share of showings", "展示占比"),
    );
    let told = |i: usize, _: &Evaluation| {
        all.get(i).map_or(String::new(), |x| {
            let (g, s) = (x.gini(), percent(x.share_shown()));
            let l = grouped(x.largest_load() as usize);
            r.say(
                &format!("Gini {g:.3}, {s} of documents shown, at most {l} times"),
                &format!("基尼系数 {g:.3}，展示过 {s} 的文档，最多 {l} 次"),
            )
            .to_owned()
        })
    };
    let title = r.say("Exposure", "曝光");
    let n = grouped(known);
    drawing(
        title,
        r.say(
            &format!("How the first {k} places of all queries are shared among {n} documents. The further below the diagonal, the more the same few are recommended to everyone."),
            &format!("所有查询前 {k} 位在 {n} 篇文档间的分配。越在对角线之下，越是少数几个被反复推荐。"),
        ),
        &curves(&lines, true, names, title),
        &legend(r, told),
    )
}

/// Documents that are judged or shown, where nobody says how many there are.
fn everyone(r: &Report<'_>) -> usize {
    let judged = r.qrels.queries().iter().flat_map(|q| q.iter().map(|d| d.0));
    let shown = r.runs.iter().flat_map(|e| e.observation.exposure.keys());
    judged
        .chain(shown.map(String::as_str))
        .collect::<HashSet<_>>()
        .len()
}

/// Whether scores mean what they say.
fn reliability(r: &Report<'_>) -> String {
    if !r.options.watch.scores {
        return String::new();
    }
    let all: Vec<Option<Calibration>> = r
        .runs
        .iter()
        .map(|e| {
            // Where nothing is judged not relevant, shares say nothing.
            let some = e.observation.scores.iter().any(|s| !s.1);
            Calibration::of(&e.observation.scores, 10).filter(|_| some)
        })
        .collect();
    if all.iter().all(Option::is_none) {
        return String::new();
    }
    let lines: Vec<Curve> = (all.iter().zip(r.runs).enumerate())
        .filter_map(|(color, (c, e))| Some((color, c.as_ref()?, e)))
        .map(|(color, c, e)| {
            let filled = || c.bins.iter().filter(|b| b.n > 0);
            let most = filled().map(|b| b.n).max().unwrap_or(1) as f64;
            let mark = |b: &crate::calibration::Bin| {
                let note = format!(
                    "{}: {:.2} → {:.2} (n = {})",
                    e.run, b.score, b.relevant, b.n
                );
                let size = 2.0 + 6.0 * (b.n as f64 / most).sqrt();
                (b.score, b.relevant, size, note)
            };
            Curve {
                color,
                points: filled().map(|b| (b.score, b.relevant)).collect(),
                marks: filled().map(mark).collect(),
                note: e.run.clone(),
            }
        })
        .collect();
    let told = |i: usize, _: &Evaluation| match all.get(i).and_then(Option::as_ref) {
        Some(c) => format!("Brier {:.4}, ECE {:.4}", c.brier, c.ece),
        None => r
            .say(
                "its scores are no chances: some lie outside 0 to 1",
                "得分不是概率：有的不在 0 与 1 之间",
            )
            .to_owned(),
    };
    let names = (r.say("score", "得分"), r.say("share relevant", "相关比例"));
    let title = r.say("Reliability", "可靠性");
    drawing(
        title,
        r.say(
            "Judged answers by score, in ten bins; larger dots hold more answers. On the diagonal, of answers scored 0.7 seven in ten are relevant.",
            "已判断的结果按得分分为十组，点越大结果越多。在对角线上，得分 0.7 的结果十个中有七个相关。",
        ),
        &curves(&lines, true, names, title),
        &legend(r, told),
    )
}
