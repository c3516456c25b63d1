//! What tantivy keeps of a passage.

use super::{Docs, NOWHERE, Side};
use crate::slots::Slot;
use std::sync::Arc;
use tantivy::{
    InvertedIndexReader, SegmentReader, TantivyDocument, TantivyError, Term,
    index::SegmentId,
    postings::{BlockSegmentPostings, TermInfo},
    schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{PreTokenizedString, Token},
};

/// The fields of a document, which is a passage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    key: Field,
    passage: Field,
    /// By side.
    terms: [Field; 2],
    length: [Field; 2],
}

pub(super) fn schema() -> (Schema, Fields) {
    let mut b = Schema::builder();
    let terms = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_index_option(IndexRecordOption::WithFreqs)
            .set_fieldnorms(false),
    );
    let fields = Fields {
        key: b.add_u64_field("key", FAST | INDEXED),
        passage: b.add_u64_field("passage", FAST),
        terms: [
            b.add_text_field("words", terms.clone()),
            b.add_text_field("bigrams", terms),
        ],
        length: [
            b.add_u64_field("word_count", FAST),
            b.add_u64_field("bigram_count", FAST),
        ],
    };
    (b.build(), fields)
}

/// A document to be written.
pub(super) struct Document<'a> {
    pub(super) key: u64,
    pub(super) passage: u32,
    /// By side: each term with how often.
    pub(super) terms: [&'a [(&'a str, u32)]; 2],
    /// By side, terms that are too long to be kept included.
    pub(super) length: [u32; 2],
}

impl Fields {
    /// The term by which the documents of a record are deleted.
    pub(super) fn of_key(&self, key: u64) -> Term {
        Term::from_field_u64(self.key, key)
    }

    pub(super) fn document(&self, of: &Document<'_>) -> TantivyDocument {
        let mut doc = TantivyDocument::default();
        doc.add_u64(self.key, of.key);
        doc.add_u64(self.passage, u64::from(of.passage));
        for side in Side::BOTH {
            let i = side as usize;
            doc.add_u64(self.length[i], u64::from(of.length[i]));
            doc.add_pre_tokenized_text(self.terms[i], tokens(of.terms[i]));
        }
        doc
    }
}

fn tokens(terms: &[(&str, u32)]) -> PreTokenizedString {
    let all = terms
        .iter()
        .flat_map(|(text, times)| (0..*times).map(move |_| *text));
    PreTokenizedString {
        text: String::new(),
        tokens: all
            .enumerate()
            .map(|(position, text)| Token {
                offset_from: 0,
                offset_to: 0,
                position,
                text: text.to_owned(),
                position_length: 1,
            })
            .collect(),
    }
}

/// A committed segment.
pub(super) struct Sealed {
    pub(super) id: SegmentId,
    fields: Fields,
    /// By side.
    readers: [Arc<InvertedIndexReader>; 2],
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({})", self.id.uuid_string())
    }
}

impl Sealed {
    pub(super) fn open(segment: &SegmentReader, fields: Fields) -> Result<Self, TantivyError> {
        let reader = |side: Side| segment.inverted_index(fields.terms[side as usize]);
        Ok(Self {
            id: segment.segment_id(),
            fields,
            readers: [reader(Side::Words)?, reader(Side::Bigrams)?],
        })
    }

    /// Where the postings of a term are.
    pub(super) fn find(&self, side: Side, term: &str) -> std::io::Result<Option<TermInfo>> {
        let i = side as usize;
        self.readers[i].get_term_info(&Term::from_field_text(self.fields.terms[i], term))
    }

    /// The postings of a term.
    pub(super) fn postings(
        &self,
        side: Side,
        info: &TermInfo,
    ) -> std::io::Result<BlockSegmentPostings> {
        let reader = &self.readers[side as usize];
        reader.read_block_postings_from_terminfo(info, IndexRecordOption::WithFreqs)
    }
}

/// What a segment says of its documents.
pub(super) struct Columns {
    pub(super) keys: Vec<u64>,
    /// `slot` is set where the document lives, not to what.
    pub(super) docs: Docs,
}

/// Any slot but [`NOWHERE`].
const SOMEWHERE: Slot = 0;

impl Columns {
    pub(super) fn read(segment: &SegmentReader) -> Result<Self, TantivyError> {
        let fast = segment.fast_fields();
        let column = |name: &str| -> Result<Vec<u32>, TantivyError> {
            let c = fast.u64(name)?.first_or_default_col(0);
            let all = (0..segment.max_doc()).map(|d| c.get_val(d) as u32);
            Ok(all.collect())
        };
        let keys = fast.u64("key")?.first_or_default_col(u64::MAX);
        let mut slot = vec![NOWHERE; segment.max_doc() as usize];
        for doc in segment.doc_ids_alive() {
            slot[doc as usize] = SOMEWHERE;
        }
        Ok(Self {
            keys: (0..segment.max_doc()).map(|d| keys.get_val(d)).collect(),
            docs: Docs {
                slot,
                passage: column("passage")?,
                length: [column("word_count")?, column("bigram_count")?],
                // Set with the slots.
                record_length: std::array::from_fn(|_| vec![0; segment.max_doc() as usize]),
            },
        })
    }
}
