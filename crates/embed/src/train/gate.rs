//! The quality gate: tasks on documents that training never saw, for any embedder.

use super::document::Document;
use crate::{EmbedError, Embedder, Role};
use ndarray::Array2;
use queqiao_text::{Segmenter, is_han, normalise};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A task needs this many questions to be reported.
const MIN_QUESTIONS: usize = 16;

/// One figure of the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GateTask {
    /// What asks for what.
    pub name: String,
    /// Mean reciprocal rank of the right document, 0 to 1.
    pub mrr: f64,
    /// Questions, and candidates that each was asked of.
    pub questions: usize,
    /// See [`questions`](Self::questions).
    pub candidates: usize,
}

/// The gate's figures.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// One entry a task that the documents allow.
    pub tasks: Vec<GateTask>,
}

impl GateReport {
    /// The plain mean over the tasks; 0 without any.
    pub fn mean(&self) -> f64 {
        let n = self.tasks.len().max(1) as f64;
        self.tasks.iter().map(|t| t.mrr).sum::<f64>() / n
    }
}

/// Held-out documents and the tasks they make.
///
/// In a "gap" task the words that the question shares with its right answer are deleted from that
/// answer (from no other candidate): what is left to find it by is meaning.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    documents: Vec<Document>,
}

type Text = fn(&Document) -> String;

impl Gate {
    /// A gate over documents.
    pub fn new(documents: Vec<Document>) -> Self {
        Gate { documents }
    }

    /// The documents.
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Runs every task that at least 16 documents allow.
    ///
    /// # Errors
    /// What the embedder returns.
    pub fn measure(&self, embedder: &dyn Embedder) -> Result<GateReport, EmbedError> {
        let title: Text = |d| d.title.clone();
        let abstract_text: Text = |d| d.abstract_text.clone();
        let keywords: Text = |d| d.keywords.join(" ");
        let paragraph: Text = |d| {
            let middle = d.paragraphs.len() / 2;
            d.paragraphs.get(middle).cloned().unwrap_or_default()
        };
        let title_en: Text = |d| d.title_en.clone();
        let abstract_en: Text = |d| d.abstract_en.clone();
        let keywords_en: Text = |d| d.keywords_en.join("; ");
        let tasks: [(&str, Text, Text, bool); 8] = [
            ("title → abstract (zh, gap)", title, abstract_text, true),
            (
                "keywords → abstract (zh, gap)",
                keywords,
                abstract_text,
                true,
            ),
            (
                "paragraph → abstract (zh, gap)",
                paragraph,
                abstract_text,
                true,
            ),
            ("title → paragraph (zh, gap)", title, paragraph, true),
            ("title → abstract (en, gap)", title_en, abstract_en, true),
            (
                "abstract en → abstract zh",
                abstract_en,
                abstract_text,
                false,
            ),
            ("title zh → abstract en", title, abstract_en, false),
            ("keywords en → title zh", keywords_en, title, false),
        ];
        let mut report = GateReport::default();
        for (name, question, answer, gap) in tasks {
            if let Some(task) = self.task(embedder, name, question, answer, gap)? {
                report.tasks.push(task);
            }
        }
        Ok(report)
    }

    fn task(
        &self,
        embedder: &dyn Embedder,
        name: &str,
        question: Text,
        answer: Text,
        gap: bool,
    ) -> Result<Option<GateTask>, EmbedError> {
        let usable = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count() >= 4;
        let answers: Vec<(usize, String)> = self
            .documents
            .iter()
            .map(answer)
            .enumerate()
            .filter(|(_, a)| usable(a))
            .collect();
        // (question, place of its answer among the candidates)
        let questions: Vec<(String, usize)> = answers
            .iter()
            .enumerate()
            .map(|(place, (document, _))| (question(&self.documents[*document]), place))
            .filter(|(q, _)| usable(q))
            .collect();
        if questions.len() < MIN_QUESTIONS {
            return Ok(None);
        }
        let embed = |texts: &[String], role| -> Result<Array2<f32>, EmbedError> {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            embedder.embed(&texts, role)
        };
        let q = embed(
            &questions.iter().map(|q| q.0.clone()).collect::<Vec<_>>(),
            Role::Query,
        )?;
        let candidates = embed(
            &answers.iter().map(|a| a.1.clone()).collect::<Vec<_>>(),
            Role::Passage,
        )?;
        let right = if gap {
            let masked: Vec<String> = questions
                .par_iter()
                .map(|(q, place)| without_words_of(&answers[*place].1, q))
                .collect();
            embed(&masked, Role::Passage)?
        } else {
            Array2::from_shape_fn((questions.len(), embedder.dim()), |(i, k)| {
                candidates[[questions[i].1, k]]
            })
        };
        let scores = q.dot(&candidates.t());
        let mrr = questions
            .iter()
            .enumerate()
            .map(|(i, (_, place))| {
                let own = q.row(i).dot(&right.row(i));
                let better = scores
                    .row(i)
                    .iter()
                    .enumerate()
                    .filter(|(j, s)| j != place && **s >= own)
                    .count();
                1.0 / (1.0 + better as f64)
            })
            .sum::<f64>()
            / questions.len() as f64;
        Ok(Some(GateTask {
            name: name.to_owned(),
            mrr,
            questions: questions.len(),
            candidates: answers.len(),
        }))
    }
}

/// The text without the words of another.
fn without_words_of(text: &str, other: &str) -> String {
    let mut text = normalise(text);
    let mut words = Segmenter::shared().cut(other);
    words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    words.dedup();
    for word in words {
        if !word.starts_with(is_han) {
            // Latin words as whole words only.
            text = text
                .split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '.' | '_' | '+'))
                .filter(|w| *w != word)
                .collect::<Vec<_>>()
                .join(" ");
        } else if word.chars().nth(1).is_some() {
            text = text.replace(&word, " ");
        }
    }
    text
}
