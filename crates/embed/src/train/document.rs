//! What training reads: documents in parts, from sources that can be read more than once.

use crate::EmbedError;
use queqiao_domain::Language;
use queqiao_text::detect_language;

/// One document with the parts that pairs are drawn from. Empty parts are fine: a pair needs two.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// The source's own id; decides what is held out.
    pub id: String,
    /// Chinese title.
    pub title: String,
    /// Chinese abstract, or whatever says in a few sentences what the document is about.
    pub abstract_text: String,
    /// Chinese keywords.
    pub keywords: Vec<String>,
    /// English title.
    pub title_en: String,
    /// English abstract.
    pub abstract_en: String,
    /// English keywords; when as many as the Chinese ones, the n-th translates the n-th.
    pub keywords_en: Vec<String>,
    /// Running text in pieces of some 60 to 500 characters.
    pub paragraphs: Vec<String>,
    /// A class code (中图分类号, an arXiv category), or empty: documents of one class belong together
    /// broadly.
    pub class: String,
}

impl Document {
    /// Moves English text that lies in the Chinese parts to the English ones.
    pub fn sort_languages(mut self) -> Self {
        let english = |text: &str| detect_language(text) == Some(Language::En);
        if self.title_en.is_empty() && english(&self.title) {
            self.title_en = std::mem::take(&mut self.title);
        }
        if self.abstract_en.is_empty() && english(&self.abstract_text) {
            self.abstract_en = std::mem::take(&mut self.abstract_text);
        }
        if self.keywords_en.is_empty()
            && !self.keywords.is_empty()
            && self.keywords.iter().all(|k| english(k))
        {
            self.keywords_en = std::mem::take(&mut self.keywords);
        }
        self
    }

    /// Every text of the document, with at most so many paragraphs.
    pub(crate) fn texts(&self, max_paragraphs: usize) -> impl Iterator<Item = &str> {
        [
            &self.title,
            &self.abstract_text,
            &self.title_en,
            &self.abstract_en,
        ]
        .into_iter()
        .chain(&self.keywords)
        .chain(&self.keywords_en)
        .map(String::as_str)
        .chain(super::clean::thin(
            self.paragraphs.iter().map(String::as_str).collect(),
            max_paragraphs,
        ))
        .filter(|t| !t.is_empty())
    }
}

/// What the model card says about a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SourceFacts {
    /// Its name.
    pub name: String,
    /// Its licence, as its owner states it.
    pub licence: String,
}

/// A body of documents. Training reads it twice: to count words, then to tokenise.
pub trait Source: Send + Sync {
    /// Name and licence.
    fn facts(&self) -> SourceFacts;

    /// How often a batch is drawn from this source, relative to the others.
    fn weight(&self) -> f32;

    /// Whether some of its documents are held out for the quality gate.
    fn gated(&self) -> bool {
        true
    }

    /// Calls `visit` with every document, in the same order each time.
    ///
    /// # Errors
    /// What reading runs into, and whatever `visit` returns.
    fn visit(
        &self,
        visit: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
    ) -> Result<(), EmbedError>;
}

/// Documents in memory.
#[derive(Debug, Clone)]
pub struct Documents {
    /// Name and licence.
    pub facts: SourceFacts,
    /// See [`Source::weight`].
    pub weight: f32,
    /// See [`Source::gated`].
    pub gated: bool,
    /// The documents.
    pub documents: Vec<Document>,
}

impl Source for Documents {
    fn facts(&self) -> SourceFacts {
        self.facts.clone()
    }

    fn weight(&self) -> f32 {
        self.weight
    }

    fn gated(&self) -> bool {
        self.gated
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
    ) -> Result<(), EmbedError> {
        self.documents.iter().cloned().try_for_each(visit)
    }
}

/// The sources of a training, and words that the vocabulary should have besides theirs.
#[derive(Default)]
pub struct Corpus {
    /// The sources.
    pub sources: Vec<Box<dyn Source>>,
    /// Word lists (THUOCL and the like): they tell which strings are words; texts tell how often.
    pub words: Vec<String>,
}

impl std::fmt::Debug for Corpus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Corpus")
            .field(
                "sources",
                &self.sources.iter().map(|s| s.facts()).collect::<Vec<_>>(),
            )
            .field("words", &self.words.len())
            .finish()
    }
}

/// A share of a source's documents, evenly spread, for learning curves.
#[derive(Debug, Clone)]
pub struct Sampled<S> {
    /// The whole.
    pub source: S,
    /// 0 to 1; 1 takes every document.
    pub share: f64,
}

impl<S: Source> Source for Sampled<S> {
    fn facts(&self) -> SourceFacts {
        self.source.facts()
    }

    fn weight(&self) -> f32 {
        self.source.weight()
    }

    fn gated(&self) -> bool {
        self.source.gated()
    }

    fn visit(
        &self,
        visit: &mut dyn FnMut(Document) -> Result<(), EmbedError>,
    ) -> Result<(), EmbedError> {
        let mut due = 0.0f64;
        self.source.visit(&mut |document| {
            due += self.share;
            if due < 1.0 {
                return Ok(());
            }
            due -= 1.0;
            visit(document)
        })
    }
}
