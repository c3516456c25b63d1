//! `queqiao lists`: lists measured as a set.

use super::eval::right;
use crate::{
    args::{Format, ListsArgs},
    failure::Failure,
    output::Console,
};
use queqiao_eval::{
    Calibration, Evaluator, Exposure, Market, Options, Precision, Qrels, Run, Supply, TwoSided,
    Watch, parse_list,
};
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Groups of scores in a reliability table.
const BINS: usize = 10;

#[derive(Serialize)]
struct Document {
    depth: Option<u32>,
    examination: String,
    capacity: Option<usize>,
    lists: Vec<Measured>,
}

/// One set of lists.
#[derive(Serialize)]
struct Measured {
    run: String,
    lists: usize,
    places: usize,
    /// Lists with fewer places than asked for.
    short: Option<usize>,
    supply: usize,
    share_shown: f64,
    largest_load: u32,
    gini: f64,
    two_sided: Option<TwoSided>,
    calibration: Option<Calibration>,
}

pub(crate) fn run(args: &ListsArgs, console: &Console) -> Result<(), Failure> {
    if !args.back.is_empty() && args.back.len() != args.lists.len() {
        let (back, lists) = (args.back.len(), args.lists.len());
        return Err(Failure::input(
            format!("--back names {back} files and LISTS {lists}: name one for each"),
            format!("--back 给出 {back} 个文件，LISTS 有 {lists} 个：应一一对应"),
        ));
    }
    let read = |paths: &[_]| Run::read_all(paths, Precision::Double);
    let one = |path: &Option<std::path::PathBuf>| {
        path.as_ref()
            .map(|p| Run::read(p, Precision::Double))
            .transpose()
    };
    let (lists, back) = (read(&args.lists)?, read(&args.back)?);
    let (wants, wants_back) = (one(&args.wants)?, one(&args.wants_back)?);
    let qrels = args.qrels.as_ref().map(|p| Qrels::read(p)).transpose()?;
    let supply = match &args.supply {
        Some(path) => Supply::read(path)?.ids,
        None => {
            let named = lists.iter().chain(wants.iter()).flat_map(documents);
            let asked = back.iter().chain(wants_back.iter()).flat_map(queries);
            named.chain(asked).map(str::to_owned).collect()
        }
    };
    let mut all = Vec::new();
    for (i, run) in lists.iter().enumerate() {
        let two_sided = wants.as_ref().map(|wants| {
            Market {
                lists: run,
                back: back.get(i),
                wants,
                wants_back: wants_back.as_ref(),
                depth: args.depth.map(|k| k as usize),
                examination: &args.examination,
                capacity: args.capacity,
            }
            .measure()
        });
        all.push(Measured {
            two_sided: two_sided.transpose()?,
            calibration: match &qrels {
                Some(q) => calibration(run, q, args.depth)?,
                None => None,
            },
            ..exposed(run, args.depth, &supply)
        });
    }
    match args.format {
        Format::Json => console.json(&Document {
            depth: args.depth,
            examination: args.examination.to_string(),
            capacity: args.capacity,
            lists: all,
        }),
        Format::Table => {
            console.document(&table(&all, args, console));
            Ok(())
        }
    }
}

fn documents(run: &Run) -> impl Iterator<Item = &str> {
    run.lists().iter().flat_map(|l| l.iter().map(|d| d.0))
}

fn queries(run: &Run) -> impl Iterator<Item = &str> {
    run.lists().iter().map(|l| l.query())
}

fn exposed(run: &Run, depth: Option<u32>, supply: &HashSet<String>) -> Measured {
    let most = depth.map_or(usize::MAX, |k| k as usize);
    let mut shown: HashMap<&str, u32> = HashMap::new();
    for list in run.lists() {
        for (document, _) in list.iter().take(most) {
            *shown.entry(document).or_default() += 1;
        }
    }
    // Who is shown is there, whether the supply knows it or not.
    let strangers = shown.keys().filter(|d| !supply.contains(**d)).count();
    let x = Exposure::new(shown.values().copied(), supply.len() + strangers);
    let lengths = || run.lists().iter().map(|l| l.len().min(most));
    Measured {
        run: run.name().to_owned(),
        lists: run.lists().len(),
        places: lengths().sum(),
        short: depth.map(|k| lengths().filter(|n| *n < k as usize).count()),
        supply: x.supply(),
        share_shown: x.share_shown(),
        largest_load: x.largest_load(),
        gini: x.gini(),
        two_sided: None,
        calibration: None,
    }
}

