//! Test collections in BEIR's layout with passages, ranked without a data folder.

use crate::{
    Error,
    entry::TextPipeline,
    matching::{Ranked, Ranking, by_score},
    piece::Piece,
    question::Question,
    reading::READ,
    wording::{Wording, naming},
};
use queqiao_domain::{Bilingual, Facets, Filter, Kind, Record, RecordId};
use queqiao_embed::Embedder;
use queqiao_ranking::{Feature, Scorer, Values, Weights};
use queqiao_retrieval::{Change, EmbeddedIndex, Index, IndexOptions, Mode, Shape};
use rayon::prelude::*;
use serde::Deserialize;
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
    sync::Arc,
};

/// Documents embedded at a time.
const CHUNK: usize = 4_096;

/// One line of `corpus.jsonl` or `queries.jsonl`.
#[derive(Debug, Clone, Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    passages: Vec<LinePassage>,
}

#[derive(Debug, Clone, Deserialize)]
struct LinePassage {
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
}

impl Line {
    /// Titles and texts: the record's own, then its passages. Never empty.
    fn texts(&self) -> Vec<(&str, &str)> {
        let own = (self.title.as_str(), self.text.as_str());
        let blank = own.0.trim().is_empty() && own.1.trim().is_empty();
        let mut out = if blank { vec![] } else { vec![own] };
        out.extend(
            self.passages
                .iter()
                .map(|p| (p.title.as_str(), p.text.as_str())),
        );
        if out.is_empty() {
            out.push(("", ""));
        }
        out
    }
}

/// A collection in memory.
#[derive(Debug)]
pub struct Collection {
    corpus: Vec<Line>,
    queries: Vec<Line>,
    /// Judged documents by query; empty where the collection has no judgements.
    judged: HashMap<String, HashSet<String>>,
}

/// Which documents a query ranks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// All of the corpus.
    #[default]
    All,
    /// Those with a judgement for the query.
    Judged,
}

/// One line of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunLine {
    /// Query id.
    pub query: String,
    /// Document id.
    pub document: String,
    /// From 1.
    pub rank: usize,
    /// Score.
    pub score: f64,
    /// What the score is made of, in the order of [`crate::Feature::ALL`]; `None` is unknown.
    pub features: Values,
}

/// How to rank a collection.
#[derive(Debug, Clone)]
pub struct RankOptions {
    /// Which sides of the index answer.
    pub mode: Mode,
    /// Which documents a query ranks.
    pub pool: Pool,
    /// Lines per query.
    pub depth: usize,
    /// Weights of the scorer.
    pub weights: Weights,
    /// Features that weigh nothing are told too, so that weights can be fitted to them.
    pub every_feature: bool,
}

impl Collection {
    /// Reads `corpus.jsonl`, `queries.jsonl` and, where there, `qrels/test.tsv` or `qrels.trec`.
    ///
    /// Errors name file and line.
    ///
    /// # Errors
    /// A file that is missing, or a line of it that does not read, by file and line.
    pub fn load(folder: &Path) -> Result<Self, Error> {
        let corpus = read_lines(&folder.join("corpus.jsonl"))?;
        let queries = read_lines(&folder.join("queries.jsonl"))?;
        let mut judged = HashMap::new();
        let (tsv, trec) = (folder.join("qrels/test.tsv"), folder.join("qrels.trec"));
        if tsv.exists() {
            read_qrels(&tsv, [0, 1], 3, &mut judged)?;
        } else if trec.exists() {
            read_qrels(&trec, [0, 2], 4, &mut judged)?;
        }
        Ok(Self {
            corpus,
            queries,
            judged,
        })
    }

    /// Number of documents.
    pub fn documents(&self) -> usize {
        self.corpus.len()
    }

    /// Number of queries.
    pub fn queries(&self) -> usize {
        self.queries.len()
    }

