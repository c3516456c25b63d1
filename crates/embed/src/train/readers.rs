//! Corpus files: jsonl (also compressed), csv, plain text, word lists.

use super::{
    clean,
    document::{Document, Source, SourceFacts},
};
use crate::EmbedError;
use serde_json::{Map, Value};
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
};

/// A longer line is no document; it would only fill the memory.
const MAX_LINE: usize = 64 << 20;

/// A corpus file, with another file of running texts for the same ids if there is one.
///
/// By its name: `.jsonl` objects with any of `id`, `title`, `abstract` or `text` or `summary`,
/// `keywords` (a list, or a string with separators), `passages` (texts, or `{title, text}`),
/// `title_en`, `abstract_en`, `keywords_en`, `class` or `clc` or `categories`; `.csv` and `.tsv`
/// with the same names as columns; `.txt` with a document a paragraph (blank lines between), its
/// first line the title if short. `.zst` after any of them.
#[derive(Debug, Clone)]
pub struct FileSource {
    path: PathBuf,
    running_text: Option<PathBuf>,
    facts: SourceFacts,
    weight: f32,
    exclude: HashSet<String>,
    paragraphs: usize,
}

/// Whether a document is named in a list; an id with a version (`…V2`) goes with the id without.
pub fn excluded(list: &HashSet<String>, id: &str) -> bool {
    let base = match id.rfind('V') {
        Some(at) if at > 0 && id[at + 1..].bytes().all(|b| b.is_ascii_digit()) => &id[..at],
        _ => id,
    };
    list.contains(id) || list.contains(base)
}

impl FileSource {
    /// A file with the facts for the card.
    pub fn new(path: impl Into<PathBuf>, facts: SourceFacts) -> Self {
        FileSource {
            path: path.into(),
            running_text: None,
            facts,
            weight: 1.0,
            exclude: HashSet::new(),
            paragraphs: 64,
        }
    }

    /// Takes paragraphs from a jsonl file of `{id, text}`, cleaned of what is not running text.
    pub fn with_running_text(mut self, path: impl Into<PathBuf>) -> Self {
        self.running_text = Some(path.into());
        self
    }

    /// See [`Source::weight`].
    pub fn with_weight(mut self, weight: f32) -> Self {
        self.weight = weight;
        self
    }

    /// Leaves out documents with these ids, see [`excluded`].
    pub fn excluding(mut self, ids: HashSet<String>) -> Self {
        self.exclude = ids;
        self
    }

    fn excluded(&self, id: &str) -> bool {
        excluded(&self.exclude, id)
    }

    fn running_texts(&self) -> Result<HashMap<String, Vec<String>>, EmbedError> {
        let mut texts = HashMap::new();
        if let Some(path) = &self.running_text {
            jsonl(path, &mut |object, _| {
                let id = string(&object, &["id", "_id"]);
                if !self.excluded(&id) {
                    let text = string(&object, &["text", "fulltext"]);
                    texts.insert(id, clean::paragraphs(&text, self.paragraphs));
                }
                Ok(())
            })?;
        }
        Ok(texts)
    }
}

impl Source for FileSource {
    fn facts(&self) -> SourceFacts {
        self.facts.clone()
    }

    fn weight(&self) -> f32 {
        self.weight
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
    ) -> Result<(), EmbedError> {
        let mut texts = self.running_texts()?;
        let mut each = |mut document: Document| {
            if self.excluded(&document.id) {
                return Ok(());
            }
            if let Some(paragraphs) = texts.remove(&document.id) {
                document.paragraphs = paragraphs;
            }
            visit(document.sort_languages())
        };
        match kind(&self.path) {
            Some("jsonl" | "ndjson") => jsonl(&self.path, &mut |object, line| {
                each(document(&object, line))
            }),
            Some(kind @ ("csv" | "tsv")) => csv(&self.path, kind == "tsv", &mut each),
            Some("txt" | "text" | "md") => plain(&self.path, &mut each),
            _ => Err(EmbedError::bad_file(
                &self.path,
                "a corpus file ends in .jsonl, .csv, .tsv or .txt, perhaps with .zst after it",
            )),
        }
    }
}

