//! The lexical side: tantivy holds the postings, the scores are ours.
//!
//! BM25 (Robertson and Zaragoza 2009, §3.4) with exact passage lengths and with statistics over
//! living passages only, so that a score depends on what the index holds and not on when its
//! segments were merged. A record is scored twice: by its best passage, and with all its passages
//! taken as one text, which tells who writes of a thing again and again.

use crate::{
    index::{Change, IndexError, LexicalParts, QueryPassage, QueryTerm},
    slots::{Slot, Slots},
};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};
use tantivy::{
    DocSet, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TERMINATED, TantivyDocument,
    TantivyError, Term,
    directory::MmapDirectory,
    index::SegmentId,
    postings::Postings,
    schema::{FAST, Field, INDEXED, IndexRecordOption, Schema, TextFieldIndexing, TextOptions},
    tokenizer::{PreTokenizedString, Token},
};

/// Term-frequency saturation; .9 and .4 are Anserini's defaults, fit for short passages.
const K1: f64 = 0.9;
/// Length normalisation of passages.
const B: f64 = 0.4;
/// Length normalisation of whole records, whose lengths differ by far more.
const B_RECORD: f64 = 0.7;
/// Longer terms are noise (and tantivy's limit is 65,530 bytes).
const MAX_TERM: usize = 200;
const WRITER_MEMORY: usize = 64 << 20;
const NOWHERE: Slot = Slot::MAX;

#[derive(Clone, Copy)]
struct Fields {
    key: Field,
    passage: Field,
    words: Field,
    bigrams: Field,
    word_count: Field,
    bigram_count: Field,
}

fn schema() -> (Schema, Fields) {
    let mut b = Schema::builder();
    let terms = TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_index_option(IndexRecordOption::WithFreqs)
            .set_fieldnorms(false),
    );
    let fields = Fields {
        key: b.add_u64_field("key", FAST | INDEXED),
        passage: b.add_u64_field("passage", FAST),
        words: b.add_text_field("words", terms.clone()),
        bigrams: b.add_text_field("bigrams", terms),
        word_count: b.add_u64_field("word_count", FAST),
        bigram_count: b.add_u64_field("bigram_count", FAST),
    };
    (b.build(), fields)
}

/// Per document of a segment: where it belongs and how long it is.
#[derive(Debug)]
struct SegmentMap {
    slot: Vec<Slot>,
    passage: Vec<u32>,
    word_count: Vec<u32>,
    bigram_count: Vec<u32>,
}

/// What searches see: a searcher with the maps of its segments.
struct View {
    searcher: Searcher,
    maps: Vec<Arc<SegmentMap>>,
    /// Living passages.
    passages: f64,
    mean_words: f64,
    mean_bigrams: f64,
    records: Records,
}

/// Lengths of whole records.
#[derive(Default)]
struct Records {
    /// By slot: words and bigrams of all its passages.
    words: Vec<u32>,
    bigrams: Vec<u32>,
    /// Records with a passage.
    count: f64,
    mean_words: f64,
    mean_bigrams: f64,
}

/// Normalised BM25 of one asking passage.
struct Scores {
    /// By segment and document.
    passages: Vec<Vec<f64>>,
    /// By slot.
    records: Vec<f64>,
}

/// What searches see of the lexical index of one tenant.
pub(crate) struct Lexical {
    fields: Fields,
    reader: IndexReader,
    cache: HashMap<SegmentId, Arc<SegmentMap>>,
    view: View,
}

/// The side of the lexical index that is written to; searches go on meanwhile.
pub(crate) struct LexicalWriter {
    index: Index,
    fields: Fields,
    /// Made at the first write, so that an index that is only read takes no lock.
    writer: Option<IndexWriter>,
    seq: u64,
}

fn failed(doing: &'static str) -> impl Fn(TantivyError) -> IndexError {
    move |source| IndexError::Lexical {
        doing,
        source: Box::new(source),
    }
}

