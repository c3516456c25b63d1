//! `queqiao match`: who can help with a need, or whom an expert can help.

use super::{needs, open, why};
use crate::{
    args::{Cli, DiverseArg, Format, MatchArgs},
    failure::Failure,
    output::{Console, shorten},
};
use queqiao_domain::{Filter, Lang, Record, RecordId, parse_date};
use queqiao_engine::{
    Ask, ClauseMatch, Diversity, DiversityMethod, Engine, Error, FigureMatch, MAX_TEXT, Match,
    MatchRequest, MatchResponse, Part, Verdict,
};
use queqiao_intake::{ImportOptions, RowResult, Source};
use serde::Serialize;
use std::path::Path;

/// Needs that may ask by a condition.
const NEEDS: usize = 1_000;

/// One question and its answer.
#[derive(Serialize)]
struct Answer {
    /// The asking record's id and title, or the beginning of the text.
    asked: String,
    #[serde(flatten)]
    answer: MatchResponse,
}

pub(crate) fn run(cli: &Cli, args: &MatchArgs, console: &Console) -> Result<(), Failure> {
    let today = match &args.today {
        None => open::today(),
        Some(text) => parse_date(text).ok_or_else(|| {
            Failure::input(
                format!("--today {text} is no day: expected such as 2026-11-23"),
                format!("--today {text} 不是日期：应为 2026-11-23 之类"),
            )
        })?,
    };
    let filter = Filter::parse(&args.filter).map_err(|e| {
        Failure::input(
            format!("--filter: {e}"),
            format!("--filter：{}", e.message().zh),
        )
    })?;
    let request = |ask: Ask| MatchRequest {
        to: args.to.clone(),
        filter: filter.clone(),
        k: args.k,
        clauses: args.explain,
        keep: args.keep,
        diversity: args.diverse.map(|method| Diversity {
            method: match method {
                DiverseArg::Mmr => DiversityMethod::Mmr,
                DiverseArg::Xquad => DiversityMethod::Xquad,
            },
            least: 0.99,
        }),
        exploration: args.explore,
        mode: args.mode.into(),
        own_organisation: args.own_organisation,
        weights: args.weight.clone(),
        per_organisation: args.per_organisation.map(usize::from),
        ..MatchRequest::new(ask, today)
    };
    // What is asked is read before the data folder is opened: a slip is told at once.
    let mut questions: Vec<(String, Ask)> = match (&args.text, &args.file) {
        (Some(text), _) => vec![(shorten(text, 60), Ask::Text(text.clone()))],
        (_, Some(file)) => read_questions(file, args.kind)?,
        _ if args.needs_where.is_some() => Vec::new(),
        _ if args.need.is_empty() => {
            return Err(Failure::input(
                "nothing asks: give --need, --where, --text or --file",
                "请给出 --need、--where、--text 或 --file",
            ));
        }
        _ => {
            let each = args.need.iter().map(|id| match RecordId::new(id.as_str()) {
                Ok(id) => Ok((id.to_string(), Ask::Record(id))),
                Err(e) => Err(Failure::input(
                    format!("--need: {e}"),
                    format!("--need：{e}"),
                )),
            });
            each.collect::<Result<_, Failure>>()?
        }
    };
    if args.why.is_some() && questions.len() > 1 {
        return Err(Failure::input(
            "--why explains one question: give one --need",
            "--why 只解释一个问题：请只给一个 --need",
        ));
    }
    let engine = open::engine(cli, &args.data.folder, args.model.as_deref())?;
    let tenant = &args.data.tenant;
    if let Some(filter) = &args.needs_where {
        let needs = needs::passing(&engine, tenant, filter, NEEDS)?;
        let each = needs.into_iter();
        questions.extend(each.map(|n| (n.id.to_string(), Ask::Record(n.id))));
    }
    let title = |ask: &Ask| match ask {
        Ask::Record(id) => engine
            .get(tenant, None, id, false)
            .map_or(String::new(), |s| s.record.title),
        Ask::Draft(record) => record.title.clone(),
        Ask::Text(_) => String::new(),
    };
    if let (Some(id), Some((asked, ask))) = (&args.why, questions.first()) {
        let id = RecordId::new(id.as_str())
            .map_err(|e| Failure::input(format!("--why: {e}"), format!("--why：{e}")))?;
        let list = (args.k > 0).then_some(args.k);
        let told = engine.explain(tenant, &request(ask.clone()), &id, list, true)?;
        return match args.format {
            Format::Json => console.json(&told),
            Format::Table => {
                why::print(console, asked, &told);
                Ok(())
            }
        };
    }
    // Rows of a file, and needs that pass a condition, get a list of answers, even when there is one.
    let several = args.needs_where.is_some() || args.need.len() > 1 || args.together;
    let single = !several && !matches!(questions.first(), Some((_, Ask::Draft(_))));
    let bar = console.progress(questions.len() as u64, "matching", "匹配");
    let mut answers = Vec::with_capacity(questions.len());
    // Lists that are made together are made in one go.
    let at_once = if args.together { questions.len() } else { 100 };
    for chunk in questions.chunks(at_once) {
        let requests: Vec<MatchRequest> = chunk.iter().map(|(_, a)| request(a.clone())).collect();
        let found: Vec<Result<MatchResponse, Error>> = match args.together {
            true => {
                let all = engine.find_matches_together(tenant, &requests)?;
                all.into_iter().map(Ok).collect()
            }
            false => engine.find_matches_batch(tenant, &requests)?,
        };
        for ((asked, ask), answer) in chunk.iter().zip(found) {
            let title = title(ask);
            answers.push(Answer {
                asked: if title.is_empty() {
                    asked.clone()
                } else {
                    format!("{asked} {title}")
                },
                answer: answer?,
            });
        }
        bar.inc(chunk.len() as u64);
    }
    bar.finish_and_clear();
    match args.format {
        Format::Json => match (single, answers.first()) {
            (true, Some(one)) => console.json(one),
            _ => console.json(&serde_json::json!({ "answers": answers })),
        },
        Format::Table => {
            for a in &answers {
                print(console, &engine, a, args.explain);
                if args.keep {
                    console.line(format!("  match_id {}", a.answer.match_id));
                }
            }
            Ok(())
        }
    }
}

