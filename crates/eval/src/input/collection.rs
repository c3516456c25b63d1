//! Collections in BEIR's layout: a folder with `corpus.jsonl`, `queries.jsonl` and judgements.

use super::{Lines, fields::says_nothing, open, run::not_utf8, shown};
use crate::{
    error::{Cause, Error},
    lang::Text,
};
use serde::Deserialize;
use std::{
    borrow::Cow,
    collections::HashSet,
    path::{Path, PathBuf},
};

/// Where a collection keeps its judgements, in the order in which they are looked for; each may be
/// packed.
const QRELS: [&str; 4] = [
    "qrels/test.tsv",
    "qrels.trec",
    "qrels/test.trec",
    "qrels.tsv",
];
const PACKED: [&str; 3] = ["", ".gz", ".zst"];

/// The file of judgements that `path` names: itself, or that of the collection in the folder.
///
/// # Errors
/// [`Cause::Empty`] where the folder has none.
pub fn qrels_of(path: &Path) -> Result<PathBuf, Error> {
    if !path.is_dir() {
        return Ok(path.to_owned());
    }
    find(path, &QRELS).ok_or_else(|| {
        Error::new(
            Cause::Empty,
            Text::new(
                "the folder holds no judgements",
                "该目录中没有相关性判断文件",
            ),
            Text::new(
                "expected qrels/test.tsv or qrels.trec, plain or with .gz or .zst",
                "应有 qrels/test.tsv 或 qrels.trec（可带 .gz 或 .zst）",
            ),
        )
        .in_file(&path.display().to_string())
    })
}

fn find(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .flat_map(|n| PACKED.iter().map(move |p| folder.join(format!("{n}{p}"))))
        .find(|p| p.is_file())
}

/// The documents that could have been shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supply {
    /// Ids.
    pub ids: HashSet<String>,
}

#[derive(Deserialize)]
struct CorpusLine<'a> {
    #[serde(borrow, rename = "_id", alias = "id", alias = "doc_id")]
    id: Cow<'a, str>,
}

impl Supply {
    /// Ids from a collection's folder, or from a file that names one a line.
    ///
    /// # Errors
    /// Of the file, with its line; a folder without `corpus.jsonl`.
    pub fn read(path: &Path) -> Result<Supply, Error> {
        if path.is_dir() {
            return Supply::of_collection(path)?.ok_or_else(|| {
                Error::new(
                    Cause::Empty,
                    Text::new(
                        "the folder has no corpus.jsonl",
                        "该目录中没有 corpus.jsonl",
                    ),
                    Text::new(
                        "name the folder of a collection, or a file of ids, one a line",
                        "请给出测试集目录，或每行一个编号的文件",
                    ),
                )
                .in_file(&path.display().to_string())
            });
        }
        let mut lines = Lines::new(open(path)?);
        let file = lines.name().to_owned();
        let mut ids = HashSet::new();
        while let Some((line, n)) = lines.next()? {
            let id = std::str::from_utf8(line).map_err(|_| not_utf8(line, n).in_file(&file))?;
            let id = id.trim();
            if !id.is_empty() {
                ids.insert(id.to_owned());
            }
        }
        Ok(Supply { ids })
    }

    /// The ids of a collection's `corpus.jsonl`; `None` where `path` is no folder that has one.
    ///
    /// # Errors
    /// Of the file, with its line.
    pub fn of_collection(path: &Path) -> Result<Option<Supply>, Error> {
        let Some(corpus) = find(path, &["corpus.jsonl"]) else {
            return Ok(None);
        };
        let mut lines = Lines::new(open(&corpus)?);
        let mut ids = HashSet::new();
        while let Some((line, n)) = lines.next()? {
            if says_nothing(line) {
                continue;
            }
            match serde_json::from_slice::<CorpusLine<'_>>(line) {
                Ok(l) => ids.insert(l.id.into_owned()),
                Err(e) => {
                    let told = shown(e.to_string().as_bytes());
                    return Err(Error::new(
                        Cause::Json,
                        Text::new(format!("not read: {told}"), format!("无法解析：{told}")),
                        Text::new("expected an object with _id", "应为含 _id 的对象"),
                    )
                    .at(n)
                    .in_file(lines.name()));
                }
            };
        }
        Ok(Some(Supply { ids }))
    }
}