impl Lexical {
    /// Opens the index in `dir`, or makes an empty one; without a folder it lives in memory.
    ///
    /// Errors: [`IndexError::Damaged`] when the files do not read or are of another make.
    pub(crate) fn open(
        dir: Option<&Path>,
        slots: &Slots,
    ) -> Result<(Self, LexicalWriter), IndexError> {
        let (schema, fields) = schema();
        let index = match dir {
            None => Index::create_in_ram(schema),
            Some(dir) => {
                std::fs::create_dir_all(dir).map_err(|source| IndexError::Io {
                    path: dir.to_owned(),
                    doing: "created",
                    source,
                })?;
                let damaged = |problem: String| IndexError::Damaged {
                    path: dir.to_owned(),
                    problem,
                };
                let directory = MmapDirectory::open(dir).map_err(|e| damaged(e.to_string()))?;
                let index =
                    Index::open_or_create(directory, schema).map_err(|e| damaged(e.to_string()))?;
                // tantivy notices flipped bytes only where asked to.
                let bad = index
                    .validate_checksum()
                    .map_err(|e| damaged(e.to_string()))?;
                if let Some(file) = bad.iter().next() {
                    return Err(damaged(format!("the checksum of {} fails", file.display())));
                }
                index
            }
        };
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(failed("opening"))?;
        let seq = index
            .load_metas()
            .map_err(failed("reading its metadata"))?
            .payload
            .and_then(|p| p.parse().ok())
            .unwrap_or(0);
        let searcher = IndexReader::searcher(&reader);
        let mut this = Self {
            fields,
            reader,
            cache: HashMap::new(),
            view: View {
                searcher,
                maps: Vec::new(),
                passages: 0.0,
                mean_words: 0.0,
                mean_bigrams: 0.0,
                records: Records::default(),
            },
        };
        this.refresh(slots)?;
        let writer = LexicalWriter {
            index,
            fields,
            writer: None,
            seq,
        };
        Ok((this, writer))
    }
}

impl LexicalWriter {
    /// The sequence number of the last commit.
    pub(crate) fn seq(&self) -> u64 {
        self.seq
    }

    /// Writes a batch and commits it; searches see it after [`Lexical::refresh`].
    pub(crate) fn write(&mut self, changes: &[Change], seq: u64) -> Result<(), IndexError> {
        let fields = self.fields;
        let writer = self.writer()?;
        let result = (|| {
            for change in changes {
                match change {
                    Change::Delete(key) => {
                        writer.delete_term(Term::from_field_u64(fields.key, *key));
                    }
                    Change::Put(e) => {
                        writer.delete_term(Term::from_field_u64(fields.key, e.key));
                        for (i, p) in e.passages.iter().enumerate() {
                            let mut doc = TantivyDocument::default();
                            doc.add_u64(fields.key, e.key);
                            doc.add_u64(fields.passage, i as u64);
                            doc.add_u64(fields.word_count, p.words.len() as u64);
                            doc.add_u64(fields.bigram_count, p.bigrams.len() as u64);
                            doc.add_pre_tokenized_text(fields.words, tokens(&p.words));
                            doc.add_pre_tokenized_text(fields.bigrams, tokens(&p.bigrams));
                            writer.add_document(doc)?;
                        }
                    }
                }
            }
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload(&seq.to_string());
            prepared.commit()
        })();
        if let Err(e) = result {
            let _ = writer.rollback();
            return Err(failed("writing")(e));
        }
        self.seq = seq;
        Ok(())
    }

    fn writer(&mut self) -> Result<&mut IndexWriter, IndexError> {
        if self.writer.is_none() {
            let writer = self
                .index
                .writer_with_num_threads(1, WRITER_MEMORY)
                .map_err(failed("opening for writing"))?;
            self.writer = Some(writer);
        }
        self.writer
            .as_mut()
            .ok_or_else(|| IndexError::Query("the lexical writer vanished".to_owned()))
    }

    /// Forgets everything; searches see it after [`Lexical::refresh`].
    pub(crate) fn clear(&mut self) -> Result<(), IndexError> {
        let writer = self.writer()?;
        let result = (|| {
            writer.delete_all_documents()?;
            let mut prepared = writer.prepare_commit()?;
            prepared.set_payload("0");
            prepared.commit()
        })();
        result.map_err(failed("clearing"))?;
        self.seq = 0;
        Ok(())
    }
}