/// A text file asks as one text; rows of a spreadsheet ask one by one.
pub(crate) fn read_questions(
    file: &Path,
    kind: Option<queqiao_domain::Kind>,
) -> Result<Vec<(String, Ask)>, Failure> {
    let shown = file.display();
    let plain = file
        .extension()
        .is_none_or(|e| e.eq_ignore_ascii_case("txt") || e.eq_ignore_ascii_case("md"));
    if plain {
        let size = std::fs::metadata(file).map_or(0, |m| m.len());
        if size > (MAX_TEXT * 4) as u64 {
            return Err(Failure::input(
                format!(
                    "{shown} has {size} bytes: a text has at most {MAX_TEXT} characters; import longer documents as records"
                ),
                format!(
                    "{shown} 有 {size} 字节：文本至多 {MAX_TEXT} 个字符；更长的材料请作为记录导入"
                ),
            ));
        }
        let bytes = std::fs::read(file).map_err(|e| {
            Failure::input(
                format!("{shown} cannot be read: {e}"),
                format!("无法读取 {shown}：{e}"),
            )
        })?;
        let text = String::from_utf8(bytes).map_err(|e| {
            let at = e.utf8_error().valid_up_to();
            Failure::input(
                format!("{shown} is not UTF-8 after byte {at}: save it as UTF-8"),
                format!("{shown} 在第 {at} 字节后不是 UTF-8：请另存为 UTF-8"),
            )
        })?;
        return Ok(vec![(shorten(&text, 60), Ask::Text(text))]);
    }
    let options = ImportOptions {
        kind,
        ..ImportOptions::default()
    };
    let mut questions = Vec::new();
    for row in Source::open(file, &options)? {
        let row = row?;
        match row.result {
            RowResult::Record(record) => {
                let record: Record = record.into_inner();
                questions.push((record.id.to_string(), Ask::Draft(Box::new(record))));
            }
            RowResult::Repeats(_) => {}
            RowResult::Bad(issues) => {
                let told: Vec<_> = issues.iter().map(queqiao_intake::Issue::describe).collect();
                let join = |lang: Lang| {
                    told.iter()
                        .map(|t| t.get(lang))
                        .collect::<Vec<_>>()
                        .join("\n  ")
                };
                return Err(Failure::input(join(Lang::En), join(Lang::Zh)));
            }
        }
    }
    if questions.is_empty() {
        return Err(Failure::input(
            format!("{shown} holds no row"),
            format!("{shown} 没有数据行"),
        ));
    }
    Ok(questions)
}

fn print(console: &Console, engine: &Engine, a: &Answer, explain: bool) {
    console.line(format!("» {}", a.asked));
    for note in &a.answer.notes {
        console.line(format!("  ! {}", console.text(&note.message)));
    }
    for m in &a.answer.matches {
        print_match(console, m, explain);
    }
    for c in &a.answer.uncovered {
        console.line(format!(
            "  ! {} “{}”  ({} {}–{})",
            console.say("nobody here covers", "以上均未覆盖"),
            shorten(&c.text, 100),
            c.path,
            c.start,
            c.end
        ));
    }
    console.line(match console.lang {
        Lang::En => format!(
            "  {} of {} records considered; model {}, weights {}",
            a.answer.admitted,
            a.answer.total,
            engine.model(),
            a.answer.weights
        ),
        Lang::Zh => format!(
            "  共 {} 条记录，符合条件 {} 条；模型 {}，权重 {}",
            a.answer.total,
            a.answer.admitted,
            engine.model(),
            a.answer.weights
        ),
    });
}

