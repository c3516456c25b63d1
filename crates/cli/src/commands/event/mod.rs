//! `queqiao event`: plan a matchmaking event, plan it again after a change, explain a plan.

mod change;
mod show;

pub(crate) use show::relaxations;

use super::open;
use crate::{
    args::{
        Cli, EventArgs, EventCommand, EventExplainArgs, EventInput, EventPlanArgs, EventReplanArgs,
        ExampleArgs, Format, OutArgs,
    },
    failure::Failure,
    output::Console,
};
use queqiao_desk::{
    DeskError, EventBook, Plans, TrackBook, WriteOptions, add_concurrent, may_write, plans_json,
    read_earlier, read_event, write_event, write_event_example,
};
use queqiao_domain::Bilingual;
use queqiao_engine::{
    Error,
    embed::Embedder,
    event_scores,
    events::{
        conflict::same_name_key,
        plan::{Earlier, EventPlan},
    },
    plan_event, plan_panels, plan_roundtables, plan_tracks, score_panels, score_roundtables,
    score_tracks,
    solve::Stop,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub(crate) fn run(cli: &Cli, args: &EventArgs, console: &Console) -> Result<(), Failure> {
    match &args.command {
        EventCommand::Plan(a) => plan(cli, a, console),
        EventCommand::Replan(a) => replan(cli, a, console),
        EventCommand::Explain(a) => explain(cli, a, console),
        EventCommand::Example(a) => example(a, console, write_event_example, "event plan"),
    }
}

/// Writes an example, and says how to plan it.
pub(crate) fn example(
    args: &ExampleArgs,
    console: &Console,
    write: fn(&Path, &WriteOptions) -> Result<PathBuf, DeskError>,
    command: &str,
) -> Result<(), Failure> {
    let options = WriteOptions {
        lang: console.lang,
        replace: args.replace,
    };
    if args
        .file
        .extension()
        .is_none_or(|e| !e.eq_ignore_ascii_case("xlsx"))
    {
        let file = args.file.display();
        return Err(Failure::input(
            format!("{file}: expected a name that ends in .xlsx"),
            format!("{file}：文件名应以 .xlsx 结尾"),
        ));
    }
    let written = write(&args.file, &options)?.display().to_string();
    // To be pasted.
    let plain = |c: char| c.is_alphanumeric() || "/\\._-:".contains(c);
    let path = match written.chars().all(plain) {
        true => written,
        false => format!("'{}'", written.replace('\'', r"'\''")),
    };
    console.line(console.say(
        &format!("written to {path}; plan it: queqiao {command} {path} --out plan.xlsx"),
        &format!("已写入 {path}；生成方案：queqiao {command} {path} --out plan.xlsx"),
    ));
    Ok(())
}

fn plan(cli: &Cli, args: &EventPlanArgs, console: &Console) -> Result<(), Failure> {
    free(&args.out, console)?;
    let mut desk = Desk::open(cli, &args.input, console)?;
    let plans = desk.plans(None)?;
    desk.finish(&args.out, &plans)
}

fn replan(cli: &Cli, args: &EventReplanArgs, console: &Console) -> Result<(), Failure> {
    free(&args.out, console)?;
    let mut desk = Desk::open(cli, &args.input, console)?;
    let before = read_earlier(&args.before, &desk.book.event)?;
    let event = &mut desk.book.event;
    for who in &args.cancel {
        change::cancel(event, who)?;
    }
    for lost in &args.lose_table {
        change::lose_table(event, lost)?;
    }
    for late in &args.late {
        change::late(event, late)?;
    }
    let plans = desk.plans(Some(&before))?;
    desk.finish(&args.out, &plans)
}

fn explain(cli: &Cli, args: &EventExplainArgs, console: &Console) -> Result<(), Failure> {
    let mut desk = Desk::open(cli, &args.input, console)?;
    let event = &desk.book.event;
    let key = same_name_key(&args.need);
    let Some(need) = event.needs.iter().position(|n| same_name_key(&n.id) == key) else {
        return Err(Failure::input(
            format!(
                "--need {}: the event has no such need; expected an id of its needs",
                args.need
            ),
            format!("--need {}：活动中没有这项需求；应为需求编号", args.need),
        ));
    };
    let expert = change::attendee(event, &args.expert)?;
    let plan = desk.meetings(None)?;
    let event = &desk.book.event;
    let why = plan.explain(event, need, expert);
    match args.input.format {
        Format::Json => console.json(&serde_json::json!({
            "need": event.needs[need].id,
            "expert": event.attendees[expert].profile.id,
            "why": why,
        })),
        Format::Table => {
            console.line(console.text(&why));
            Ok(())
        }
    }
}

fn options(out: &OutArgs, console: &Console) -> WriteOptions {
    WriteOptions {
        lang: console.lang,
        replace: out.replace,
    }
}

/// A name that is taken is told before anything is computed.
fn free(out: &OutArgs, console: &Console) -> Result<(), Failure> {
    match &out.out {
        Some(path) => Ok(may_write(path, &options(out, console))?),
        None => Ok(()),
    }
}

/// An event that was read, with what planning it needs.
struct Desk<'a> {
    cli: &'a Cli,
    input: &'a EventInput,
    console: &'a Console,
    book: EventBook,
    stop: Stop,
    /// Loaded once, and only where the organiser gives no scores.
    model: Option<Arc<dyn Embedder>>,
}

