//! Reading the postings of a question's terms.

use super::{
    Body, Part, Place, Side, failed,
    memory::Postings,
    score::{Asked, Terms},
    window::{Sums, Window},
};
use crate::index::IndexError;
use tantivy::postings::{BlockSegmentPostings, TermInfo};

/// A record's documents in a part, or some that follow each other: the first, and the one after the last.
pub(super) type Run = (u32, u32);

impl Place {
    pub(super) fn run(&self) -> Run {
        (self.first, self.first + self.count)
    }
}

/// The postings of a term in a part.
pub(super) enum List<'a> {
    None,
    Memory(&'a Postings),
    Sealed(TermInfo),
}

/// Postings that are read in order.
pub(super) enum Cursor<'a> {
    None,
    Memory {
        docs: &'a [u32],
        freqs: &'a [u32],
    },
    Sealed {
        block: Box<BlockSegmentPostings>,
        at: usize,
    },
}

impl Cursor<'_> {
    /// Hands over the documents before `to` that were not handed over yet, each with how often it
    /// has the term, some at a time.
    #[inline(always)]
    pub(super) fn each(&mut self, to: u32, take: &mut dyn FnMut(&[u32], &[u32])) {
        match self {
            Cursor::None => {}
            Cursor::Memory { docs, freqs } => {
                let end = docs.partition_point(|doc| *doc < to);
                take(&docs[..end], &freqs[..end]);
                (*docs, *freqs) = (&docs[end..], &freqs[end..]);
            }
            Cursor::Sealed { block, at } => loop {
                let (docs, freqs) = (block.docs(), block.freqs());
                let Some(last) = docs.last() else { return };
                let end = if *last < to {
                    docs.len()
                } else {
                    docs.partition_point(|doc| *doc < to)
                };
                let from = (*at).min(end);
                take(&docs[from..end], &freqs[from..end]);
                if end < docs.len() {
                    *at = end;
                    return;
                }
                block.advance();
                *at = 0;
            },
        }
    }

    /// Leaves out the documents before `from`.
    pub(super) fn skip(&mut self, from: u32) {
        match self {
            Cursor::None => {}
            Cursor::Memory { docs, freqs } => {
                // Most often there are none.
                if docs.first().is_some_and(|doc| *doc < from) {
                    let after = docs.partition_point(|doc| *doc < from);
                    (*docs, *freqs) = (&docs[after..], &freqs[after..]);
                }
            }
            Cursor::Sealed { block, at } => {
                let docs = block.docs();
                let behind = match docs.get(*at) {
                    Some(doc) => *doc < from,
                    None => !docs.is_empty(),
                };
                if behind {
                    *at = block.seek(from);
                }
            }
        }
    }

    /// Reads the documents of some runs, which are in order and not read yet.
    pub(super) fn among(&mut self, runs: &[Run], docs: &mut Vec<u32>, freqs: &mut Vec<u32>) {
        for &(from, to) in runs {
            self.skip(from);
            match self {
                Cursor::None => return,
                Cursor::Memory { docs: d, freqs: f } => {
                    if d.is_empty() {
                        return;
                    }
                    let end = d.iter().take_while(|doc| **doc < to).count();
                    docs.extend_from_slice(&d[..end]);
                    freqs.extend_from_slice(&f[..end]);
                    (*d, *f) = (&d[end..], &f[end..]);
                }
                Cursor::Sealed { block, at } => loop {
                    let (d, f) = (block.docs(), block.freqs());
                    if d.is_empty() {
                        return;
                    }
                    while *at < d.len() && d[*at] < to {
                        docs.push(d[*at]);
                        freqs.push(f[*at]);
                        *at += 1;
                    }
                    if *at < d.len() {
                        break;
                    }
                    block.advance();
                    *at = 0;
                },
            }
        }
    }
}