/// Reads a list of ids, one a line.
///
/// # Errors
/// When the file cannot be read.
pub fn read_ids(path: &Path) -> Result<HashSet<String>, EmbedError> {
    let mut ids = HashSet::new();
    lines(path, &mut |line, _| {
        if !line.trim().is_empty() {
            ids.insert(line.trim().to_owned());
        }
        Ok(())
    })?;
    Ok(ids)
}

/// Reads a word list: a word a line, anything after a tab or blank (THUOCL's counts) left out.
///
/// # Errors
/// When the file cannot be read.
pub fn read_words(path: &Path) -> Result<Vec<String>, EmbedError> {
    let mut words = Vec::new();
    lines(path, &mut |line, _| {
        words.extend(line.split_whitespace().next().map(str::to_owned));
        Ok(())
    })?;
    Ok(words)
}

/// The ending that tells the format, without `.zst`.
fn kind(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".zst").unwrap_or(name);
    name.rsplit_once('.').map(|(_, ending)| ending)
}

fn open(path: &Path) -> Result<Box<dyn Read>, EmbedError> {
    let file = File::open(path).map_err(EmbedError::io("read", path))?;
    if path.extension().is_some_and(|e| e == "zst") {
        let decoder = zstd::Decoder::new(file).map_err(EmbedError::io("read", path))?;
        Ok(Box::new(decoder))
    } else {
        Ok(Box::new(file))
    }
}

pub(super) fn lines(
    path: &Path,
    each: &mut dyn FnMut(&str, usize) -> Result<(), EmbedError>,
) -> Result<(), EmbedError> {
    let mut reader = BufReader::with_capacity(1 << 20, open(path)?);
    let mut buffer = Vec::new();
    for number in 1.. {
        buffer.clear();
        let read = (&mut reader)
            .take(MAX_LINE as u64 + 1)
            .read_until(b'\n', &mut buffer)
            .map_err(EmbedError::io("read", path))?;
        if read == 0 {
            break;
        }
        let problem = |reason: &str| EmbedError::CorpusLine {
            path: path.to_owned(),
            line: number,
            reason: reason.to_owned(),
        };
        if read > MAX_LINE {
            return Err(problem(
                "is longer than 64 MiB; one document a line is expected",
            ));
        }
        let line = std::str::from_utf8(&buffer)
            .map_err(|_| problem("is not UTF-8; convert the file first"))?;
        let line = line.trim_end_matches(['\n', '\r']);
        each(line.strip_prefix('\u{feff}').unwrap_or(line), number)?;
    }
    Ok(())
}

pub(super) fn jsonl(
    path: &Path,
    each: &mut dyn FnMut(Map<String, Value>, usize) -> Result<(), EmbedError>,
) -> Result<(), EmbedError> {
    lines(path, &mut |line, number| {
        if line.trim().is_empty() {
            return Ok(());
        }
        let object = serde_json::from_str(line).map_err(|e| EmbedError::CorpusLine {
            path: path.to_owned(),
            line: number,
            reason: format!("is not a JSON object: {e}"),
        })?;
        each(object, number)
    })
}

fn csv(
    path: &Path,
    tabs: bool,
    each: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
) -> Result<(), EmbedError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .flexible(true)
        .from_reader(open(path)?);
    let problem = |line: usize, e: csv::Error| EmbedError::CorpusLine {
        path: path.to_owned(),
        line,
        reason: e.to_string(),
    };
    let names = reader.headers().map_err(|e| problem(1, e))?;
    let columns = Columns::new(names.iter()).map_err(|reason| EmbedError::CorpusLine {
        path: path.to_owned(),
        line: 1,
        reason,
    })?;
    for (i, record) in reader.records().enumerate() {
        let record = record.map_err(|e| problem(i + 2, e))?;
        each(columns.document(record.iter(), i + 2))?;
    }
    Ok(())
}

/// The columns of a table of documents, for those who read tables of their own.
#[derive(Debug, Clone)]
pub struct Columns {
    names: Vec<String>,
}

impl Columns {
    /// Columns by the cells of a header.
    ///
    /// # Errors
    /// Without a column of titles or texts, the reason.
    pub fn new<S: AsRef<str>>(header: impl Iterator<Item = S>) -> Result<Self, String> {
        let names: Vec<String> = header
            .map(|n| {
                let name = n.as_ref().trim().trim_start_matches('\u{feff}');
                name.to_lowercase()
            })
            .collect();
        let usable = |n: &String| TITLES.contains(&n.as_str()) || TEXTS.contains(&n.as_str());
        if names.iter().any(usable) {
            return Ok(Columns { names });
        }
        Err(format!(
            "has no column `title`, `abstract` or `text` (columns: {})",
            names.join(", ")
        ))
    }