/// Whether scores mean what they say; none where they are no chances.
fn calibration(
    run: &Run,
    qrels: &Qrels,
    depth: Option<u32>,
) -> Result<Option<Calibration>, Failure> {
    let options = Options {
        depth,
        watch: Watch {
            scores: true,
            ..Watch::default()
        },
        ..Options::default()
    };
    let seen = Evaluator::new(qrels, &parse_list("NumRet")?, options)?.run(run)?;
    Ok(Calibration::of(&seen.observation.scores, BINS))
}

/// Measures by set of lists.
fn table(all: &[Measured], args: &ListsArgs, console: &Console) -> String {
    let head = console.say("measure", "指标").to_owned();
    let names = all.iter().map(|m| m.run.clone());
    let mut table = console.table(std::iter::once(head).chain(names));
    let mut row = |en: &str, zh: &str, of: &dyn Fn(&Measured) -> Option<String>| {
        let values: Vec<Option<String>> = all.iter().map(of).collect();
        if values.iter().any(Option::is_some) {
            let values = values
                .into_iter()
                .map(|v| v.unwrap_or_else(|| "–".to_owned()));
            table.add_row(std::iter::once(console.say(en, zh).to_owned()).chain(values));
        }
    };
    let four = |x: f64| format!("{x:.4}");
    row("lists", "名单", &|m| Some(m.lists.to_string()));
    row("places filled", "名额", &|m| Some(m.places.to_string()));
    row("lists that are short", "未满的名单", &|m| {
        m.short.map(|n| n.to_string())
    });
    row("supply", "可展示者", &|m| Some(m.supply.to_string()));
    row("share of the supply shown", "展示过的占比", &|m| {
        Some(four(m.share_shown))
    });
    row("largest load", "最大负荷", &|m| {
        Some(m.largest_load.to_string())
    });
    row("Gini of exposure", "曝光基尼系数", &|m| {
        Some(four(m.gini))
    });
    let two =
        |of: fn(&TwoSided) -> Option<String>| move |m: &Measured| m.two_sided.as_ref().and_then(of);
    row(
        "value to those who got lists",
        "对得到名单者的价值",
        &two(|t| Some(format!("{:.4}", t.value))),
    );
    row(
        "expected matches",
        "期望匹配数",
        &two(|t| t.expected_matches.map(|x| format!("{x:.4}"))),
    );
    let envy = |e: &queqiao_eval::Envy| {
        let share = e.envious as f64 / e.agents.max(1) as f64;
        Some(format!("{} ({:.1} %)", e.envious, share * 100.0))
    };
    row(
        "envious, of those in lists",
        "名单中有嫉妒者",
        &|m| {
            m.two_sided
                .as_ref()
                .and_then(|t| envy(&t.envy_of_candidates))
        },
    );
    row(
        "envious, of those who got lists",
        "得到名单者中有嫉妒者",
        &|m| m.two_sided.as_ref().and_then(|t| envy(&t.envy_of_owners)),
    );
    row(
        "blocking pairs",
        "阻塞对",
        &two(|t| Some(t.blocking_pairs.to_string())),
    );
    row("Brier", "Brier", &|m| {
        m.calibration.as_ref().map(|c| four(c.brier))
    });
    row("ECE", "ECE", &|m| {
        m.calibration.as_ref().map(|c| four(c.ece))
    });
    right(&mut table, 1);
    let mut out = format!("{table}\n");
    if all.iter().any(|m| m.two_sided.is_some()) {
        let e = &args.examination;
        out.push_str(console.say(
            &format!("looked at: {e}; envy: more matches expected in another's place\n"),
            &format!("查看概率：{e}；嫉妒：处在他人位置时期望匹配更多\n"),
        ));
    }
    if args.qrels.is_some() && all.iter().any(|m| m.calibration.is_none()) {
        console.note(console.say(
            "Brier and ECE want scores from 0 to 1 and judged answers",
            "Brier 与 ECE 需要 0 到 1 的得分和已判断的结果",
        ));
    }
    out
}
