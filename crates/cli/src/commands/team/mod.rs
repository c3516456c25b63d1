//! `queqiao team`: a service team for a set of needs, a consortium for a joint project.

mod show;
mod stored;

use super::{
    event::{example, relaxations},
    open,
};
use crate::{
    args::{Cli, Format, TeamArgs, TeamCommand, TeamComposeArgs},
    failure::Failure,
    output::Console,
};
use queqiao_desk::{
    Members, TeamBook, WriteOptions, consortium_json, may_write, read_team, team_json,
    write_consortium, write_team_example, write_team_plan,
};
use queqiao_engine::{
    score_team,
    solve::{Certificate, Stop},
    teams::{Consortium, Outcome, TeamError, consortium},
};
use std::time::Duration;

pub(crate) fn run(cli: &Cli, args: &TeamArgs, console: &Console) -> Result<(), Failure> {
    match &args.command {
        TeamCommand::Compose(a) => compose(cli, a, console),
        TeamCommand::Consortium(a) => together(cli, a, console),
        TeamCommand::Example(a) => example(a, console, write_team_example, "team compose"),
    }
}

fn compose(cli: &Cli, args: &TeamComposeArgs, console: &Console) -> Result<(), Failure> {
    let book = book(cli, args, console)?;
    let valid = book.problem.clone().check().map_err(wrong)?;
    match valid.compose(&book.params, &stop(args)) {
        Outcome::Team(plan) => {
            if let Some(path) = &args.out.out {
                write_team_plan(path, &book, &plan, &options(args, console))?;
            }
            let json = team_json(&book, &plan);
            match args.format {
                Format::Json => console.json(&json)?,
                Format::Table => {
                    show::team(console, &book, &plan, &json);
                    written(args, console);
                }
            }
            Ok(())
        }
        Outcome::Impossible(c) => Err(impossible(args, console, &c)?),
        Outcome::Unknown => Err(unknown()),
    }
}

fn together(cli: &Cli, args: &TeamComposeArgs, console: &Console) -> Result<(), Failure> {
    let book = book(cli, args, console)?;
    match consortium(book.problem.clone(), &book.consortium, &stop(args)).map_err(wrong)? {
        Consortium::Members {
            partners,
            parts,
            value,
            bound,
            proven,
        } => {
            let found = Members {
                partners: &partners,
                parts: &parts,
                value,
                bound,
                proven,
            };
            if let Some(path) = &args.out.out {
                write_consortium(path, &book, &found, &options(args, console))?;
            }
            let json = consortium_json(&book, &found);
            match args.format {
                Format::Json => console.json(&json)?,
                Format::Table => {
                    show::consortium(console, &book, &json);
                    written(args, console);
                }
            }
            Ok(())
        }
        Consortium::Impossible(c) => Err(impossible(args, console, &c)?),
        Consortium::Unknown => Err(unknown()),
    }
}

fn stop(args: &TeamComposeArgs) -> Stop {
    Stop::after(Duration::from_secs(args.time_limit))
}

fn options(args: &TeamComposeArgs, console: &Console) -> WriteOptions {
    WriteOptions {
        lang: console.lang,
        replace: args.out.replace,
    }
}

fn wrong(e: TeamError) -> Failure {
    let told = e.message();
    Failure::input(told.en, told.zh)
}

/// What collides, and on stdout the ways out.
fn impossible(
    args: &TeamComposeArgs,
    console: &Console,
    certificate: &Certificate,
) -> Result<Failure, Failure> {
    match args.format {
        Format::Json => console.json(&serde_json::json!({ "impossible": certificate }))?,
        Format::Table => relaxations(console, certificate),
    }
    let text = certificate.describe();
    Ok(Failure::input(text.en, text.zh))
}

fn unknown() -> Failure {
    Failure::failed(
        "no team was found in time, and none was proven impossible: give more with --time-limit",
        "限时内未找到团队，也未能证明不存在：请用 --time-limit 延长时间",
    )
}

fn written(args: &TeamComposeArgs, console: &Console) {
    if let Some(path) = &args.out.out {
        let written = console.say("written to", "已写入");
        console.line(format!("{written} {}", path.display()));
    }
}

/// The problem of a file or of stored needs, with the limits of the command line.
fn book(cli: &Cli, args: &TeamComposeArgs, console: &Console) -> Result<TeamBook, Failure> {
    // A name that is taken is told before anything is computed.
    if let Some(path) = &args.out.out {
        may_write(path, &options(args, console))?;
    }
    let mut book = match &args.file {
        Some(file) => {
            let mut book = read_team(file)?;
            if !book.scored {
                let model = open::model(cli, args.model.as_deref())?;
                let needs: Vec<(String, String)> = book
                    .needs
                    .iter()
                    .map(|n| (n.title.clone(), n.text.clone()))
                    .collect();
                let people: Vec<(String, String)> = book
                    .members
                    .iter()
                    .map(|m| (String::new(), m.text.clone()))
                    .collect();
                score_team(&mut book.problem, &needs, &people, model)?;
            }
            book
        }
        None => stored::book(cli, args)?,
    };
    let p = &mut book.problem;
    p.size = args.size.unwrap_or(p.size);
    p.budget = args.budget.or(p.budget);
    p.per_institution = args.per_institution.or(p.per_institution);
    p.least_societies = args.societies.unwrap_or(p.least_societies);
    p.least_leads = args.leads.unwrap_or(p.least_leads);
    book.params.robust = args.robust.unwrap_or(book.params.robust);
    Ok(book)
}
