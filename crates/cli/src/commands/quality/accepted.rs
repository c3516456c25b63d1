//! The figures that were accepted last: a file of the repository, so that it tells who accepted
//! what, and when. It holds values by query and no word of the collections.

use crate::{failure::Failure, whole};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, process::Command};

/// Parts of one that values are kept in.
const PARTS: f64 = 10_000.0;

/// All that was accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Accepted {
    /// The day, in China.
    pub(super) date: String,
    /// The commit that was measured; with `-dirty` where the tree held more.
    pub(super) commit: String,
    /// The model.
    pub(super) model: String,
    /// Which sides of the index answered.
    pub(super) mode: String,
    /// By collection.
    pub(super) collections: BTreeMap<String, Kept>,
}

/// What was accepted of one collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// `all` or `judged`: which documents a query ranks.
    pub(super) pool: String,
    /// The files that were measured, as a hash: figures of other files cannot be compared.
    pub(super) fingerprint: String,
    /// How many queries.
    pub(super) queries: usize,
    /// Mean by measure, for people.
    pub(super) means: BTreeMap<String, f64>,
    /// By measure, the value of each query in ten-thousandths, in order of query id.
    pub(super) values: BTreeMap<String, Vec<i32>>,
}

/// A value as it is kept.
pub(super) fn rounded(value: f64) -> i32 {
    (value * PARTS).round() as i32
}

/// A kept value.
pub(super) fn value(kept: i32) -> f64 {
    f64::from(kept) / PARTS
}

impl Accepted {
    /// What the file holds; `None` where there is no file.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let shown = path.display();
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                return Err(Failure::failed(
                    format!("{shown} cannot be read: {e}"),
                    format!("无法读取 {shown}：{e}"),
                ));
            }
        };
        serde_json::from_str(&text).map(Some).map_err(|e| {
            Failure::input(
                format!(
                    "{shown}: {e}; it is what --accept writes: accept anew, or take it from the repository"
                ),
                format!("{shown}：{e}；该文件由 --accept 写出：请重新生成，或从仓库取回"),
            )
        })
    }

    /// Writes the file, whole or not at all: one line for the values of a measure, so that a change
    /// of one does not touch the others.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| whole::unwritten(path, &e))?;
        }
        whole::write(path, &self.text())
    }

    fn text(&self) -> String {
        let quoted = |s: &str| serde_json::Value::from(s).to_string();
        let mut out = String::from("{\n");
        for (name, text) in [
            ("date", &self.date),
            ("commit", &self.commit),
            ("model", &self.model),
            ("mode", &self.mode),
        ] {
            let _ = writeln!(out, "  \"{name}\": {},", quoted(text));
        }
        out.push_str("  \"collections\": {");
        for (i, (name, k)) in self.collections.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(
                out,
                "{comma}\n    {}: {{\n      \"pool\": {},\n      \"fingerprint\": {},\n      \"queries\": {},\n      \"means\": {{",
                quoted(name),
                quoted(&k.pool),
                quoted(&k.fingerprint),
                k.queries
            );
            let each = |(i, (m, x)): (usize, (&String, &f64))| {
                format!("{} {}: {x}", if i > 0 { "," } else { "" }, quoted(m))
            };
            k.means
                .iter()
                .enumerate()
                .map(each)
                .for_each(|m| out.push_str(&m));
            out.push_str(" },\n      \"values\": {");
            for (i, (m, values)) in k.values.iter().enumerate() {
                let comma = if i > 0 { "," } else { "" };
                let values: Vec<String> = values.iter().map(i32::to_string).collect();
                let _ = write!(
                    out,
                    "{comma}\n        {}: [{}]",
                    quoted(m),
                    values.join(",")
                );
            }
            out.push_str("\n      }\n    }");
        }
        out.push_str("\n  }\n}\n");
        out
    }
}

/// The commit of the tree here, with `-dirty` where the tree holds more than it.
pub(super) fn commit() -> String {
    let git = |args: &[&str]| {
        let out = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(out.stdout).ok()?;
        out.status.success().then(|| text.trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else {
        return "unknown".to_owned();
    };
    match git(&["status", "--porcelain"]) {
        Some(changes) if changes.is_empty() => commit,
        _ => format!("{commit}-dirty"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let kept = |n: i32| Kept {
            pool: "all".to_owned(),
            fingerprint: "ab".to_owned(),
            queries: 2,
            means: [("AP".to_owned(), 0.25), ("nDCG@10".to_owned(), 0.5)].into(),
            values: [
                ("AP".to_owned(), vec![0, n]),
                ("nDCG@10".to_owned(), vec![10_000, n]),
            ]
            .into(),
        };
        let a = Accepted {
            date: "2026-11-25".to_owned(),
            commit: "abc".to_owned(),
            model: "a \"model\"".to_owned(),
            mode: "hybrid".to_owned(),
            collections: [("one".to_owned(), kept(7)), ("two".to_owned(), kept(-1))].into(),
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deeper/accepted.json");
        assert_eq!(Accepted::read(&path).unwrap(), None);
        a.write(&path).unwrap();
        assert_eq!(Accepted::read(&path).unwrap(), Some(a));
        fs::write(&path, "{}").unwrap();
        assert_eq!(Accepted::read(&path).unwrap_err().exit_code(), 2);
        assert_eq!(value(rounded(0.123_44)), 0.1234);
    }
}
