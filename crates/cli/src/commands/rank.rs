//! `queqiao rank`: a collection as a TREC run.

use super::open;
use crate::{
    args::{Cli, PoolArg, RankArgs},
    failure::Failure,
    output::Console,
};
use queqiao_engine::{Collection, Error, Feature, Pool, RankOptions, RunLine};
use queqiao_eval::write_run_line;
use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
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

    let mut run = Whole::create(&args.run)?;
    let mut features = args.features.as_deref().map(Whole::create).transpose()?;
    if let Some(f) = &mut features {
        let names: Vec<&str> = Feature::ALL.iter().map(|f| f.as_str()).collect();
        f.write(|out| writeln!(out, "query\tdocument\t{}", names.join("\t")))?;
    }
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
                run.write(|out| write_run_line(out, ids, l.rank, l.score, &name))?;
            }
            if let Some(f) = &mut features {
                for l in &lines {
                    f.write(|out| write_features(out, l))?;
                }
            }
            Ok(())
        },
    )?;
    bar.finish_and_clear();
    run.finish()?;
    if let Some(f) = features {
        f.finish()?;
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

/// A file that appears whole or not at all.
struct Whole {
    path: PathBuf,
    temporary: PathBuf,
    out: BufWriter<File>,
    finished: bool,
}

impl Whole {
    fn create(path: &Path) -> Result<Self, Error> {
        let mut name = path.as_os_str().to_owned();
        name.push(".part");
        let temporary = PathBuf::from(name);
        let file = File::create(&temporary).map_err(unwritten(path))?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            out: BufWriter::new(file),
            finished: false,
        })
    }

    fn write(
        &mut self,
        f: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), Error> {
        f(&mut self.out).map_err(unwritten(&self.path))
    }

    fn finish(mut self) -> Result<(), Error> {
        self.out.flush().map_err(unwritten(&self.path))?;
        std::fs::rename(&self.temporary, &self.path).map_err(unwritten(&self.path))?;
        self.finished = true;
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.finished {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

fn unwritten(path: &Path) -> impl FnOnce(io::Error) -> Error + use<> {
    let path = path.display().to_string();
    move |source| Error::Io {
        path,
        doing: "written",
        source,
    }
}
