//! `queqiao bench-quality`: every collection ranked and measured, against the figures accepted last.

mod accepted;
mod judged;

use super::open;
use crate::{
    args::{BenchQualityArgs, Cli, Format},
    failure::Failure,
    output::Console,
};
use accepted::{Accepted, Kept, commit, rounded, value};
use judged::Judged;
use queqiao_engine::{Collection, Pool, RankOptions, Weights, embed::Embedder};
use queqiao_eval::{Evaluator, Measure, Options, Precision, Qrels, Run, parse_list, qrels_of};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What is gated.
const MEASURES: &str = "nDCG@10,AP,R@100";
/// Lines per query.
const DEPTH: usize = 1_000;

pub(crate) fn run(cli: &Cli, args: &BenchQualityArgs, console: &Console) -> Result<(), Failure> {
    if !(args.alpha > 0.0 && args.alpha < 1.0) {
        return Err(Failure::input(
            "--alpha lies between 0 and 1",
            "--alpha 应在 0 与 1 之间",
        ));
    }
    let mode = format!("{:?}", args.mode).to_lowercase();
    let before = Accepted::read(&args.accepted)?;
    let shown = args.accepted.display();
    match &before {
        None if !args.accept => {
            return Err(Failure::input(
                format!(
                    "there is no {shown}: run where the repository is, or make it with --accept"
                ),
                format!("{shown} 不存在：请在仓库目录中运行，或用 --accept 生成"),
            ));
        }
        Some(b) if b.mode != mode => {
            let was = &b.mode;
            return Err(Failure::input(
                format!(
                    "{shown} is of --mode {was}, not {mode}: name another file with --accepted"
                ),
                format!("{shown} 属于 --mode {was} 而非 {mode}：请用 --accepted 指定其他文件"),
            ));
        }
        _ => {}
    }
    let folders = collections(args)?;
    let weights = open::weights(args.weights.as_deref())?;
    let model = open::model(cli, args.model.as_deref())?;
    let measures = parse_list(MEASURES)?;
    let mut now = BTreeMap::new();
    for (name, folder) in &folders {
        let pool = pool(name, args, before.as_ref());
        let ranking = Ranking {
            model: &model,
            weights: &weights,
            mode: args.mode.into(),
        };
        let kept = ranking.measure(name, folder, pool, &measures, console)?;
        now.insert(name.clone(), kept);
    }
    let judged = Judged::of(&now, before.as_ref(), &measures, args);
    match args.format {
        Format::Json => console.json(&judged.document(&now, before.as_ref(), args))?,
        Format::Table => console.document(&judged.table(&now, before.as_ref(), console)),
    }
    if args.accept {
        let mut collections = match before {
            Some(b) if !args.only.is_empty() => b.collections,
            _ => BTreeMap::new(),
        };
        collections.extend(now);
        Accepted {
            date: open::today().to_string(),
            commit: commit(),
            model: model.fingerprint().to_string(),
            mode,
            collections,
        }
        .write(&args.accepted)?;
        console.note(format!("{shown}"));
        return Ok(());
    }
    judged.outcome(console)
}

