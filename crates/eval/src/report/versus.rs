//! What the page says where runs are compared.

use super::{
    Report,
    charts::{Sides, sorted},
    html::{figure, grouped, probability, signed},
    sections::{measures, percent, run_name, section, short},
    svg::escape,
};
use crate::{
    compare::{Comparison, Comparisons},
    measure::{Aggregation, Measure},
};
use std::fmt::Write;

/// Comparisons whose differences are drawn.
const DRAWN: usize = 6;

/// What a reader should know first: each run against the baseline, by the first measure.
pub(super) fn lede(r: &Report<'_>) -> String {
    let Some(c) = r.comparisons else {
        return String::new();
    };
    let mut out = String::new();
    for x in c.all.iter().filter(|x| x.measure == 0).take(3) {
        let Some(m) = measures(r).first() else {
            continue;
        };
        let (run, base) = (run_name(r, x.run), run_name(r, c.baseline));
        let sure = x.p_holm < c.settings.level();
        let better = (x.t.mean > 0.0) != m.lower_is_better();
        let (low, high) = (signed(x.interval.low), signed(x.interval.high));
        let p = probability(x.p_holm);
        let sign = if p.starts_with('&') { "" } else { "= " };
        // On one line.
        let p = format!("p {sign}{p}").replace(' ', "&nbsp;");
        let level = percent(1.0 - c.settings.alpha);
        let en = if sure {
            format!(
                "<b>{run}</b> is {} than <b>{base}</b> by {m}: {}, with a {level} interval from {low} to {high} ({p} after Holm).",
                if better { "better" } else { "worse" },
                signed(x.t.mean)
            )
        } else {
            format!(
                "<b>{run}</b> and <b>{base}</b> cannot be told apart by {m}: {}, with a {level} interval from {low} to {high} ({p} after Holm).",
                signed(x.t.mean)
            )
        };
        let zh = if sure {
            format!(
                "按 {m}，<b>{run}</b> {}于 <b>{base}</b>：{}，{level} 区间 {low} 至 {high}（Holm 校正后 {p}）。",
                if better { "优" } else { "劣" },
                signed(x.t.mean)
            )
        } else {
            format!(
                "按 {m}，<b>{run}</b> 与 <b>{base}</b> 的差别不显著：{}，{level} 区间 {low} 至 {high}（Holm 校正后 {p}）。",
                signed(x.t.mean)
            )
        };
        let seen = x.power.detectable(0.9);
        let (more_en, more_zh) = if seen.is_nan() {
            (String::new(), String::new())
        } else {
            (
                format!(
                    " Of {2} queries {0} gain and {1} lose; with so many, a difference of {3} is seen 9 times in 10.",
                    x.wins,
                    x.losses,
                    x.t.n,
                    short(seen)
                ),
                format!(
                    "{} 个查询中 {} 个变好、{} 个变差；以此规模，{} 的差别十次中有九次能被发现。",
                    x.t.n,
                    x.wins,
                    x.losses,
                    short(seen)
                ),
            )
        };
        let _ = writeln!(
            out,
            "<p class=\"lede\">{}</p>",
            r.say(&(en + &more_en), &(zh + &more_zh))
        );
    }
    out
}

/// All comparisons as a table.
pub(super) fn comparison(r: &Report<'_>) -> String {
    let Some(c) = r.comparisons else {
        return String::new();
    };
    let mut body = String::from("<div class=\"scroll\"><table class=\"wide\"><thead><tr>");
    for (en, zh) in [
        ("Measure", "指标"),
        ("Run", "run"),
        ("Difference", "差值"),
        ("Interval", "区间"),
        ("p (t)", "p（t 检验）"),
        ("p (randomisation)", "p（随机化）"),
        ("Holm", "Holm"),
        ("B.–H.", "B–H"),
        ("Effect d", "效应量 d"),
        ("Better / same / worse", "优 / 平 / 劣"),
        ("Seen 9 in 10", "九成可见"),
    ] {
        let left = if en == "Run" { " class=\"left\"" } else { "" };
        let _ = write!(body, "<th{left}>{}</th>", r.say(en, zh));
    }
    body.push_str("</tr></thead><tbody>");
    for x in &c.all {
        body.push_str(&comparison_row(r, c, x));
    }
    body.push_str("</tbody></table></div>");
    let base = run_name(r, c.baseline);
    let level = percent(1.0 - c.settings.alpha);
    let (tests, draws) = (c.all.len(), grouped(c.settings.permutations as usize));
    section(
        r.say(&format!("Against {base}"), &format!("与 {base} 比较")),
        r.say(
            &format!("Differences are run − {base}, query by query. Intervals ({level}) by bootstrap; p two-sided, by Student's paired t and by Fisher's randomisation test (up to {draws} permutations), the latter corrected for {tests} tests after Holm and after Benjamini and Hochberg. d: mean difference by its standard deviation. The last column: the smallest true difference that these queries show nine times in ten."),
            &format!("差值为 run − {base}，按查询配对。区间（{level}）用自助法；p 为双侧，分别用配对 t 检验与 Fisher 随机化检验（至多 {draws} 次置换），后者按 Holm 与 Benjamini–Hochberg 对 {tests} 项检验校正。d：平均差除以标准差。末列：这些查询十次中有九次能发现的最小真实差别。"),
        ),
        &body,
    )
}