impl Part {
    pub(super) fn list(&self, side: Side, term: &str) -> Result<List<'_>, IndexError> {
        match &self.body {
            Body::Memory { terms, .. } => {
                Ok(terms.list(side, term).map_or(List::None, List::Memory))
            }
            Body::Sealed(segment) => {
                let info = segment.find(side, term);
                let info = info.map_err(|e| failed("looking up a term")(e.into()))?;
                Ok(info.map_or(List::None, List::Sealed))
            }
        }
    }

    pub(super) fn cursor<'a>(
        &self,
        side: Side,
        list: &List<'a>,
        from: u32,
    ) -> Result<Cursor<'a>, IndexError> {
        match (list, &self.body) {
            (List::Memory(list), _) => {
                let after = list.docs.partition_point(|doc| *doc < from);
                Ok(Cursor::Memory {
                    docs: &list.docs[after..],
                    freqs: &list.freqs[after..],
                })
            }
            (List::Sealed(info), Body::Sealed(segment)) => {
                let block = segment.postings(side, info);
                let block = block.map_err(|e| failed("reading postings")(e.into()))?;
                let mut block = Box::new(block);
                let at = if from == 0 { 0 } else { block.seek(from) };
                Ok(Cursor::Sealed { block, at })
            }
            _ => Ok(Cursor::None),
        }
    }
}

/// Readers of the postings of a question's terms in a window.
pub(super) struct Readers<'a> {
    part: &'a Part,
    asked: &'a Asked<'a>,
    window: Window,
    /// By asking passage and side, by term; opened when they are first needed.
    all: Vec<Vec<Option<Cursor<'a>>>>,
    /// Documents of some runs, and how often each has a term.
    scratch: (Vec<u32>, Vec<u32>),
}

impl<'a> Readers<'a> {
    pub(super) fn new(part: &'a Part, asked: &'a Asked<'a>, window: Window) -> Self {
        let none = |t: &Terms<'_>| t.all.iter().map(|_| None).collect();
        Self {
            part,
            asked,
            window,
            all: asked.terms.iter().map(none).collect(),
            scratch: Default::default(),
        }
    }

    /// Adds up what the terms of an asking passage are worth that `which` names by side and number, in the
    /// question's order. `documents` reads some of a term's documents, of which none is before `from`.
    #[inline(always)]
    fn add(
        &mut self,
        asking: usize,
        which: impl Fn(usize, usize) -> bool,
        from: u32,
        sums: &mut Sums,
        mut documents: impl FnMut(&mut Cursor<'a>, &mut dyn FnMut(&[u32], &[u32])),
    ) -> Result<(), IndexError> {
        for (side, worth) in self.asked.worth.iter().enumerate() {
            let at = asking * 2 + side;
            for (i, term) in self.asked.terms[at].all.iter().enumerate() {
                if !which(side, i) {
                    continue;
                }
                let reader = match &mut self.all[at][i] {
                    Some(reader) => reader,
                    closed => {
                        let list = term.list(self.window.part);
                        closed.insert(self.part.cursor(worth.side, list, from)?)
                    }
                };
                sums.add(worth, term.weights(), self.part, |take| {
                    documents(reader, take);
                });
            }
        }
        Ok(())
    }

    /// Adds up the documents from `from` to before `to`.
    pub(super) fn between(
        &mut self,
        asking: usize,
        which: impl Fn(usize, usize) -> bool,
        (from, to): Run,
        sums: &mut Sums,
    ) -> Result<(), IndexError> {
        self.add(asking, which, from, sums, |reader, take| {
            reader.skip(from);
            reader.each(to, take);
        })
    }

    /// Adds up the documents of some records, which are in order and not read yet.
    pub(super) fn among(
        &mut self,
        asking: usize,
        runs: &[Run],
        sums: &mut Sums,
    ) -> Result<(), IndexError> {
        let Some((from, _)) = runs.first() else {
            return Ok(());
        };
        let (mut docs, mut freqs) = std::mem::take(&mut self.scratch);
        // Of neighbours one run is made, for every term to go through.
        let mut joined: Vec<Run> = Vec::with_capacity(runs.len());
        for run in runs {
            match joined.last_mut() {
                Some(last) if last.1 == run.0 => last.1 = run.1,
                _ => joined.push(*run),
            }
        }
        self.add(
            asking,
            |_, _| true,
            *from,
            sums,
            |reader, take| {
                reader.among(&joined, &mut docs, &mut freqs);
                take(&docs, &freqs);
                docs.clear();
                freqs.clear();
            },
        )?;
        self.scratch = (docs, freqs);
        Ok(())
    }
}