impl Lexical {
    /// Lets searches see the last commit. `slots` must hold every record of it.
    pub(crate) fn refresh(&mut self, slots: &Slots) -> Result<(), IndexError> {
        self.reader.reload().map_err(failed("reloading"))?;
        let searcher = self.reader.searcher();
        let mut maps = Vec::with_capacity(searcher.segment_readers().len());
        let (mut passages, mut words, mut bigrams) = (0u64, 0u64, 0u64);
        let mut records = Records {
            words: vec![0; slots.slots()],
            bigrams: vec![0; slots.slots()],
            ..Records::default()
        };
        let mut held = vec![false; slots.slots()];
        for segment in searcher.segment_readers() {
            let map = match self.cache.get(&segment.segment_id()) {
                Some(map) => Arc::clone(map),
                None => {
                    let map = Arc::new(segment_map(segment, slots).map_err(failed("reading"))?);
                    self.cache.insert(segment.segment_id(), Arc::clone(&map));
                    map
                }
            };
            for doc in segment.doc_ids_alive() {
                passages += 1;
                let (w, b) = (map.word_count[doc as usize], map.bigram_count[doc as usize]);
                words += u64::from(w);
                bigrams += u64::from(b);
                if let Some(h) = held.get_mut(map.slot[doc as usize] as usize) {
                    let slot = map.slot[doc as usize] as usize;
                    *h = true;
                    records.words[slot] = records.words[slot].saturating_add(w);
                    records.bigrams[slot] = records.bigrams[slot].saturating_add(b);
                }
            }
            maps.push(map);
        }
        let live: HashSet<SegmentId> = searcher
            .segment_readers()
            .iter()
            .map(|s| s.segment_id())
            .collect();
        self.cache.retain(|id, _| live.contains(id));
        let mean = |n: u64| (n as f64 / passages.max(1) as f64).max(1e-9);
        records.count = held.iter().filter(|h| **h).count() as f64;
        let per_record = |n: u64| (n as f64 / records.count.max(1.0)).max(1e-9);
        (records.mean_words, records.mean_bigrams) = (per_record(words), per_record(bigrams));
        self.view = View {
            searcher,
            maps,
            passages: passages as f64,
            mean_words: mean(words),
            mean_bigrams: mean(bigrams),
            records,
        };
        Ok(())
    }

    /// Scores every record whose slot is admitted; the result has one entry per slot.
    pub(crate) fn score(
        &self,
        asked: &[QueryPassage],
        admitted: &[bool],
    ) -> Result<Vec<LexicalParts>, IndexError> {
        let mut best = vec![LexicalParts::default(); admitted.len()];
        for passage in asked {
            let words = self.bm25(&passage.words, Side::Words, admitted)?;
            let bigrams = self.bm25(&passage.bigrams, Side::Bigrams, admitted)?;
            for (s, map) in self.view.maps.iter().enumerate() {
                for (doc, &slot) in map.slot.iter().enumerate() {
                    let (w, b) = (words.passages[s][doc], bigrams.passages[s][doc]);
                    if w + b <= 0.0 {
                        continue;
                    }
                    let held = &mut best[slot as usize];
                    let p = map.passage[doc] as usize;
                    // Of equally good passages the first counts, whatever the segments' order.
                    let sum = held.words + held.bigrams;
                    if w + b > sum || (w + b == sum && p < held.passage) {
                        (held.words, held.bigrams, held.passage) = (w, b, p);
                    }
                }
            }
            for (slot, held) in best.iter_mut().enumerate() {
                let (w, b) = (words.records[slot], bigrams.records[slot]);
                if w + b > held.record_words + held.record_bigrams {
                    (held.record_words, held.record_bigrams) = (w, b);
                }
            }
        }
        Ok(best)
    }

