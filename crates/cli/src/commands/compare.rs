//! `queqiao compare`: a gain of one run over another, told from noise.

use super::eval::{Measured, emit, figure, right};
use crate::{
    args::{CompareArgs, EvalFormat},
    failure::Failure,
    output::Console,
};
use queqiao_eval::{
    Comparison, Comparisons, Evaluation, Measure, MovedQuery, Settings, compare, same_queries,
    stats::Looks,
};
use std::fmt::Write as _;

pub(crate) fn run(args: &CompareArgs, console: &Console) -> Result<(), Failure> {
    let what = &args.what;
    let done = Measured::of(what, true, console)?;
    // Unless it was said what an unanswered query counts, runs must answer the same.
    if what.missing.is_none() {
        same_queries(&done.runs)?;
    }
    let baseline = baseline(args, &done.runs)?;
    let settings = Settings {
        alpha: args.alpha,
        permutations: args.permutations,
        resamples: args.resamples,
        seed: args.seed,
        moved: args.moved,
        looks: match (args.looks, args.look) {
            (Some(planned), Some(now)) => Some(Looks { planned, now }),
            _ => None,
        },
    };
    let apart = compare(&done.qrels, &done.runs, baseline, settings)?;
    let text = match what.format {
        EvalFormat::Table => table(&done.runs, &apart, console),
        EvalFormat::Trec => {
            return Err(Failure::input(
                "--format trec has no place for comparisons: use table, json or html",
                "--format trec 无法表示比较结果：请用 table、json 或 html",
            ));
        }
        EvalFormat::Json | EvalFormat::Html => done.rendered(what, Some(&apart), console)?,
    };
    emit(what, text, console)
}

/// The run named as baseline, by its name or its file.
fn baseline(args: &CompareArgs, runs: &[Evaluation]) -> Result<usize, Failure> {
    let Some(name) = &args.baseline else {
        return Ok(0);
    };
    let by_name = runs.iter().position(|e| e.run == *name);
    let by_file = || {
        args.what
            .runs
            .iter()
            .position(|p| p.as_os_str() == name.as_str())
    };
    by_name.or_else(by_file).ok_or_else(|| {
        let known: Vec<&str> = runs.iter().map(|e| e.run.as_str()).collect();
        let known = known.join(", ");
        Failure::input(
            format!("no run is called `{name}`; there are: {known}"),
            format!("没有名为“{name}”的 run；可选：{known}"),
        )
    })
}

fn table(runs: &[Evaluation], c: &Comparisons, console: &Console) -> String {
    let name = |i: usize| runs.get(i).map_or("", |e| e.run.as_str());
    let measures = runs.get(c.baseline).map_or(&[][..], |e| &e.measures);
    let mut out = String::new();
    for (i, m) in measures.iter().enumerate() {
        let mut of = c.all.iter().filter(|x| x.measure == i).peekable();
        let before = of.peek().map_or(f64::NAN, |x| x.before);
        let _ = writeln!(out, "{m}  ({} {})", name(c.baseline), figure(m, before));
        let mut table = console.table([
            console.say("run", "run"),
            console.say("mean", "均值"),
            console.say("difference", "差值"),
            console.say("interval", "区间"),
            "p (t)",
            console.say("p (rand)", "p（随机）"),
            "Holm",
            "B-H",
            "d",
            "+/=/−",
        ]);
        for x in of {
            let star = if x.p_holm < c.settings.level() {
                "*"
            } else {
                ""
            };
            table.add_row([
                name(x.run).to_owned(),
                figure(m, x.after),
                format!("{:+.4}{star}", x.t.mean),
                format!("{:+.4} {:+.4}", x.interval.low, x.interval.high),
                probability(x.t.p),
                probability(x.randomisation.p),
                probability(x.p_holm),
                probability(x.p_bh),
                format!("{:.2}", x.t.d),
                format!("{}/{}/{}", x.wins, x.ties, x.losses),
            ]);
        }
        right(&mut table, 1);
        let _ = writeln!(out, "{table}");
    }
    out.push_str(&reading(c, console));
    for x in &c.all {
        if let Some(m) = runs.get(x.run).and_then(|e| e.measures.get(x.measure)) {
            out.push_str(&sentence(m, name(x.run), x, console));
        }
    }
    for x in c.all.iter().filter(|x| x.measure == 0) {
        for q in &x.moved {
            out.push_str(&moved(name(x.run), q, console));
        }
    }
    out
}

/// How to read the table.
fn reading(c: &Comparisons, console: &Console) -> String {
    let s = &c.settings;
    let level = s.level();
    let looks = s.looks.map_or(String::new(), |l| {
        console
            .say(
                &format!(
                    " (look {} of {} planned, all together at {})",
                    l.now, l.planned, s.alpha
                ),
                &format!(
                    "（计划 {} 次查看中的第 {} 次，合计水平 {}）",
                    l.planned, l.now, s.alpha
                ),
            )
            .to_owned()
    });
    let tests = c.all.len();
    console
        .say(
            &format!("* p of the randomisation test below {level:.4} after Holm over {tests} tests{looks}; +/=/−: queries better, same, worse\n"),
            &format!("* 随机化检验的 p 经 Holm 对 {tests} 项检验校正后低于 {level:.4}{looks}；+/=/−：变好、不变、变差的查询数\n"),
        )
        .to_owned()
}

/// What the collection can show.
fn sentence(m: &Measure, run: &str, x: &Comparison, console: &Console) -> String {
    let seen = x.power.detectable(0.9);
    if seen.is_nan() {
        return String::new();
    }
    let n = x.t.n;
    let needed = x.power.queries_for(x.t.mean, 0.9);
    let needed = match needed {
        Some(k) if k > n && x.t.mean != 0.0 => console
            .say(
                &format!("; to see {:+.4} as often takes {k} queries", x.t.mean),
                &format!("；要同样稳定地发现 {:+.4} 需要 {k} 个查询", x.t.mean),
            )
            .to_owned(),
        _ => String::new(),
    };
    console
        .say(
            &format!("{m}, {run}: with {n} queries a difference of {seen:.4} is seen 9 times in 10{needed}\n"),
            &format!("{m}，{run}：{n} 个查询时，{seen:.4} 的差别十次中有九次能被发现{needed}\n"),
        )
        .to_owned()
}

/// A query that changed, with what moved.
fn moved(run: &str, q: &MovedQuery, console: &Console) -> String {
    let mut out = format!(
        "■ {} · {run}: {:.4} → {:.4} ({:+.4})\n",
        q.query,
        q.before,
        q.after,
        q.after - q.before
    );
    let rank = |r: Option<u32>| r.map_or("–".to_owned(), |r| r.to_string());
    for d in &q.documents {
        let _ = writeln!(
            out,
            "    {} → {}  {}  ({} {})",
            rank(d.before),
            rank(d.after),
            d.document,
            console.say("grade", "等级"),
            d.grade
        );
    }
    out
}

pub(super) fn probability(p: f64) -> String {
    if p.is_nan() {
        "–".to_owned()
    } else if p < 0.001 {
        "<.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}
