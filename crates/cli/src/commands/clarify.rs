//! `queqiao clarify`: how well a need is described, and what to ask back.

use super::{matching::read_questions, open};
use crate::{
    args::{ClarifyArgs, Cli, Format},
    failure::Failure,
    output::{Console, shorten},
};
use queqiao_domain::{Kind, RecordId};
use queqiao_engine::{Ask, Clarity, MatchRequest};
use serde::Serialize;

/// Questions shown of each need; JSON has them all.
const SHOWN: usize = 5;

#[derive(Serialize)]
struct Told {
    asked: String,
    #[serde(flatten)]
    clarity: Clarity,
}

pub(crate) fn run(cli: &Cli, args: &ClarifyArgs, console: &Console) -> Result<(), Failure> {
    let asked: Vec<(String, Ask)> = match (&args.need, &args.text, &args.file) {
        (Some(id), _, _) => {
            let id = RecordId::new(id.as_str())
                .map_err(|e| Failure::input(format!("--need: {e}"), format!("--need：{e}")))?;
            vec![(id.to_string(), Ask::Record(id))]
        }
        (_, Some(text), _) => vec![(shorten(text, 60), Ask::Text(text.clone()))],
        (_, _, Some(file)) => read_questions(file, Some(Kind::Need))?,
        _ => {
            return Err(Failure::input(
                "nothing to clarify: give --need, --text or --file",
                "请给出 --need、--text 或 --file",
            ));
        }
    };
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let bar = console.progress(asked.len() as u64, "clarifying", "澄清");
    let mut told = Vec::with_capacity(asked.len());
    for (name, ask) in asked {
        let title = match &ask {
            Ask::Draft(r) => r.title.clone(),
            _ => String::new(),
        };
        let request = MatchRequest {
            to: args.to.clone(),
            ..MatchRequest::new(ask, open::today())
        };
        told.push(Told {
            asked: format!("{name} {title}").trim_end().to_owned(),
            clarity: engine.clarify(&args.over.data.tenant, &request)?,
        });
        bar.inc(1);
    }
    bar.finish_and_clear();
    match (args.over.format, told.as_slice()) {
        (Format::Json, [one]) if args.file.is_none() => console.json(one),
        (Format::Json, all) => console.json(&serde_json::json!({ "needs": all })),
        (Format::Table, [one]) => {
            print(console, one);
            Ok(())
        }
        (Format::Table, all) => {
            table(console, all);
            Ok(())
        }
    }
}

fn missing(console: &Console, c: &Clarity) -> Vec<String> {
    let parts = c.description.parts.iter().filter(|p| !p.present);
    parts
        .map(|p| {
            let (en, zh) = p.part.label();
            console.say(en, zh).to_owned()
        })
        .collect()
}

fn print(console: &Console, t: &Told) {
    let c = &t.clarity;
    console.line(format!("» {}", t.asked));
    let percent = (c.description.score * 100.0).round();
    let missing = missing(console, c);
    console.line(console.say(
        &format!(
            "  described to {percent} %; missing: {}",
            list(&missing, "nothing", ", ")
        ),
        &format!(
            "  描述完整度 {percent}%；缺少：{}",
            list(&missing, "无", "、")
        ),
    ));
    if let Some(s) = &c.description.stuffed {
        console.line(format!("  ! {}", console.text(s)));
    }
    for (id, similarity) in &c.near_duplicates {
        let percent = (similarity * 100.0).round();
        console.line(console.say(
            &format!("  ! {id} says nearly the same ({percent} %)"),
            &format!("  ! 与 {id} 内容相近（{percent}%）"),
        ));
    }
    for q in c.questions.iter().take(SHOWN) {
        console.line(format!(
            "  ? {:.2}  {}",
            q.expected_change,
            console.text(&q.question)
        ));
        for a in &q.answers {
            console.line(format!("            {:.2}  {}", a.change, a.text));
        }
    }
}

fn list(of: &[String], none: &str, with: &str) -> String {
    match of.is_empty() {
        true => none.to_owned(),
        false => of.join(with),
    }
}

fn table(console: &Console, all: &[Told]) {
    let mut table = console.table([
        console.say("need", "需求"),
        console.say("described", "完整度"),
        console.say("missing", "缺少"),
        console.say("ask first", "首先要问"),
        console.say("look at", "请留意"),
    ]);
    for t in all {
        let c = &t.clarity;
        let mut marks: Vec<String> = c
            .near_duplicates
            .iter()
            .map(|(id, s)| format!("≈ {id} ({:.0} %)", s * 100.0))
            .collect();
        marks.extend(
            c.description
                .stuffed
                .iter()
                .map(|s| console.text(s).to_owned()),
        );
        table.add_row([
            shorten(&t.asked, 40),
            format!("{:.0} %", c.description.score * 100.0),
            missing(console, c).join(console.say(", ", "、")),
            c.questions
                .first()
                .map_or(String::new(), |q| console.text(&q.question).to_owned()),
            marks.join("; "),
        ]);
    }
    console.line(table.to_string());
}