/// One match as a few lines: who, the passage that earned it, and what of the question it answers.
pub(crate) fn print_match(console: &Console, m: &Match, explain: bool) {
    let mut about = vec![
        console.say(m.kind.as_str(), m.kind.zh()).to_owned(),
        m.id.to_string(),
    ];
    if let Some(f) = &m.facets {
        about.extend(f.organisation.iter().map(|o| o.name.clone()));
        about.extend(f.region.map(|r| r.full_name()));
    } else if let Some(d) = &m.disclosed {
        about.extend(d.region.map(|r| r.full_name()));
        about.extend(d.industries.iter().map(|i| i.name().to_owned()));
    }
    let title = match m.title.is_empty() {
        true if m.facets.is_none() => console.say("(sealed)", "（密封）").to_owned(),
        true => m.id.to_string(),
        false => shorten(&m.title, 60),
    };
    console.line(format!(
        "{:>3}  {:.3}  {title}  [{}]",
        m.rank,
        m.score.get(),
        about.join(" · ")
    ));
    for clause in m.disclosed.iter().flat_map(|d| &d.released) {
        console.line(format!(
            "            “{}”  {}",
            shorten(clause, 100),
            console.say("(released)", "（已公开）")
        ));
    }
    if let Some(q) = &m.quote {
        console.line(format!(
            "            “{}”  ({} {}–{})",
            shorten(&q.excerpt.text, 100),
            q.excerpt.path,
            q.excerpt.start,
            q.excerpt.end
        ));
        if let Some(asked) = &q.asked {
            console.line(format!(
                "            {} “{}”  ({} {}–{})",
                console.say("answers", "回应"),
                shorten(&asked.text, 100),
                asked.path,
                asked.start,
                asked.end
            ));
        }
    }
    if let Some(wanted) = m.wanted {
        console.line(format!(
            "            {} {:.0} %",
            console.say(
                "wants the asker, of all who ask:",
                "对提问方的意愿（相对其最想对接者）："
            ),
            wanted * 100.0
        ));
    }
    for f in &m.figures {
        // What nobody says is told where everything is.
        if f.verdict.is_some() || explain {
            console.line(format!("            {}", figure(console, f)));
        }
    }
    for c in &m.clauses {
        console.line(format!("            {}", clause(console, c)));
    }
    if !explain {
        console.line(format!("            {}", summary(console, m)));
    } else {
        for p in &m.parts {
            console.line(format!("            {}", part(console, p)));
        }
    }
}

/// A part of a score: `+0.2100 = 0.350 × 0.6000  meaning, three passages`.
pub(crate) fn part(console: &Console, p: &Part) -> String {
    let (en, zh) = p.feature.label();
    let value = p
        .value
        .map_or(console.say("unknown", "未知").to_owned(), |v| {
            format!("{v:.4}")
        });
    format!(
        "{:+.4} = {:.3} × {value}  {}",
        p.contribution,
        p.weight,
        console.say(en, zh)
    )
}

/// A figure that was asked for and what came of it: `✓ 转化率≥67% ← 转化率达到72% (+7.5 %)`.
fn figure(console: &Console, f: &FigureMatch) -> String {
    let sign = match f.verdict {
        Some(Verdict::Met) => "✓",
        Some(Verdict::Partial) => "~",
        Some(Verdict::Short) => "✗",
        None => "?",
    };
    let margin = f
        .margin
        .map_or(String::new(), |m| format!(" ({:+.1} %)", m * 100.0));
    let answer = match &f.offered {
        Some(p) => format!("“{}”  ({} {}–{})", p.text, p.path, p.start, p.end),
        None => console
            .say("no comparable figure here", "此处没有可比的指标")
            .to_owned(),
    };
    format!("{sign} “{}” ← {answer}{margin}", f.asked.text)
}

/// A clause that was asked and what answers it: `✓ 0.71 “降低膜污染” ← “抗污染膜”  (passages[0].text 3–7)`.
fn clause(console: &Console, c: &ClauseMatch) -> String {
    let (sign, answer) = match &c.answer {
        Some(p) => (
            if c.contradicted { "✗" } else { "✓" },
            format!(
                "“{}”  ({} {}–{})",
                shorten(&p.text, 60),
                p.path,
                p.start,
                p.end
            ),
        ),
        None => ("–", console.say("not covered", "未覆盖").to_owned()),
    };
    format!(
        "{sign} {:.2} “{}” ← {answer}",
        c.strength,
        shorten(&c.asked.text, 60)
    )
}

/// The score by family, largest first: `meaning 0.522 · words 0.191 · industry 0.040`.
fn summary(console: &Console, m: &Match) -> String {
    let mut families: Vec<(&str, f64)> = Vec::new();
    for p in &m.parts {
        let (en, zh) = p.feature.family();
        let name = console.say(en, zh);
        match families.iter_mut().find(|f| f.0 == name) {
            Some(f) => f.1 += p.contribution,
            None => families.push((name, p.contribution)),
        }
    }
    families.retain(|f| f.1.abs() >= 0.0005);
    families.sort_by(|a, b| b.1.total_cmp(&a.1));
    let parts: Vec<String> = families
        .iter()
        .map(|(n, v)| format!("{n} {v:.3}"))
        .collect();
    format!("= {}", parts.join(" + "))
}
