//! Whether a trail is whole.

use super::{
    AuditError,
    entry::{self, Tip},
    folder::{self, io_error},
};
use queqiao_domain::Bilingual;
use serde::Serialize;
use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
};

/// The action of a line that says which lines were removed for their age.
pub(super) const PRUNE: &str = "audit.prune";
/// The action of a line that says what was found missing at a start.
pub(super) const REPAIR: &str = "audit.repair";
/// A line is at most as long as the names of a batch.
const MAX_LINE: u64 = 8 << 20;

/// What a trail holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Lines.
    pub lines: u64,
    /// Files.
    pub files: usize,
    /// Date and time of the first line.
    pub from: Option<String>,
    /// Date and time of the last line.
    pub until: Option<String>,
    /// Number and hash of the last line: keep it elsewhere.
    pub head: Option<String>,
    /// What was found missing when the trail was opened, and when: after a power cut, or somebody's doing.
    pub repairs: Vec<String>,
}

/// Reads the whole trail of a folder. `known` is the number and hash of a line, from an earlier report:
/// it has to be in the trail still.
///
/// # Errors
/// [`AuditError::Broken`] names the first line that is changed, missing or put in.
pub fn verify(dir: &Path, known: Option<&str>) -> Result<AuditReport, AuditError> {
    let broken = |path: &Path, line: usize, en: String, zh: String| AuditError::Broken {
        path: path.to_owned(),
        line,
        problem: Bilingual::new(en, zh),
    };
    let mut expected: Vec<Tip> = folder::read_head(dir)?.into_iter().collect();
    if let Some(text) = known {
        expected.push(folder::parse_tip(text).ok_or_else(|| {
            broken(
                Path::new("--head"),
                1,
                format!("`{text}` is no number and hash: give what `audit verify` printed"),
                format!("`{text}` 不是“序号:散列”：请给出 `audit verify` 此前输出的值"),
            )
        })?);
    }
    let mut report = AuditReport::default();
    let mut tip: Option<Tip> = None;
    // Where the trail begins, when that is not its first line: a later line has to account for it.
    let mut owed: Option<(Tip, PathBuf)> = None;
    for number in folder::numbers(dir)? {
        let path = folder::file(dir, number);
        report.files += 1;
        let file = File::open(&path).map_err(io_error("reading", &path))?;
        let mut reader = BufReader::new(file);
        let mut at = 0;
        loop {
            at += 1;
            let mut bytes = Vec::new();
            let mut limited = std::io::Read::take(&mut reader, MAX_LINE);
            let n = limited
                .read_until(b'\n', &mut bytes)
                .map_err(io_error("reading", &path))?;
            if n == 0 {
                break;
            }
            let whole = bytes.pop() == Some(b'\n');
            let text = String::from_utf8_lossy(&bytes);
            let Some((line, this)) = entry::read(&text).filter(|_| whole) else {
                return Err(changed(&path, at));
            };
            match &tip {
                None if line.seq > 1 => {
                    let before = Tip {
                        seq: line.seq - 1,
                        hash: line.prev.clone(),
                    };
                    owed = Some((before, path.clone()));
                }
                Some(t) if line.seq != t.seq + 1 || line.prev != t.hash => {
                    return Err(broken(
                        &path,
                        at,
                        format!(
                            "line {} of the trail does not follow on line {}: lines between them were removed, or lines were put in",
                            line.seq, t.seq
                        ),
                        format!(
                            "第 {} 条不接续第 {} 条：其间有记录被删除，或被插入",
                            line.seq, t.seq
                        ),
                    ));
                }
                _ => {}
            }
            if line.action == PRUNE
                && let Some((before, _)) = &owed
                && line
                    .objects
                    .iter()
                    .any(|o| folder::parse_tip(o).as_ref() == Some(before))
            {
                owed = None;
            }
            if line.action == REPAIR {
                let what = line.objects.join(", ");
                report.repairs.push(format!("{}: {what}", line.time));
            }
            expected.retain(|e| *e != this);
            report.lines += 1;
            report.from.get_or_insert_with(|| line.time.clone());
            report.until = Some(line.time);
            report.head = Some(format!("{}:{}", this.seq, this.hash));
            tip = Some(this);
        }
    }
    if let Some((before, path)) = owed {
        return Err(broken(
            &path,
            1,
            format!(
                "the trail begins after line {}, and no line says that those before were removed for their age",
                before.seq
            ),
            format!(
                "记录从第 {} 条之后开始，且没有到期清理的记载：此前的记录被删除",
                before.seq
            ),
        ));
    }
    if let Some(missed) = expected.into_iter().next() {
        let last = folder::numbers(dir)?.last().copied().unwrap_or(1);
        let at = usize::try_from(report.lines).unwrap_or(usize::MAX);
        return Err(broken(
            &folder::file(dir, last),
            at,
            format!(
                "line {} of the trail was there once and is not any more: lines at the end were removed, or the trail was written anew",
                missed.seq
            ),
            format!(
                "第 {} 条曾经存在，现已不在：末尾的记录被删除，或整个记录被重写",
                missed.seq
            ),
        ));
    }
    Ok(report)
}

/// A line that is not as it was written; line 0 is the last one.
pub(super) fn changed(path: &Path, line: usize) -> AuditError {
    AuditError::Broken {
        path: path.to_owned(),
        line,
        problem: Bilingual::new(
            "this line is not as it was written: it was changed or damaged; keep the folder as it is, and find out who could write it",
            "该行与写入时不同：被改动或损坏；请保留现场，并查明谁有写入权限",
        ),
    }
}
