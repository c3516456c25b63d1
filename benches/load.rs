//! A load on a real server: open loop, so that a server that stalls is not asked less.
//!
//! ```sh
//! cargo build --release
//! cargo bench --bench load -- --program target/release/queqiao --records 100000 --seconds 120
//! ```
//!
//! It starts the program on an empty folder (`--data DIR`: on one that stays, and what it holds is not stored again), stores N records of five passages each in batches, invented in the
//! words of the model's vocabulary, which are as frequent as those of a language are (Zipf), waits until their
//! graphs are built, lets 64 clients ask in closed loop for a while, measures what
//! they get (the peak), and then asks at a share of it for so many seconds: every request has
//! its intended time, and its latency counts from then on, whether or not the one before was answered
//! (coordinated omission). One request in ten is a write; after each acknowledged write the record is asked
//! for at once and has to come first. Last, five times the peak is asked for: what is answered in time then is the
//! goodput.

mod load {
    pub(crate) mod figures;
    pub(crate) mod run;
    pub(crate) mod server;
    pub(crate) mod work;
}

use anyhow::{Context, Result, bail};
use load::{run, server::Program, work::Clients};
use queqiao_benches::texts::Language;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What is asked for on the command line.
#[derive(Debug)]
struct Args {
    program: PathBuf,
    /// Its words are what records are made of.
    model: PathBuf,
    records: usize,
    clients: usize,
    seconds: u64,
    /// Share of the peak that is asked for.
    share: f64,
    overload_seconds: u64,
    /// The load waits so long at most until graphs are built.
    settle_seconds: u64,
    /// So long the closed loop runs before it is measured.
    warm_seconds: u64,
    /// And so long while it is.
    peak_seconds: u64,
    /// Folder that outlives the bench; what is stored in it is not stored again.
    data: Option<PathBuf>,
}

fn args() -> Result<Option<Args>> {
    let mut given = std::env::args().skip(1).filter(|a| a != "--bench");
    let mut out = Args {
        program: PathBuf::new(),
        model: Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/queqiao-zh-en-384"),
        records: 10_000,
        clients: 64,
        seconds: 60,
        share: 0.5,
        overload_seconds: 20,
        settle_seconds: 600,
        warm_seconds: 5,
        peak_seconds: 10,
        data: None,
    };
    while let Some(flag) = given.next() {
        let mut value = || {
            given
                .next()
                .with_context(|| format!("{flag} needs a value"))
        };
        match flag.as_str() {
            "--model" => out.model = value()?.into(),
            "--program" => out.program = value()?.into(),
            "--records" => out.records = value()?.parse()?,
            "--clients" => out.clients = value()?.parse()?,
            "--seconds" => out.seconds = value()?.parse()?,
            "--share" => out.share = value()?.parse()?,
            "--warm-seconds" => out.warm_seconds = value()?.parse()?,
            "--peak-seconds" => out.peak_seconds = value()?.parse()?,
            "--settle-seconds" => out.settle_seconds = value()?.parse()?,
            "--data" => out.data = Some(value()?.into()),
            "--overload-seconds" => out.overload_seconds = value()?.parse()?,
            _ => bail!("{flag} is not known"),
        }
    }
    // Without a program there is nothing to load: `cargo test` builds this and runs it so.
    Ok((!out.program.as_os_str().is_empty()).then_some(out))
}

#[allow(clippy::print_stdout)]
fn main() -> Result<()> {
    let Some(args) = args()? else {
        return Ok(());
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let language = Language::of_model(&args.model)?;
        let mut program = Program::start(&args.program, args.data.as_deref())?;
        println!("{args:?}");
        let clients = Clients::connect(&program.address, args.clients, language).await?;
        let there = run::stored(&clients).await?.min(args.records);
        let filled = run::fill(&clients, there, args.records).await?;
        println!(
            "stored {} records of 5 passages in {:.1} s, {:.0} a second, beside some {there} that were there; resident {} MiB, {} of them its own",
            args.records - there,
            filled.as_secs_f64(),
            (args.records - there) as f64 / filled.as_secs_f64(),
            program.resident_mib(),
            program.own_mib()
        );
        let (took, pending) =
            run::settle(&clients, Duration::from_secs(args.settle_seconds)).await?;
        println!(
            "graphs built after {:.0} s more, {pending} passages without one; resident {} MiB, {} of them its own",
            took.as_secs_f64(),
            program.resident_mib(),
            program.own_mib()
        );
        // What is mapped and not in memory yet is read from disk meanwhile.
        let warm = Duration::from_secs(args.warm_seconds);
        let first = run::closed(&clients, warm).await?;
        println!("closed loop before, for {} s: {first:.1} requests a second", args.warm_seconds);
        let peak = run::closed(&clients, Duration::from_secs(args.peak_seconds)).await?;
        println!("peak, closed loop for {} s, {} clients: {peak:.1} requests a second", args.peak_seconds, args.clients);
        anyhow::ensure!(peak > 0.0, "nobody was answered in time: --warm-seconds for longer");
        let rate = peak * args.share;
        let seconds = Duration::from_secs(args.seconds);
        let report = run::open(&clients, &program, rate, seconds).await?;
        println!("open loop at {rate:.1} a second for {} s:\n{report}", args.seconds);
        let seconds = Duration::from_secs(args.overload_seconds);
        let report = run::open(&clients, &program, peak * 5.0, seconds).await?;
        println!(
            "open loop at {:.1} a second, five times the peak, for {} s:\n{report}\n  goodput: {:.1} a second, {:.2} of the peak",
            peak * 5.0,
            args.overload_seconds,
            report.goodput(),
            report.goodput() / peak
        );
        let report = run::open(&clients, &program, rate, Duration::from_secs(10)).await?;
        println!("after it, at {rate:.1} a second again for 10 s:\n{report}");
        let (store, folder) = program.bytes();
        let took = program.crash()?;
        println!(
            "killed and started again: {:.1} s until it listened; store {} MiB, folder {} MiB",
            took.as_secs_f64(),
            store >> 20,
            folder >> 20
        );
        anyhow::Ok(())
    })
}