fn comparison_row(r: &Report<'_>, c: &Comparisons, x: &Comparison) -> String {
    let m = measures(r).get(x.measure);
    let lower = m.is_some_and(Measure::lower_is_better);
    let class = if x.p_holm.is_nan() || x.p_holm >= c.settings.level() || x.t.mean == 0.0 {
        "mute"
    } else if (x.t.mean > 0.0) != lower {
        "good"
    } else {
        "bad"
    };
    let d = if x.t.d.is_finite() {
        format!("{:.2}", x.t.d).replace('-', "−")
    } else {
        "–".to_owned()
    };
    let seen = x.power.detectable(0.9);
    let seen = if seen.is_nan() {
        "–".to_owned()
    } else {
        short(seen)
    };
    format!(
        "<tr><th>{}</th><td class=\"left\">{}</td><td class=\"{class}\"><b>{}</b></td><td>[{}, {}]</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{d}</td><td>{} / {} / {}</td><td>{seen}</td></tr>",
        m.map_or(String::new(), |m| escape(&m.to_string())),
        run_name(r, x.run),
        signed(x.t.mean),
        signed(x.interval.low),
        signed(x.interval.high),
        probability(x.t.p),
        probability(x.randomisation.p),
        probability(x.p_holm),
        probability(x.p_bh),
        x.wins,
        x.ties,
        x.losses,
    )
}

/// Differences by query, or the values where there is one run.
pub(super) fn differences(r: &Report<'_>) -> String {
    let queries = |n: usize| format!("{} {}", grouped(n), r.say("queries", "个查询"));
    let mut body = String::new();
    let Some(c) = r.comparisons else {
        for (i, m) in measures(r).iter().enumerate().take(DRAWN) {
            let Some(e) = r.runs.first().filter(|_| r.runs.len() == 1) else {
                return String::new();
            };
            if m.name().aggregation() == Aggregation::Sum {
                continue;
            }
            let sides = Sides {
                up: r.say("best", "最好"),
                down: r.say("worst", "最差"),
                queries: &queries(e.queries.len()),
            };
            let name = m.to_string();
            let _ = write!(
                body,
                "<figure><figcaption><h3>{}</h3></figcaption>{}</figure>",
                escape(&name),
                sorted(&e.column(i), false, &sides, &name)
            );
        }
        if body.is_empty() {
            return body;
        }
        return section(
            r.say("Query by query", "逐查询结果"),
            r.say(
                "Each query's value, the best first.",
                "各查询的取值，从好到差。",
            ),
            &format!("<div class=\"pair\">{body}</div>"),
        );
    };
    for x in c.all.iter().filter(|x| x.wins + x.losses > 0).take(DRAWN) {
        let Some(m) = measures(r).get(x.measure) else {
            continue;
        };
        let name = format!("{m} · {}", r.runs.get(x.run).map_or("", |e| e.run.as_str()));
        let sign = if m.lower_is_better() { -1.0 } else { 1.0 };
        let values: Vec<f64> = x.differences.iter().map(|d| d * sign).collect();
        let (up, down) = (
            format!("{} {}", r.say("better", "变好"), x.wins),
            format!("{} {}", r.say("worse", "变差"), x.losses),
        );
        let same = format!("{} {}", r.say("same", "不变"), x.ties);
        let sides = Sides {
            up: &up,
            down: &down,
            queries: &same,
        };
        let _ = write!(
            body,
            "<figure><figcaption><h3>{}</h3></figcaption>{}</figure>",
            escape(&name),
            sorted(&values, true, &sides, &name)
        );
    }
    if body.is_empty() {
        return body;
    }
    section(
        r.say("Query by query", "逐查询差值"),
        r.say(
            "Each query's gain over the baseline, the largest first. A mean can hide what these show: a small gain everywhere, or a large one here and a loss there.",
            "各查询相对基线的变化，从大到小。平均值会掩盖：是处处小幅提高，还是此处大增、彼处下降。",
        ),
        &format!("<div class=\"pair\">{body}</div>"),
    )
}

/// The queries that changed most, with what moved.
pub(super) fn moved(r: &Report<'_>) -> String {
    let Some(c) = r.comparisons else {
        return String::new();
    };
    let rank = |x: Option<u32>| x.map_or("–".to_owned(), |x| grouped(x as usize));
    let mut body = String::new();
    for x in c.all.iter().filter(|x| x.measure == 0) {
        for q in &x.moved {
            let up = q.after > q.before;
            let lower = measures(r).first().is_some_and(Measure::lower_is_better);
            let class = if up != lower { "good" } else { "bad" };
            let _ = write!(
                body,
                "<div class=\"card\"><header><h3>{}</h3><small>{} · {} → {} <span class=\"{class}\">{}</span></small></header>",
                escape(&q.query),
                run_name(r, x.run),
                figure(q.before),
                figure(q.after),
                signed(q.after - q.before)
            );
            if q.documents.is_empty() {
                body.push_str("</div>");
                continue;
            }
            let _ = write!(
                body,
                "<table class=\"wide moved\"><thead><tr><th>{}</th><th>{}</th><th>{}</th></tr></thead><tbody>",
                r.say("Document", "文档"),
                r.say("Grade", "等级"),
                r.say("Rank", "排名")
            );
            for d in &q.documents {
                let _ = write!(
                    body,
                    "<tr><td class=\"id\">{}</td><td>{}</td><td>{} → {}</td></tr>",
                    escape(&d.document),
                    d.grade,
                    rank(d.before),
                    rank(d.after)
                );
            }
            body.push_str("</tbody></table></div>");
        }
    }
    if body.is_empty() {
        return body;
    }
    section(
        r.say("What moved", "变化最大的查询"),
        r.say(
            "The queries that changed most by the first measure, with the judged documents whose rank changed; – is not given.",
            "按第一个指标变化最大的查询，及名次变化的已判断文档；“–”表示未给出。",
        ),
        &format!("<div class=\"cards\">{body}</div>"),
    )
}