impl<'a> Desk<'a> {
    fn open(cli: &'a Cli, input: &'a EventInput, console: &'a Console) -> Result<Self, Failure> {
        let mut book = read_event(&input.event)?;
        for path in &input.with {
            let taken = add_concurrent(path, &mut book.event)?;
            book.event.notes.push(taken_in(path, taken));
        }
        Ok(Self {
            cli,
            input,
            console,
            book,
            stop: Stop::after(Duration::from_secs(input.time_limit)),
            model: None,
        })
    }

    fn model(&mut self) -> Result<Arc<dyn Embedder>, Failure> {
        if let Some(model) = &self.model {
            return Ok(Arc::clone(model));
        }
        let model = open::model(self.cli, self.input.model.as_deref())?;
        self.model = Some(Arc::clone(&model));
        Ok(model)
    }

    /// What cannot be planned is told as a document too, where one was asked for.
    fn planned<T>(&self, result: Result<T, Error>) -> Result<T, Failure> {
        if let Err(Error::Plan(e)) = &result
            && let Some(certificate) = e.certificate()
        {
            match self.input.format {
                Format::Json => self
                    .console
                    .json(&serde_json::json!({ "impossible": certificate }))?,
                Format::Table => show::relaxations(self.console, certificate),
            }
        }
        Ok(result?)
    }

    fn meetings(&mut self, before: Option<&[Earlier]>) -> Result<EventPlan, Failure> {
        if !self.book.meets() {
            return Err(Failure::input(
                "the event has no needs and experts that could meet",
                "活动中没有可以会面的需求与专家",
            ));
        }
        let scores = if self.book.event.scores.is_empty() {
            let model = self.model()?;
            event_scores(&self.book.event, model)?
        } else {
            Vec::new()
        };
        self.planned(plan_event(&self.book.event, &scores, before, &self.stop))
    }

    fn plans(&mut self, before: Option<&[Earlier]>) -> Result<Plans, Failure> {
        let mut plans = Plans::default();
        if self.book.meets() || before.is_some() {
            plans.meetings = Some(self.meetings(before)?);
        }
        if let Some(mut book) = self.book.panels.take() {
            if book.problem.scores.is_empty() {
                let model = self.model()?;
                let (a, r) = (&book.applications, nameless(&book.reviewers));
                score_panels(&mut book.problem, a, &r, model)?;
            }
            plans.panels = Some(self.planned(plan_panels(&book.problem, &self.stop))?);
            self.book.panels = Some(book);
        }
        if let Some(mut book) = self.book.rounds.take() {
            if !book.fitted {
                let model = self.model()?;
                let tables = texts(book.tables.iter().map(|t| (&t.name, &t.text)));
                let guests: Vec<(String, String)> = book
                    .texts
                    .iter()
                    .map(|t| (String::new(), t.clone()))
                    .collect();
                score_roundtables(&mut book.problem, &tables, &guests, &book.host_of, model)?;
            }
            let seed = self.book.event.rules.seed;
            let seating = plan_roundtables(&book.problem, seed, &self.stop);
            plans.rounds = Some(self.planned(seating)?);
            self.book.rounds = Some(book);
        }
        if let Some(mut book) = self.book.tracks.take() {
            if !book.scored() {
                let model = self.model()?;
                score_lists(&mut book, model)?;
            }
            plans.tracks = Some(self.planned(plan_tracks(&book.problem, &self.stop))?);
            self.book.tracks = Some(book);
        }
        Ok(plans)
    }

    fn finish(&self, out: &OutArgs, plans: &Plans) -> Result<(), Failure> {
        if let Some(path) = &out.out {
            write_event(path, &self.book, plans, &options(out, self.console))?;
        }
        let json = plans_json(&self.book, plans);
        if self.input.format == Format::Json {
            return self.console.json(&json);
        }
        show::plans(self.console, &json);
        if let Some(path) = &out.out {
            let written = self.console.say("written to", "已写入");
            self.console.line(format!("{written} {}", path.display()));
        }
        Ok(())
    }
}

fn score_lists(book: &mut TrackBook, model: Arc<dyn Embedder>) -> Result<(), Failure> {
    let lists = texts(book.lists.iter().map(|l| (&l.name, &l.text)));
    let projects = texts(book.projects.iter().map(|p| (&p.name, &p.text)));
    score_tracks(&mut book.problem, &lists, &projects, &book.only, model)?;
    Ok(())
}

fn texts<'a>(all: impl Iterator<Item = (&'a String, &'a String)>) -> Vec<(String, String)> {
    all.map(|(a, b)| (a.clone(), b.clone())).collect()
}

/// Texts without the names of people, which say nothing about what they do.
fn nameless(all: &[(String, String)]) -> Vec<(String, String)> {
    all.iter()
        .map(|(_, text)| (String::new(), text.clone()))
        .collect()
}

fn taken_in(path: &Path, meetings: usize) -> Bilingual {
    let path = path.display();
    Bilingual::new(
        format!("{path}: {meetings} meetings of experts who come here too were taken in"),
        format!("{path}：已计入同期活动中本活动专家的 {meetings} 场会面"),
    )
}
