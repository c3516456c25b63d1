//! `queqiao`, the one binary: serve, import, match, rank, train and look after a data folder.
//!
//! Purpose: everything the engine does, from a terminal or a script. Invariant: with
//! `--format json` stdout holds one JSON document and nothing else, logs and progress go to
//! stderr, and the exit code is 0 done, 1 failed, 2 bad input. It composes; it decides nothing.

mod args;
mod commands;
mod failure;
mod help;
mod log;
mod output;
mod settings;
mod traces;
mod whole;

use args::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = help::parse();
    log::begin(&cli);
    quiet_about_damage();
    let console = output::Console::new(&cli);
    let done = match cli.command {
        Command::Serve(ref a) => commands::serve::run(&cli, a),
        Command::Import(ref a) => commands::import::run(&cli, a, &console),
        Command::Export(ref a) => commands::export::run(&cli, a, &console),
        Command::Match(ref a) => commands::matching::run(&cli, a, &console),
        Command::Rank(ref a) => commands::rank::run(&cli, a, &console),
        Command::Eval(ref a) => commands::eval::run(a, &console),
        Command::Compare(ref a) => commands::compare::run(a, &console),
        Command::Lists(ref a) => commands::lists::run(a, &console),
        Command::OffPolicy(ref a) => commands::off_policy::run(a, &console),
        Command::Interleaving(ref a) => commands::interleaving::run(a, &console),
        Command::BenchQuality(ref a) => commands::quality::run(&cli, a, &console),
        Command::Clarify(ref a) => commands::clarify::run(&cli, a, &console),
        Command::Duplicates(ref a) => commands::duplicates::run(&cli, a, &console),
        Command::Chain(ref a) => commands::chain::run(&cli, a, &console),
        Command::Outcomes(ref a) => commands::outcomes::run(&cli, &a.command, &console),
        Command::Weights(ref a) => commands::weights::run(&a.command, &console),
        Command::Event(ref a) => commands::event::run(&cli, a, &console),
        Command::Team(ref a) => commands::team::run(&cli, a, &console),
        Command::Train(ref a) => commands::train::run(&cli, a, &console),
        Command::Embed(ref a) => commands::embed::run(&cli, a, &console),
        Command::Models(ref a) => commands::models::run(&cli, a, &console),
        Command::Audit(ref a) => commands::audit::run(a, &console),
        Command::Config(ref a) => commands::config::run(&cli, a, &console),
        Command::Key(ref a) => commands::key::run(a, &console),
        Command::Backup(ref a) => commands::care::backup(&cli, a, &console),
        Command::Restore(ref a) => commands::care::restore(&cli, a, &console),
        Command::Doctor(ref a) => commands::care::doctor(&cli, a, &console),
        Command::Demo(ref a) => commands::demo::run(&cli, a, &console),
    };
    traces::end();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// redb panics on some damaged pages. The store catches that and tells it as damage, in words; the
/// panic's own would only stand in the way. Every other panic is shown as ever.
fn quiet_about_damage() {
    let shown = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let of_redb = |l: &std::panic::Location<'_>| l.file().contains("redb-");
        if !info.location().is_some_and(of_redb) {
            shown(info);
        }
    }));
}