    /// The document of a row, named after the row's number unless it has an id.
    pub fn document<S: AsRef<str>>(&self, cells: impl Iterator<Item = S>, row: usize) -> Document {
        let object: Map<String, Value> = self
            .names
            .iter()
            .zip(cells)
            .map(|(n, v)| (n.clone(), Value::String(v.as_ref().to_owned())))
            .collect();
        document(&object, row)
    }
}

fn plain(
    path: &Path,
    each: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
) -> Result<(), EmbedError> {
    let mut block: Vec<String> = Vec::new();
    let mut flush = |block: &mut Vec<String>, number: usize| -> Result<(), EmbedError> {
        if block.is_empty() {
            return Ok(());
        }
        let mut document = Document {
            id: format!("line-{number}"),
            ..Document::default()
        };
        let mut texts = std::mem::take(block);
        if texts.len() > 1 && texts[0].chars().count() <= 80 {
            document.title = texts.remove(0);
        }
        if texts.len() == 1 {
            document.abstract_text = texts.remove(0);
        } else {
            document.paragraphs = texts;
        }
        each(document)
    };
    let mut last = 0;
    lines(path, &mut |line, number| {
        last = number;
        if line.trim().is_empty() {
            flush(&mut block, number)
        } else {
            block.push(line.trim().to_owned());
            Ok(())
        }
    })?;
    flush(&mut block, last + 1)
}

const TITLES: [&str; 3] = ["title", "name", "名称"];
const TEXTS: [&str; 5] = ["abstract", "text", "summary", "content", "摘要"];

fn document(object: &Map<String, Value>, line: usize) -> Document {
    let mut id = string(object, &["id", "_id"]);
    if id.is_empty() {
        id = format!("line-{line}");
    }
    let abstract_en = string(object, &["abstract_en"]);
    Document {
        id,
        title: string(object, &TITLES),
        abstract_text: string(object, &TEXTS),
        keywords: list(object, &["keywords", "关键词"]),
        title_en: string(object, &["title_en"]),
        abstract_en,
        keywords_en: list(object, &["keywords_en"]),
        paragraphs: passages(object),
        class: class(object),
    }
}

pub(super) fn string(object: &Map<String, Value>, names: &[&str]) -> String {
    names
        .iter()
        .filter_map(|n| object.get(*n)?.as_str())
        .map(str::trim)
        .find(|s| !s.is_empty())
        .unwrap_or_default()
        .to_owned()
}

fn list(object: &Map<String, Value>, names: &[&str]) -> Vec<String> {
    match names.iter().find_map(|n| object.get(*n)) {
        Some(Value::Array(items)) => items
            .iter()
            .filter_map(Value::as_str)
            .flat_map(clean::split_keywords)
            .collect(),
        Some(Value::String(text)) => clean::split_keywords(text),
        _ => Vec::new(),
    }
}

fn passages(object: &Map<String, Value>) -> Vec<String> {
    let Some(Value::Array(items)) = object.get("passages").or_else(|| object.get("paragraphs"))
    else {
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| match item {
            Value::String(text) => Some(text.clone()),
            Value::Object(o) => {
                let text = format!("{} {}", string(o, &["title"]), string(o, &["text"]));
                Some(text.trim().to_owned())
            }
            _ => None,
        })
        .filter(|t| !t.is_empty())
        .collect()
}

fn class(object: &Map<String, Value>) -> String {
    if let Some(clc) = object.get("clc").and_then(Value::as_str) {
        // The Chinese Library Classification down to its third sign: TM91 is TM9, G252.7 is G25.
        let code: String = clc
            .trim()
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        let known = code.len() >= 2 && code.starts_with(|c: char| c.is_ascii_uppercase());
        return if known {
            code.chars().take(3).collect()
        } else {
            String::new()
        };
    }
    match ["class", "categories"].iter().find_map(|n| object.get(*n)) {
        Some(Value::String(s)) => s.trim().to_owned(),
        Some(Value::Array(items)) => items
            .first()
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        _ => String::new(),
    }
}
