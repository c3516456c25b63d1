//! What every page says: figures, intervals, values, notes. A section is empty where it has nothing
//! to say.

use super::{
    Report,
    charts::{Dot, dots},
    html::{figure, grouped},
    svg::escape,
};
use crate::{
    evaluate::{Evaluation, Missing},
    measure::{Aggregation, Measure},
    run::Precision,
    stats::bootstrap_mean,
};
use std::fmt::Write;

/// Resamples for the intervals of single runs.
const RESAMPLES: usize = 2_000;

pub(super) fn section(title: &str, lead: &str, body: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let lead = if lead.is_empty() {
        String::new()
    } else {
        format!("<p>{lead}</p>\n")
    };
    format!("<section>\n<h2>{title}</h2>\n{lead}{body}\n</section>\n")
}

pub(super) fn measures<'a>(r: &'a Report<'_>) -> &'a [Measure] {
    r.runs.first().map_or(&[], |e| &e.measures)
}

pub(super) fn run_name(r: &Report<'_>, i: usize) -> String {
    r.runs.get(i).map_or(String::new(), |e| escape(&e.run))
}

/// Two digits that count.
pub(super) fn short(x: f64) -> String {
    let decimals = (1.0 - x.abs().log10().floor()).clamp(0.0, 6.0) as usize;
    format!("{x:.decimals$}")
}

pub(super) fn percent(x: f64) -> String {
    format!("{}\u{202f}%", (x * 1000.0).round() / 10.0)
}

/// The table of figures: runs by measures, or the other way round where there are many.
pub(super) fn figures(r: &Report<'_>) -> String {
    let ms = measures(r);
    let best: Vec<f64> = (0..ms.len())
        .map(|m| {
            let all = r.runs.iter().filter_map(|e| e.means.get(m)).copied();
            if ms.get(m).is_some_and(|m| m.lower_is_better()) {
                all.fold(f64::NAN, f64::min)
            } else {
                all.fold(f64::NAN, f64::max)
            }
        })
        .collect();
    let cell = |e: &Evaluation, m: usize| {
        let v = e.means.get(m).copied().unwrap_or(f64::NAN);
        let is_best = r.runs.len() > 1 && best.get(m) == Some(&v);
        let class = if is_best { " class=\"best\"" } else { "" };
        format!("<td{class}>{}</td>", figure(v))
    };
    let head = |m: &Measure| {
        format!(
            "<th>{}<small>{}</small></th>",
            escape(&m.to_string()),
            escape(m.name().label().get(r.lang))
        )
    };
    let mut body = String::from("<div class=\"scroll\"><table class=\"wide\"><thead><tr>");
    if ms.len() <= 6 {
        let _ = write!(body, "<th>{}</th>", r.say("Run", "run"));
        ms.iter().for_each(|m| body.push_str(&head(m)));
        let _ = write!(body, "<th>{}</th>", r.say("Queries answered", "已回答查询"));
        body.push_str("</tr></thead><tbody>");
        for e in r.runs {
            let _ = write!(body, "<tr><th>{}</th>", escape(&e.run));
            (0..ms.len()).for_each(|m| body.push_str(&cell(e, m)));
            let all = r.qrels.queries().len();
            let _ = write!(
                body,
                "<td>{} / {}</td></tr>",
                grouped(e.answered),
                grouped(all)
            );
        }
    } else {
        let _ = write!(body, "<th>{}</th>", r.say("Measure", "指标"));
        for e in r.runs {
            let _ = write!(body, "<th>{}</th>", escape(&e.run));
        }
        body.push_str("</tr></thead><tbody>");
        for (i, m) in ms.iter().enumerate() {
            let _ = write!(body, "<tr>{}", head(m));
            r.runs.iter().for_each(|e| body.push_str(&cell(e, i)));
            body.push_str("</tr>");
        }
    }
    body.push_str("</tbody></table></div>");
    section(r.say("Figures", "结果"), "", &body)
}

