//! The corpus as token ids: flat, with the parts of each document marked.

use super::{clean, document::Document};
use crate::tokenizer::{Scratch, Tokenizer};
use rayon::prelude::*;
use std::{collections::HashMap, ops::Range};

/// The parts of a document, in the order in which they lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Title,
    Abstract,
    Keywords,
    TitleEn,
    AbstractEn,
    KeywordsEn,
    Paragraphs,
}

const PARTS: usize = 7;

/// One document: where its texts begin in [`Pieces`], part by part.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Text numbers: part `p` holds `starts[p]..starts[p + 1]`.
    starts: [u32; PARTS + 1],
    /// Class number, 0 for none.
    pub(crate) class: u32,
}

impl Entry {
    /// The numbers of the texts of a part.
    pub(crate) fn texts(&self, part: Part) -> Range<usize> {
        let p = part as usize;
        self.starts[p] as usize..self.starts[p + 1] as usize
    }

    pub(crate) fn has(&self, part: Part) -> bool {
        !self.texts(part).is_empty()
    }
}

/// The documents of one source as token ids.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    ids: Vec<u32>,
    offsets: Vec<usize>,
    pub(crate) documents: Vec<Entry>,
    classes: HashMap<String, u32>,
    /// Documents of each class, by number; the first entry is of no class.
    by_class: Vec<Vec<u32>>,
    /// Documents whose class has another one.
    in_classes: Vec<u32>,
}

impl Pieces {
    /// The token ids of a text.
    pub(crate) fn text(&self, number: usize) -> &[u32] {
        &self.ids[self.offsets[number]..self.offsets[number + 1]]
    }

    pub(crate) fn tokens(&self) -> usize {
        self.ids.len()
    }

    /// Tokenises documents and appends them; a tokenizer that fails on a text loses that text.
    pub(crate) fn extend(
        &mut self,
        documents: &[Document],
        tokenizer: &Tokenizer,
        max_paragraphs: usize,
    ) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        let encoded: Vec<Vec<Vec<Vec<u32>>>> = documents
            .par_iter()
            .map_init(Scratch::default, |scratch, document| {
                parts(document, max_paragraphs)
                    .iter()
                    .map(|texts| {
                        texts
                            .iter()
                            .map(|text| match tokenizer.encode(text, scratch) {
                                Ok(_) => scratch.ids.clone(),
                                Err(_) => Vec::new(),
                            })
                            .collect()
                    })
                    .collect()
            })
            .collect();
        for (document, parts) in documents.iter().zip(encoded) {
            let mut starts = [self.count(); PARTS + 1];
            for (p, texts) in parts.into_iter().enumerate() {
                for ids in texts {
                    // Keyword lists stay aligned across languages: an empty text keeps its place.
                    self.ids.extend(ids);
                    self.offsets.push(self.ids.len());
                }
                starts[p + 1] = self.count();
            }
            let class = if document.class.is_empty() {
                0
            } else {
                let next = self.classes.len() as u32 + 1;
                *self.classes.entry(document.class.clone()).or_insert(next)
            };
            self.documents.push(Entry { starts, class });
        }
    }

    /// Forgets documents with fewer than two texts (they make no pair) and sorts the others by
    /// class. To be called once, after the last document.
    pub(crate) fn finish(&mut self) {
        self.documents.retain(|d| d.starts[PARTS] - d.starts[0] > 1);
        self.by_class = vec![Vec::new(); self.classes.len() + 1];
        for (i, d) in self.documents.iter().enumerate() {
            self.by_class[d.class as usize].push(i as u32);
        }
        let own = self.by_class.iter().skip(1).filter(|c| c.len() > 1);
        self.in_classes = own.flatten().copied().collect();
        self.in_classes.sort_unstable();
    }

    /// Documents whose class has another one.
    pub(crate) fn in_classes(&self) -> &[u32] {
        &self.in_classes
    }

    /// The documents of a document's class.
    pub(crate) fn class_of(&self, document: usize) -> &[u32] {
        &self.by_class[self.documents[document].class as usize]
    }

    fn count(&self) -> u32 {
        (self.offsets.len() - 1) as u32
    }
}

fn parts(document: &Document, max_paragraphs: usize) -> [Vec<&str>; PARTS] {
    fn single(text: &str) -> Vec<&str> {
        if text.trim().is_empty() {
            Vec::new()
        } else {
            vec![text]
        }
    }
    [
        single(&document.title),
        single(&document.abstract_text),
        document.keywords.iter().map(String::as_str).collect(),
        single(&document.title_en),
        single(&document.abstract_en),
        document.keywords_en.iter().map(String::as_str).collect(),
        clean::thin(
            document.paragraphs.iter().map(String::as_str).collect(),
            max_paragraphs,
        ),
    ]
}
