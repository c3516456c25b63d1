//! Real files, where they are at hand: they are never part of the project.

use queqiao_domain::Kind;
use queqiao_intake::{ImportOptions, Report, Source};
use std::path::PathBuf;

fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("QUEQIAO_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    path.is_dir().then_some(path)
}

#[test]
#[allow(clippy::print_stderr)]
fn real_files_are_read_whole() {
    let Some(root) = shared() else {
        eprintln!(
            "SKIPPED: no shared data; set QUEQIAO_SHARED to a folder that holds data/ and collections/"
        );
        return;
    };
    for (file, kind, rows) in [
        ("data/bdci/needs.tsv", Some(Kind::Need), 240),
        (
            "data/academicians/academicians.tsv",
            Some(Kind::Expert),
            1658,
        ),
        ("data/academicians/AcademicianScience.csv", None, 0),
        ("data/societies/societies.tsv", None, 210),
        ("collections/bdci/corpus.jsonl", None, 0),
        ("collections/csldcp-expert/corpus.jsonl", None, 0),
        ("collections/cn-patents/corpus.jsonl", None, 0),
    ] {
        let path = root.join(file);
        if !path.is_file() {
            eprintln!("SKIPPED: {file} is not there");
            continue;
        }
        let options = ImportOptions {
            kind,
            ..ImportOptions::default()
        };
        let mut source = Source::open(&path, &options).unwrap_or_else(|e| panic!("{e}"));
        let mut report = Report::new();
        for row in &mut source {
            report.add(&row.unwrap_or_else(|e| panic!("{e}")));
        }
        report.close(&source);
        let first: Vec<String> = report
            .issues
            .iter()
            .take(5)
            .map(|i| i.describe().en)
            .collect();
        // A few of the collections' entries are empty; an empty record is none.
        let empty = report
            .issues
            .iter()
            .filter(|i| i.problem.en.contains("no text at all"))
            .count() as u64;
        assert_eq!(report.bad, empty, "{file}: {first:#?}");
        assert!(
            empty == 0 || file.starts_with("collections/"),
            "{file}: {first:#?}"
        );
        assert!(
            rows == 0 || report.rows == rows,
            "{file}: {} rows",
            report.rows
        );
        assert_eq!(
            report.records + report.repeated + report.bad,
            report.rows,
            "{file}"
        );
        assert!(
            report.repeated * 20 <= report.rows,
            "{file}: {} repeated",
            report.repeated
        );
    }
}