/// Every measure by run, with bootstrap intervals.
pub(super) fn intervals(r: &Report<'_>) -> String {
    let alpha = r.comparisons.map_or(0.05, |c| c.settings.alpha);
    let seed = r.comparisons.map_or(1, |c| c.settings.seed);
    let mut body = String::new();
    for (i, m) in measures(r).iter().enumerate() {
        // A mean of values has an interval; a sum, or a mean of logarithms, is no mean of values.
        if m.name().aggregation() != Aggregation::Mean {
            continue;
        }
        let rows: Vec<Dot> = r
            .runs
            .iter()
            .enumerate()
            .map(|(color, e)| {
                let defined: Vec<f64> = e.column(i).into_iter().filter(|v| !v.is_nan()).collect();
                let b = bootstrap_mean(&defined, RESAMPLES, alpha, seed);
                let value = e.means.get(i).copied().unwrap_or(f64::NAN);
                Dot {
                    name: e.run.clone(),
                    color,
                    value,
                    low: b.low,
                    high: b.high,
                    shown: figure(value),
                    note: format!(
                        "{}: {} [{}, {}]",
                        e.run,
                        figure(value),
                        figure(b.low),
                        figure(b.high)
                    ),
                }
            })
            .collect();
        let name = m.to_string();
        let _ = write!(
            body,
            "<figure><figcaption><h3>{}</h3><small>{}</small></figcaption>{}</figure>",
            escape(&name),
            escape(m.name().label().get(r.lang)),
            dots(&rows, &name)
        );
    }
    if body.is_empty() {
        return body;
    }
    let level = percent(1.0 - alpha);
    section(
        r.say("Measures by run", "各 run 的指标"),
        r.say(
            &format!("Means over queries, with {level} bootstrap intervals. Intervals that overlap can still differ surely: runs are compared query by query below."),
            &format!("对查询取平均，线段为 {level} 自助法区间。区间重叠并不说明没有差别：下文按查询配对比较。"),
        ),
        &format!("<div class=\"cards\">{body}</div>"),
    )
}

/// All values, folded away.
pub(super) fn per_query(r: &Report<'_>) -> String {
    if !r.per_query {
        return String::new();
    }
    let mut body = String::new();
    for e in r.runs {
        let _ = write!(
            body,
            "<details><summary>{} · {} {}</summary><div class=\"scroll\"><table><thead><tr><th>{}</th>",
            escape(&e.run),
            grouped(e.queries.len()),
            r.say("queries", "个查询"),
            r.say("Query", "查询")
        );
        for m in &e.measures {
            let _ = write!(body, "<th>{}</th>", escape(&m.to_string()));
        }
        body.push_str("</tr></thead><tbody>");
        for (q, id) in e.queries.iter().enumerate() {
            let _ = write!(body, "<tr><td class=\"id\">{}</td>", escape(id));
            for v in e.row(q) {
                let _ = write!(body, "<td>{}</td>", figure(*v));
            }
            body.push_str("</tr>");
        }
        body.push_str("</tbody></table></div></details>");
    }
    section(r.say("All queries", "全部查询"), "", &body)
}

/// What the figures mean.
pub(super) fn notes(r: &Report<'_>) -> String {
    let mut notes: Vec<(&str, String)> = Vec::new();
    notes.push((
        r.say("Order", "排序"),
        r.say(
            "By score, ties by document id descending, as in trec_eval; ranks in the file do not count.",
            "按得分排序，得分相同按文档号降序，与 trec_eval 一致；文件中的名次不起作用。",
        )
        .to_owned()
            + match r.options.precision {
                Precision::Double => "",
                Precision::Single => r.say(
                    " Scores are compared in single precision.",
                    "得分按单精度比较。",
                ),
            },
    ));
    let missing = match r.options.missing {
        Missing::Zero => r.say(
            "A judged query that a run does not answer counts as if nothing had been found.",
            "run 未回答的已判断查询按一无所获计入。",
        ),
        Missing::Skip => r.say(
            "A judged query that a run does not answer is left out of its means.",
            "run 未回答的已判断查询不计入其平均值。",
        ),
    };
    notes.push((
        r.say("Queries without answers", "未回答的查询"),
        missing.to_owned(),
    ));
    if r.options.only_answerable {
        notes.push((
            r.say("Queries without relevant documents", "没有相关文档的查询"),
            r.say("They are left out.", "不计入。").to_owned(),
        ));
    }
    if let Some(k) = r.options.depth {
        notes.push((
            r.say("Depth", "深度"),
            r.say(
                &format!("Only the first {k} answers of a query count."),
                &format!("每个查询只计前 {k} 个结果。"),
            )
            .to_owned(),
        ));
    }
    if let Some(c) = r.comparisons {
        let s = &c.settings;
        let looks = s.looks.map_or(String::new(), |l| {
            r.say(
                &format!(
                    " This is look {} of {} planned: a p counts below {:.5}.",
                    l.now,
                    l.planned,
                    s.level()
                ),
                &format!(
                    "这是计划 {} 次查看中的第 {} 次：p 低于 {:.5} 才算显著。",
                    l.planned,
                    l.now,
                    s.level()
                ),
            )
            .to_owned()
        });
        notes.push((
            r.say("Tests", "检验"),
            r.say(
                &format!(
                    "Level {}, {} bootstrap resamples, seed {}.{looks}",
                    s.alpha,
                    grouped(s.resamples),
                    s.seed
                ),
                &format!(
                    "显著性水平 {}，自助法重抽样 {} 次，随机种子 {}。{looks}",
                    s.alpha,
                    grouped(s.resamples),
                    s.seed
                ),
            )
            .to_owned(),
        ));
    }
    let mut body = String::from("<dl class=\"notes\">");
    for (name, text) in notes {
        let _ = write!(body, "<dt>{name}</dt><dd>{text}</dd>");
    }
    body.push_str("</dl>");
    section(r.say("Notes", "说明"), "", &body)
}