/// The collections of the folder, by name.
fn collections(args: &BenchQualityArgs) -> Result<Vec<(String, PathBuf)>, Failure> {
    let folder = args.folder.clone().unwrap_or_else(|| {
        let shared = std::env::var_os("QUEQIAO_SHARED");
        shared
            .map_or_else(|| PathBuf::from("../shared"), PathBuf::from)
            .join("collections")
    });
    let shown = folder.display();
    let entries = fs::read_dir(&folder).map_err(|e| {
        Failure::input(
            format!(
                "{shown} cannot be read: {e}; name a folder of collections, or set QUEQIAO_SHARED"
            ),
            format!("无法读取 {shown}：{e}；请给出测试集目录，或设置 QUEQIAO_SHARED"),
        )
    })?;
    let mut out: Vec<(String, PathBuf)> = entries
        .flatten()
        .map(|e| (e.file_name().to_string_lossy().into_owned(), e.path()))
        .filter(|(_, p)| p.join("corpus.jsonl").is_file())
        .collect();
    out.sort();
    if let Some(unknown) = (args.only.iter()).find(|n| out.iter().all(|(name, _)| name != *n)) {
        let known: Vec<&str> = out.iter().map(|(n, _)| n.as_str()).collect();
        let known = known.join(", ");
        return Err(Failure::input(
            format!("{shown} holds no collection `{unknown}`; there are: {known}"),
            format!("{shown} 中没有测试集“{unknown}”；现有：{known}"),
        ));
    }
    if !args.only.is_empty() {
        out.retain(|(n, _)| args.only.contains(n));
    }
    if out.is_empty() {
        return Err(Failure::input(
            format!(
                "{shown} holds no collection: expected folders with corpus.jsonl, queries.jsonl and qrels"
            ),
            format!("{shown} 中没有测试集：应为含 corpus.jsonl、queries.jsonl 和 qrels 的目录"),
        ));
    }
    Ok(out)
}

/// Which documents a query ranks: as told, else as accepted, else all.
fn pool(name: &str, args: &BenchQualityArgs, before: Option<&Accepted>) -> Pool {
    let told = args.judged_pool.iter().any(|n| n == name);
    let was = before.and_then(|b| b.collections.get(name));
    match told || was.is_some_and(|k| k.pool == "judged") {
        true => Pool::Judged,
        false => Pool::All,
    }
}

/// How collections are ranked.
struct Ranking<'a> {
    model: &'a Arc<dyn Embedder>,
    weights: &'a Weights,
    mode: queqiao_engine::Mode,
}

impl Ranking<'_> {
    fn measure(
        &self,
        name: &str,
        folder: &Path,
        pool: Pool,
        measures: &[Measure],
        console: &Console,
    ) -> Result<Kept, Failure> {
        let collection = Collection::load(folder)?;
        let qrels = Qrels::read(folder)?;
        let bar = console.progress(collection.queries() as u64, name, name);
        let mut lines = Vec::new();
        collection.rank(
            Arc::clone(self.model),
            &RankOptions {
                mode: self.mode,
                pool,
                depth: DEPTH,
                weights: self.weights.clone(),
                every_feature: false,
            },
            &|done| bar.set_position(done as u64),
            |some| {
                lines.extend(some);
                Ok(())
            },
        )?;
        bar.finish_and_clear();
        let triples = lines
            .iter()
            .map(|l| (l.query.as_str(), l.document.as_str(), l.score));
        let run = Run::from_triples(name, triples, Precision::Double)?;
        let e = Evaluator::new(&qrels, measures, Options::default())?.run(&run)?;
        let by_measure = || measures.iter().map(Measure::to_string).enumerate();
        Ok(Kept {
            pool: if pool == Pool::Judged {
                "judged"
            } else {
                "all"
            }
            .to_owned(),
            fingerprint: fingerprint(folder)?,
            queries: e.queries.len(),
            means: by_measure()
                .map(|(i, m)| {
                    let mean = e.means.get(i).copied().unwrap_or(f64::NAN);
                    (m, value(rounded(mean)))
                })
                .collect(),
            values: by_measure()
                .map(|(i, m)| (m, e.column(i).into_iter().map(rounded).collect()))
                .collect(),
        })
    }
}

/// A hash of a collection's files.
fn fingerprint(folder: &Path) -> Result<String, Failure> {
    let mut hash = blake3::Hasher::new();
    for path in [
        folder.join("corpus.jsonl"),
        folder.join("queries.jsonl"),
        qrels_of(folder)?,
    ] {
        let bytes = fs::read(&path).map_err(|e| {
            let shown = path.display();
            Failure::failed(
                format!("{shown} cannot be read: {e}"),
                format!("无法读取 {shown}：{e}"),
            )
        })?;
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(&bytes);
    }
    Ok(hash.finalize().to_hex().chars().take(16).collect())
}