    /// Normalised BM25 of passages and of records: 0 where nothing matches or nobody is admitted.
    fn bm25(
        &self,
        terms: &[QueryTerm],
        side: Side,
        admitted: &[bool],
    ) -> Result<Scores, IndexError> {
        let view = &self.view;
        let all = &view.records;
        let (field, mean, record_mean, record_length) = match side {
            Side::Words => (
                self.fields.words,
                view.mean_words,
                all.mean_words,
                &all.words,
            ),
            Side::Bigrams => (
                self.fields.bigrams,
                view.mean_bigrams,
                all.mean_bigrams,
                &all.bigrams,
            ),
        };
        let mut sums: Vec<Vec<f64>> = view.maps.iter().map(|m| vec![0.0; m.slot.len()]).collect();
        let mut records = vec![0.0; admitted.len()];
        let readers = view
            .searcher
            .segment_readers()
            .iter()
            .map(|s| s.inverted_index(field))
            .collect::<Result<Vec<_>, _>>()
            .map_err(failed("reading postings"))?;
        let mut seen = HashSet::new();
        let (mut greatest, mut greatest_record) = (0.0, 0.0);
        let mut hits: Vec<(usize, u32, u32)> = Vec::new();
        // How often the term stands in each record, and which records those are.
        let mut often: Vec<u32> = vec![0; all.words.len()];
        let mut who: Vec<Slot> = Vec::new();
        for QueryTerm { text, weight } in terms {
            if text.len() > MAX_TERM || !seen.insert(text.as_str()) {
                continue;
            }
            let term = Term::from_field_text(field, text);
            hits.clear();
            for (s, reader) in readers.iter().enumerate() {
                let postings = reader
                    .read_postings(&term, IndexRecordOption::WithFreqs)
                    .map_err(|e| failed("reading postings")(e.into()))?;
                let Some(mut postings) = postings else {
                    continue;
                };
                let alive = view.searcher.segment_reader(s as u32).alive_bitset();
                let mut doc = postings.doc();
                while doc != TERMINATED {
                    if alive.is_none_or(|a| a.is_alive(doc)) {
                        hits.push((s, doc, postings.term_freq()));
                    }
                    doc = postings.advance();
                }
            }
            let idf = weight * idf(view.passages, hits.len() as f64);
            greatest += idf * (K1 + 1.0);
            for &(s, doc, tf) in &hits {
                let map = &view.maps[s];
                let slot = map.slot[doc as usize];
                let Some(times) = often.get_mut(slot as usize) else {
                    continue;
                };
                if *times == 0 {
                    who.push(slot);
                }
                *times = times.saturating_add(tf);
                if !admitted.get(slot as usize).copied().unwrap_or(false) {
                    continue;
                }
                let length = match side {
                    Side::Words => map.word_count[doc as usize],
                    Side::Bigrams => map.bigram_count[doc as usize],
                };
                sums[s][doc as usize] += idf * saturation(tf, B, length, mean);
            }
            let idf = weight * self::idf(all.count, who.len() as f64);
            greatest_record += idf * (K1 + 1.0);
            for slot in who.drain(..) {
                let slot = slot as usize;
                let tf = std::mem::take(&mut often[slot]);
                if admitted.get(slot).copied().unwrap_or(false) {
                    let length = record_length[slot];
                    records[slot] += idf * saturation(tf, B_RECORD, length, record_mean);
                }
            }
        }
        if greatest > 0.0 {
            for x in sums.iter_mut().flatten() {
                *x /= greatest;
            }
        }
        if greatest_record > 0.0 {
            records.iter_mut().for_each(|x| *x /= greatest_record);
        }
        Ok(Scores {
            passages: sums,
            records,
        })
    }
}

/// How telling a term is that `df` of `n` hold.
fn idf(n: f64, df: f64) -> f64 {
    (1.0 + (n - df + 0.5) / (df + 0.5)).ln()
}

/// What `tf` mentions in a text of some length count, at most K1 + 1.
fn saturation(tf: u32, b: f64, length: u32, mean: f64) -> f64 {
    let tf = f64::from(tf);
    let norm = K1 * (1.0 - b + b * f64::from(length) / mean);
    tf * (K1 + 1.0) / (tf + norm)
}

#[derive(Clone, Copy)]
enum Side {
    Words,
    Bigrams,
}

fn tokens(terms: &[String]) -> PreTokenizedString {
    PreTokenizedString {
        text: String::new(),
        tokens: terms
            .iter()
            .enumerate()
            .filter(|(_, t)| t.len() <= MAX_TERM)
            .map(|(position, t)| Token {
                offset_from: 0,
                offset_to: 0,
                position,
                text: t.clone(),
                position_length: 1,
            })
            .collect(),
    }
}

fn segment_map(
    segment: &tantivy::SegmentReader,
    slots: &Slots,
) -> Result<SegmentMap, TantivyError> {
    let fast = segment.fast_fields();
    let column = |name: &str| -> Result<Vec<u32>, TantivyError> {
        let c = fast.u64(name)?.first_or_default_col(0);
        Ok((0..segment.max_doc())
            .map(|d| c.get_val(d) as u32)
            .collect())
    };
    let keys = fast.u64("key")?.first_or_default_col(u64::MAX);
    Ok(SegmentMap {
        slot: (0..segment.max_doc())
            .map(|d| slots.slot_of(keys.get_val(d)).unwrap_or(NOWHERE))
            .collect(),
        passage: column("passage")?,
        word_count: column("word_count")?,
        bigram_count: column("bigram_count")?,
    })
}
