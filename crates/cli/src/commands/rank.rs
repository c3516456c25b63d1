//! `queqiao rank`: a collection as a TREC run.

use super::open;
use crate::{
    args::{Cli, PoolArg, RankArgs},
    failure::Failure,
    output::Console,
};
use queqiao_engine::{Collection, Error, Pool, RankOptions};
use queqiao_eval::write_run_line;
use std::{
    fs::File,
    io::{BufWriter, Write},
};

pub(crate) fn run(cli: &Cli, args: &RankArgs, console: &Console) -> Result<(), Failure> {
    if args.depth == 0 {
        return Err(Failure::input(
            "--depth 0 asks for nothing: expected 1 or more",
            "--depth 应至少为 1",
        ));
    }
    let weights = open::weights(args.weights.as_deref())?;
    let collection = Collection::load(&args.collection)?;
    let model = open::model(cli, args.model.as_deref())?;
    let name = format!("queqiao-{:?}", args.mode).to_lowercase();

    // The run appears whole or not at all.
    let shown = args.run.display().to_string();
    let temporary = args.run.with_extension("part");
    let io = |source| Error::Io {
        path: shown.clone(),
        doing: "written",
        source,
    };
    let mut out = BufWriter::new(File::create(&temporary).map_err(io)?);
    let bar = console.progress(collection.queries() as u64, "ranking", "排序");
    let ranked = collection.rank(
        model,
        &RankOptions {
            mode: args.mode.into(),
            pool: match args.pool {
                PoolArg::All => Pool::All,
                PoolArg::Judged => Pool::Judged,
            },
            depth: args.depth,
            weights,
        },
        &|done| bar.set_position(done as u64),
        |lines| {
            for l in lines {
                let ids = (l.query.as_str(), l.document.as_str());
                write_run_line(&mut out, ids, l.rank, l.score, &name).map_err(io)?;
            }
            Ok(())
        },
    );
    bar.finish_and_clear();
    let written = ranked
        .and_then(|()| out.flush().map_err(io))
        .and_then(|()| std::fs::rename(&temporary, &args.run).map_err(io));
    if let Err(e) = written {
        let _ = std::fs::remove_file(&temporary);
        return Err(e.into());
    }
    console.note(format!(
        "{shown}: {} {}, {} {}",
        collection.queries(),
        console.say("queries", "个查询"),
        collection.documents(),
        console.say("documents", "篇文档"),
    ));
    Ok(())
}
