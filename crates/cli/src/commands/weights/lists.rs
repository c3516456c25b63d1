//! Lists with their features and grades, and what a measure says of them under given weights.

use crate::failure::Failure;
use queqiao_engine::{Feature, GradedList, Scorer, Values, Weights};
use queqiao_eval::{Measure, Options, Precision, Qrels, Run, evaluate};
use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

/// A query's candidates.
pub(super) struct Question {
    query: String,
    documents: Vec<String>,
    pub(super) list: GradedList,
}

/// The rows of `queqiao rank --features`, with their grades.
pub(super) fn read(path: &Path, qrels: &Qrels) -> Result<Vec<Question>, Failure> {
    let shown = path.display().to_string();
    let unreadable = |e: std::io::Error| {
        Failure::input(
            format!("{shown} cannot be read: {e}"),
            format!("无法读取 {shown}：{e}"),
        )
    };
    let wrong = |line: usize, en: String, zh: String| {
        Failure::input(
            format!("{shown}:{line}: {en}; expected what `queqiao rank --features` writes"),
            format!("{shown}:{line}：{zh}；应为 `queqiao rank --features` 的输出"),
        )
    };
    let mut columns: Vec<Feature> = Vec::new();
    let mut out: Vec<Question> = Vec::new();
    let file = BufReader::new(File::open(path).map_err(unreadable)?);
    for (i, line) in file.lines().enumerate() {
        let line = line.map_err(unreadable)?;
        let mut cells = line.trim_end_matches('\r').split('\t');
        let (query, document) = (cells.next().unwrap_or(""), cells.next().unwrap_or(""));
        if i == 0 {
            if (query, document) != ("query", "document") {
                return Err(wrong(
                    1,
                    "the first columns are not `query` and `document`".to_owned(),
                    "前两列不是 query 与 document".to_owned(),
                ));
            }
            for name in cells {
                columns.push(Feature::parse(name).ok_or_else(|| {
                    wrong(
                        1,
                        format!("no feature is called `{name}`"),
                        format!("没有名为 `{name}` 的特征"),
                    )
                })?);
            }
            continue;
        }
        let cells: Vec<&str> = cells.collect();
        if cells.len() != columns.len() {
            return Err(wrong(
                i + 1,
                format!(
                    "{} columns instead of {}",
                    cells.len() + 2,
                    columns.len() + 2
                ),
                format!("有 {} 列，应为 {} 列", cells.len() + 2, columns.len() + 2),
            ));
        }
        let mut values: Values = [None; Feature::COUNT];
        for (feature, cell) in columns.iter().zip(cells) {
            if !cell.is_empty() {
                let x: f64 = cell
                    .parse()
                    .ok()
                    .filter(|x: &f64| x.is_finite())
                    .ok_or_else(|| {
                        wrong(
                            i + 1,
                            format!("`{cell}` is no number"),
                            format!("`{cell}` 不是数"),
                        )
                    })?;
                values[*feature as usize] = Some(x);
            }
        }
        if out.last().is_none_or(|q| q.query != query) {
            out.push(Question {
                query: query.to_owned(),
                documents: Vec::new(),
                list: GradedList {
                    values: Vec::new(),
                    grades: Vec::new(),
                },
            });
        }
        if let Some(q) = out.last_mut() {
            q.documents.push(document.to_owned());
            q.list.values.push(values);
        }
    }
    for q in &mut out {
        let judged = qrels.query(&q.query);
        let grades: HashMap<&str, f64> = judged.map(|j| j.iter().collect()).unwrap_or_default();
        let of = |d: &String| grades.get(d.as_str()).copied().unwrap_or(0.0).max(0.0);
        q.list.grades = q.documents.iter().map(of).collect();
    }
    Ok(out)
}

/// The measure of each judged query under the weights for its place.
pub(super) fn values<'a>(
    questions: &[Question],
    qrels: &Qrels,
    measure: &Measure,
    weights: impl Fn(usize) -> &'a Weights,
) -> Result<Vec<f64>, Failure> {
    let mut triples: Vec<(&str, &str, f64)> = Vec::new();
    for (i, q) in questions.iter().enumerate() {
        let scorer = Scorer::new(weights(i));
        for (d, v) in q.documents.iter().zip(&q.list.values) {
            triples.push((q.query.as_str(), d.as_str(), scorer.score(v).get()));
        }
    }
    let run = Run::from_triples("weights", triples, Precision::Double)?;
    let done = evaluate(
        qrels,
        &run,
        std::slice::from_ref(measure),
        Options::default(),
    )?;
    Ok(done.column(0))
}
