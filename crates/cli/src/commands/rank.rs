//! `queqiao rank`: a collection as a TREC run.

use super::open;
use crate::{
    args::{Cli, PoolArg, RankArgs},
    failure::Failure,
    output::Console,
    whole::Whole,
};
use queqiao_engine::{Collection, Error, Feature, Pool, RankOptions, RunLine};
use queqiao_eval::write_run_line;
use std::{
    io::{self, Write},
    path::Path,
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

    let mut run = Whole::create(&args.run).map_err(unwritten(&args.run))?;
    let mut features = match &args.features {
        Some(path) => {
            let names: Vec<&str> = Feature::ALL.iter().map(|f| f.as_str()).collect();
            let begun = Whole::create(path).and_then(|mut f| {
                writeln!(f, "query\tdocument\t{}", names.join("\t"))?;
                Ok(f)
            });
            Some((path, begun.map_err(unwritten(path))?))
        }
        None => None,
    };
    let bar = console.progress(collection.queries() as u64, "ranking", "排序");
    collection.rank(
        model,
        &RankOptions {
            mode: args.mode.into(),
            pool: match args.pool {
                PoolArg::All => Pool::All,
                PoolArg::Judged => Pool::Judged,
            },
            depth: args.depth,
            weights,
            every_feature: args.features.is_some(),
        },
        &|done| bar.set_position(done as u64),
        |lines| {
            for l in &lines {
                let ids = (l.query.as_str(), l.document.as_str());
                write_run_line(&mut run, ids, l.rank, l.score, &name)
                    .map_err(unwritten(&args.run))?;
            }
            if let Some((path, f)) = &mut features {
                for l in &lines {
                    write_features(f, l).map_err(unwritten(path))?;
                }
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    run.finish().map_err(unwritten(&args.run))?;
    if let Some((path, f)) = features {
        f.finish().map_err(unwritten(path))?;
    }
    console.note(format!(
        "{}: {} {}, {} {}",
        args.run.display(),
        collection.queries(),
        console.say("queries", "个查询"),
        collection.documents(),
        console.say("documents", "篇文档"),
    ));
    Ok(())
}

/// A row of features; an empty cell is unknown.
fn write_features(out: &mut impl Write, line: &RunLine) -> io::Result<()> {
    write!(out, "{}\t{}", line.query, line.document)?;
    for value in line.features {
        match value {
            Some(v) => write!(out, "\t{v:.6}")?,
            None => write!(out, "\t")?,
        }
    }
    writeln!(out)
}

fn unwritten(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |source| Error::Io {
        path,
        doing: "written",
        source,
    }
}