    /// Ranks every query and hands its lines to `each`, in the order of the queries file.
    ///
    /// `progress` is called with the number of queries done.
    ///
    /// # Errors
    /// The judged pool is asked for and nothing is judged; the model fails; whatever `each` returns.
    pub fn rank(
        &self,
        embedder: Arc<dyn Embedder>,
        options: &RankOptions,
        progress: &(dyn Fn(usize) + Sync),
        mut each: impl FnMut(Vec<RunLine>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if options.pool == Pool::Judged && self.judged.is_empty() {
            return Err(Error::argument(
                "pool",
                ("the collection has no judgements", "该数据集没有标注"),
                (
                    "expected qrels/test.tsv or qrels.trec in its folder, or --pool all",
                    "其目录中应有 qrels/test.tsv 或 qrels.trec，或使用 --pool all",
                ),
            ));
        }
        let pipeline = TextPipeline::new(embedder);
        let index = self.index(&pipeline)?;
        let done = std::sync::atomic::AtomicUsize::new(0);
        for chunk in self.queries.chunks(256) {
            let answers: Vec<Vec<RunLine>> = chunk
                .par_iter()
                .map(|q| {
                    let lines = self.rank_one(&pipeline, &index, q, options);
                    progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
                    lines
                })
                .collect::<Result<_, _>>()?;
            for lines in answers {
                each(lines)?;
            }
        }
        Ok(())
    }

    fn index(&self, pipeline: &TextPipeline) -> Result<EmbeddedIndex, Error> {
        let shape = Shape {
            dim: pipeline.embedder.dim(),
            fingerprint: pipeline.fingerprint(),
        };
        // A measure of quality must not depend on which graph was built.
        let index = EmbeddedIndex::in_memory_with(shape, IndexOptions::exact())?;
        let mut seq = 0;
        for (c, chunk) in self.corpus.chunks(CHUNK).enumerate() {
            let pieces: Vec<Vec<Piece<'_>>> = chunk
                .par_iter()
                .map(|line| {
                    let texts = line.texts().into_iter();
                    texts
                        .flat_map(|(title, text)| Piece::of_text(title, text))
                        .collect()
                })
                .collect();
            let records = (c * CHUNK..c * CHUNK + chunk.len())
                .map(|key| Ok((key as u64, facets(key as u64)?)))
                .collect::<Result<_, Error>>()?;
            let changes: Vec<Change> = pipeline
                .pieces_to_entries(&pieces, records)?
                .into_iter()
                .map(|e| Change::Put(Box::new(e)))
                .collect();
            seq += changes.len() as u64;
            index.apply(changes, seq)?;
        }
        Ok(index)
    }

    fn rank_one(
        &self,
        pipeline: &TextPipeline,
        index: &EmbeddedIndex,
        query: &Line,
        options: &RankOptions,
    ) -> Result<Vec<RunLine>, Error> {
        let question = Question::from_passages(pipeline, &query.texts())?;
        let nothing = HashSet::new();
        let judged = self.judged.get(&query.id).unwrap_or(&nothing);
        let document = |key: u64| self.corpus[key as usize].id.as_str();
        let (mut ranked, _) = Ranking {
            question: &question,
            filter: &Filter::All,
            admit: &|key, _| {
                document(key) != query.id
                    && (options.pool == Pool::All || judged.contains(document(key)))
            },
            mode: options.mode,
            wanted: options.depth,
            weights: &options.weights,
            sees_sealed: true,
            today: None,
            activities: None,
            every_feature: options.every_feature,
        }
        .run(index)?;
        if options.mode != Mode::Lexical
            && (options.every_feature || options.weights.get(Feature::TitleWords) > 0.0)
        {
            self.read_words(pipeline, &question, &options.weights, &mut ranked)?;
        }
        // The engine breaks ties by its own ids; a run breaks them by the collection's.
        let mut lines: Vec<(f64, &str, Values)> = ranked
            .iter()
            .map(|r| (r.score.get(), document(r.candidate.key), r.values))
            .collect();
        lines.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        Ok(lines
            .into_iter()
            .take(options.depth)
            .enumerate()
            .map(|(i, (score, document, features))| RunLine {
                query: query.id.clone(),
                document: document.to_owned(),
                rank: i + 1,
                score,
                features,
            })
            .collect())
    }
}

impl Collection {
    /// How near the words of the best come to those of the title, as the engine tells it of records; ranks the
    /// best anew.
    fn read_words(
        &self,
        pipeline: &TextPipeline,
        question: &Question,
        weights: &Weights,
        ranked: &mut [Ranked],
    ) -> Result<(), Error> {
        let Some(wording) = Wording::of(pipeline, question)? else {
            return Ok(());
        };
        let n = ranked.len().min(READ);
        let best = &mut ranked[..n];
        let texts: Vec<Vec<&str>> = best
            .iter()
            .map(|r| {
                let texts = self.corpus[r.candidate.key as usize].texts();
                let heads = texts.iter().map(|t| t.0).collect();
                naming(heads, texts.iter().map(|t| t.1))
            })
            .collect();
        let scorer = Scorer::new(weights);
        for (r, near) in best.iter_mut().zip(wording.near(&texts)?) {
            r.values[Feature::TitleWords as usize] = near;
            r.score = scorer.score(&r.values);
        }
        best.sort_by(by_score);
        Ok(())
    }
}

/// How well each offer answers each ask, without a data folder: (ask, offer, score ≥ 0), of each ask
/// the `depth` best. Asks and offers are title and text.
///
/// # Errors
/// The model or the index fails.
pub fn pair_scores(
    asks: &[(String, String)],
    offers: &[(String, String)],
    embedder: Arc<dyn Embedder>,
    depth: usize,
) -> Result<Vec<(usize, usize, f64)>, Error> {
    let lines = |mark: &str, texts: &[(String, String)]| -> Vec<Line> {
        texts
            .iter()
            .enumerate()
            .map(|(i, (title, text))| Line {
                id: format!("{mark}{i}"),
                title: title.clone(),
                text: text.clone(),
                passages: Vec::new(),
            })
            .collect()
    };
    let collection = Collection {
        corpus: lines("o", offers),
        queries: lines("a", asks),
        judged: HashMap::new(),
    };
    let options = RankOptions {
        mode: Mode::Hybrid,
        pool: Pool::All,
        depth,
        weights: Weights::default(),
        every_feature: false,
    };
    let place = |id: &str| id[1..].parse::<usize>().unwrap_or(usize::MAX);
    let mut out = Vec::new();
    let each = |lines: Vec<RunLine>| {
        for l in lines {
            out.push((place(&l.query), place(&l.document), l.score.max(0.0)));
        }
        Ok(())
    };
    collection.rank(embedder, &options, &|_| (), each)?;
    out.retain(|x| x.0 < asks.len() && x.1 < offers.len());
    Ok(out)
}

/// Ids of collections are free text; the index gets the line number instead.
fn facets(key: u64) -> Result<Facets, Error> {
    let id = RecordId::new(format!("{key:010}"))
        .map_err(|e| Error::argument("_id", e.message(), ("another id", "请更换编号")))?;
    Ok(Facets::of(&Record::new(id, Kind::Achievement)))
}

fn read_lines(path: &Path) -> Result<Vec<Line>, Error> {
    let mut out = Vec::new();
    let mut seen = HashSet::new();
    each_line(path, |number, text| {
        if text.trim().is_empty() {
            return Ok(());
        }
        let line: Line = serde_json::from_str(text).map_err(|e| {
            let problem = (
                format!("{e}; expected an object with _id, title, text and passages"),
                format!("{e}；应为含 _id、title、text 和 passages 的对象"),
            );
            bad(path, number, problem)
        })?;
        if !seen.insert(line.id.clone()) {
            let problem = (
                format!("the id `{}` stands twice", line.id),
                format!("编号 `{}` 出现两次", line.id),
            );
            return Err(bad(path, number, problem));
        }
        out.push(line);
        Ok(())
    })?;
    if out.is_empty() {
        return Err(bad(path, 1, ("the file is empty", "文件为空")));
    }
    Ok(out)
}

fn read_qrels(
    path: &Path,
    [query, document]: [usize; 2],
    columns: usize,
    judged: &mut HashMap<String, HashSet<String>>,
) -> Result<(), Error> {
    each_line(path, |number, text| {
        // Between tabs an id may hold a space.
        let cells: Vec<&str> = if text.matches('\t').count() + 1 == columns {
            text.split('\t').map(str::trim).collect()
        } else {
            text.split_whitespace().collect()
        };
        if cells.is_empty() || (number == 1 && cells.first() == Some(&"query-id")) {
            return Ok(());
        }
        if cells.len() != columns {
            let n = cells.len();
            let problem = (
                format!("{n} columns instead of {columns}"),
                format!("有 {n} 列，应为 {columns} 列"),
            );
            return Err(bad(path, number, problem));
        }
        judged
            .entry(cells[query].to_owned())
            .or_default()
            .insert(cells[document].to_owned());
        Ok(())
    })
}

fn each_line(
    path: &Path,
    mut f: impl FnMut(usize, &str) -> Result<(), Error>,
) -> Result<(), Error> {
    let io = |source| Error::Io {
        path: path.display().to_string(),
        doing: "read",
        source,
    };
    let mut reader = BufReader::new(File::open(path).map_err(io)?);
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
            return Ok(());
        }
        number += 1;
        let text = std::str::from_utf8(&line).map_err(|e| {
            let at = e.valid_up_to();
            let problem = (
                format!("it is not UTF-8 after byte {at}"),
                format!("第 {at} 字节之后不是 UTF-8"),
            );
            bad(path, number, problem)
        })?;
        let text = text.trim_end_matches(['\n', '\r']);
        f(number, text.strip_prefix('\u{feff}').unwrap_or(text))?;
    }
}

fn bad(path: &Path, line: usize, problem: impl Into<Bilingual>) -> Error {
    Error::Collection {
        place: format!("{}:{line}", path.display()),
        problem: problem.into(),
    }
}
