//! The suite.

use crate::records::*;
use ndarray::Array2;
use queqiao_domain::{Facets, Filter};
use queqiao_retrieval::{
    Backlog, Change, Consistency, Entry, Health, Index, IndexError, Mode, Query, QueryPassage,
    SearchResult, Shape,
};
use rand::RngExt;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::atomic::{AtomicBool, Ordering},
};

/// Makes the indexes under test.
pub(crate) trait Maker {
    /// An empty index; one at a time is in use.
    fn make(&self, shape: Shape) -> Box<dyn Index>;
    /// Closes an index and opens it again; only called where it says it is persistent.
    fn reopen(&self, index: Box<dyn Index>, shape: Shape) -> Box<dyn Index>;
}

/// Panics where an index does not do what every index must.
pub(crate) fn run(maker: &dyn Maker) {
    empty(&*maker.make(shape()));
    writes_are_seen_at_once(&*maker.make(shape()));
    batches_are_whole(&*maker.make(shape()));
    filters_and_conditions(&*maker.make(shape()));
    dense_scores(&*maker.make(shape()));
    who_is_alike(&*maker.make(shape()));
    lexical_scores(&*maker.make(shape()));
    bad_input(&*maker.make(shape()));
    any_number_may_be_wanted(&*maker.make(shape()));
    consistency(&*maker.make(shape()));
    searches_meet_whole_batches(&*maker.make(shape()));
    clearing(&*maker.make(shape()));
    restart(maker);
}

/// More than are sealed between questions that follow each other at once.
const SEALS: usize = 8;

struct Ask<'a> {
    vectors: &'a Array2<f32>,
    passages: &'a [QueryPassage],
    filter: &'a str,
    mode: Mode,
    wanted: usize,
}

impl Ask<'_> {
    fn of(&self, index: &dyn Index) -> SearchResult {
        self.where_(index, &|_, _| true)
    }

    fn where_(
        &self,
        index: &dyn Index,
        admit: &(dyn Fn(u64, &Facets) -> bool + Sync),
    ) -> SearchResult {
        let filter = Filter::parse(self.filter).unwrap();
        let query = Query {
            vectors: self.vectors,
            passages: self.passages,
            filter: &filter,
            admit,
            mode: self.mode,
            candidates: self.wanted,
            consistency: Consistency::Latest,
        };
        // Where graphs name the candidates, one that is sealed between two questions may name others; who
        // compares everybody answers alike at once.
        let exact =
            self.mode == Mode::Lexical || index.passages() <= index.capabilities().exact_below;
        let tries = if exact { 1 } else { SEALS };
        let mut found = index.search(&query).unwrap();
        let settled = (0..tries).any(|_| {
            let again = index.search(&query).unwrap();
            let equal = bits(&found) == bits(&again);
            found = again;
            equal
        });
        assert!(settled, "equal questions, equal answers");
        let ids: Vec<_> = found.candidates.iter().map(|c| &c.id).collect();
        assert!(
            ids.windows(2).all(|w| w[0] < w[1]),
            "in order of id, each once"
        );
        for c in &found.candidates {
            assert!(filter.matches(&c.facets) && admit(c.key, &c.facets));
            for x in [c.dense.best, c.dense.coverage, c.dense.profile] {
                assert!((-1.001..=1.001).contains(&x), "{x} is no cosine");
            }
            for x in [c.lexical.words, c.lexical.bigrams] {
                assert!((0.0..=1.0).contains(&x), "{x} is no share");
            }
        }
        assert!(found.candidates.len() <= found.admitted);
        assert!(found.admitted <= found.total);
        assert_eq!(found.total, index.len());
        assert_eq!(found.seq, index.seq());
        found
    }
}

fn bits(found: &SearchResult) -> Vec<(u64, u64, u64, u64)> {
    let of = |c: &queqiao_retrieval::Candidate| {
        (
            c.key,
            c.dense.best.to_bits(),
            c.dense.profile.to_bits(),
            c.lexical.words.to_bits(),
        )
    };
    found.candidates.iter().map(of).collect()
}

fn dense<'a>(vectors: &'a Array2<f32>, filter: &'a str, wanted: usize) -> Ask<'a> {
    Ask {
        vectors,
        passages: &[],
        filter,
        mode: Mode::Dense,
        wanted,
    }
}

fn put(e: Entry) -> Change {
    Change::Put(Box::new(e))
}

fn keys(found: &SearchResult) -> BTreeSet<u64> {
    found.candidates.iter().map(|c| c.key).collect()
}

fn empty(index: &dyn Index) {
    assert!(index.is_empty());
    assert_eq!((index.len(), index.passages(), index.seq()), (0, 0, 0));
    assert_eq!(index.health(), Health::Serving);
    assert_eq!(index.backlog(), Backlog::default());
    let asked = rows(&[unit(&mut rng(1))]);
    let found = dense(&asked, "", 10).of(index);
    assert!(found.candidates.is_empty());
    assert_eq!((found.best_words, found.best_bigrams), (0.0, 0.0));
    index.apply(vec![Change::Delete(7)], 1).unwrap();
    index.apply(vec![], 2).unwrap();
    assert_eq!((index.len(), index.seq()), (0, 2));
}

fn writes_are_seen_at_once(index: &dyn Index) {
    let mut rng = rng(2);
    let mut naive = Naive::default();
    for seq in 1..=60u64 {
        let key = rng.random_range(0..25);
        let change = match rng.random_range(0..4) {
            0 => Change::Delete(key),
            _ => put(random(&mut rng, key)),
        };
        naive.apply(std::slice::from_ref(&change));
        index.apply(vec![change], seq).unwrap();
        assert_eq!(index.seq(), seq);
        let passages: usize = naive.0.values().map(|e| e.vectors.nrows()).sum();
        assert_eq!((index.len(), index.passages()), (naive.0.len(), passages));
        let asked = rows(&[unit(&mut rng)]);
        let found = dense(&asked, "", 1_000).of(index);
        assert_eq!(keys(&found), naive.0.keys().copied().collect());
        for c in &found.candidates {
            let e = &naive.0[&c.key];
            assert_eq!(*c.facets, e.facets, "the facets of the last write");
            assert_eq!(c.passages, e.vectors.nrows());
            assert!((c.dense.best - best(&asked, e)).abs() < 1e-5);
        }
    }
}

fn batches_are_whole(index: &dyn Index) {
    let mut rng = rng(3);
    // Of several changes of one key the last counts.
    let (a, b) = (unit(&mut rng), unit(&mut rng));
    let mut first = entry(1, a);
    first.passages = vec![words(&["old"])];
    let mut last = entry(1, b.clone());
    last.passages = vec![words(&["new"])];
    let batch = vec![
        put(first),
        put(last),
        put(entry(2, unit(&mut rng))),
        Change::Delete(2),
        Change::Delete(3),
        put(entry(3, unit(&mut rng))),
    ];
    index.apply(batch, 5).unwrap();
    let asked = rows(&[b]);
    let found = dense(&asked, "", 10).of(index);
    assert_eq!(keys(&found), BTreeSet::from([1, 3]));
    assert!((found.candidates[0].dense.best - 1.0).abs() < 1e-5);
    for (word, expected) in [("old", 0), ("new", 1)] {
        let found = Ask {
            vectors: &asked,
            passages: &[asks(&[word])],
            filter: "",
            mode: Mode::Lexical,
            wanted: 10,
        }
        .of(index);
        assert_eq!(found.candidates.len(), expected, "{word}");
    }
}

const FILTERS: [&str; 10] = [
    "",
    "kind = expert",
    "region : 44",
    "region : 44 AND NOT kind = need",
    "kind = expert OR kind = need OR keyword = word01",
    "attributes.size > 9",
    "attributes.size != 3 AND keyword : word",
    "title = \"title 3\"",
    "id = r00042",
    "region : 31",
];

fn filters_and_conditions(index: &dyn Index) {
    let mut rng = rng(4);
    let mut naive = Naive::default();
    for round in 0..3u64 {
        let changes: Vec<Change> = (0..200)
            .map(|_| {
                let key = rng.random_range(0..400);
                match rng.random_range(0..6) {
                    0 => Change::Delete(key),
                    _ => put(random(&mut rng, key)),
                }
            })
            .collect();
        naive.apply(&changes);
        index.apply(changes, round + 1).unwrap();
        for text in FILTERS {
            let filter = Filter::parse(text).unwrap();
            let expected: BTreeSet<u64> = naive.passing(&filter).iter().map(|e| e.key).collect();
            let asked = rows(&[unit(&mut rng), unit(&mut rng)]);
            let found = dense(&asked, text, 10_000).of(index);
            assert_eq!(keys(&found), expected, "`{text}`");
            assert_eq!(found.admitted, expected.len(), "`{text}`");
            let odd = |key: u64, _: &Facets| key % 2 == 1;
            let found = dense(&asked, text, 10_000).where_(index, &odd);
            let expected: BTreeSet<u64> = expected.into_iter().filter(|k| k % 2 == 1).collect();
            assert_eq!(keys(&found), expected, "`{text}` and a condition");
            // However few pass, no fewer are found than there are.
            let found = dense(&asked, text, 12).where_(index, &odd);
            assert!(found.candidates.len() >= expected.len().min(12), "`{text}`");
        }
    }
}

fn dense_scores(index: &dyn Index) {
    let mut rng = rng(5);
    let mut naive = Naive::default();
    let changes: Vec<Change> = (0..600).map(|k| put(random(&mut rng, k))).collect();
    naive.apply(&changes);
    index.apply(changes, 1).unwrap();
    let (mut hits, mut of) = (0, 0);
    for _ in 0..30 {
        let n = rng.random_range(1..4);
        let asked = rows(&(0..n).map(|_| unit(&mut rng)).collect::<Vec<_>>());
        let found = dense(&asked, "", 20).of(index);
        for c in &found.candidates {
            let e = &naive.0[&c.key];
            let dots = asked.dot(&e.vectors.t());
            let at = f64::from(dots[[c.dense.asked, c.dense.passage]]);
            assert!(
                (c.dense.best - best(&asked, e)).abs() < 1e-5,
                "the best pair"
            );
            assert!((c.dense.best - at).abs() < 1e-5, "and where it is");
            let row_best =
                |r: ndarray::ArrayView1<'_, f32>| r.iter().copied().fold(-1f32, f32::max);
            let coverage: f32 = dots.rows().into_iter().map(row_best).sum::<f32>() / n as f32;
            assert!((c.dense.coverage - f64::from(coverage)).abs() < 1e-4);
            assert_eq!(c.lexical, Default::default(), "terms were not asked");
        }
        let mut order: Vec<(f64, u64)> =
            naive.0.values().map(|e| (best(&asked, e), e.key)).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let got = keys(&found);
        hits += order[..20].iter().filter(|x| got.contains(&x.1)).count();
        of += 20;
    }
    assert!(
        hits as f64 >= 0.98 * of as f64,
        "{hits} of the {of} nearest"
    );
    // Passages that are zero are near nothing, and no reason to lose a record.
    let zero = rows(&[vec![0.0; DIM]]);
    let found = dense(&zero, "", 10_000).of(index);
    assert_eq!(found.candidates.len(), 600);
    assert!(found.candidates.iter().all(|c| c.dense.best == 0.0));
}

fn who_is_alike(index: &dyn Index) {
    let mut rng = rng(6);
    let mut naive = Naive::default();
    let mut changes: Vec<Change> = (0..40).map(|k| put(random(&mut rng, k))).collect();
    changes.push(put(entry(40, vec![0.0; DIM])));
    naive.apply(&changes);
    index.apply(changes, 1).unwrap();
    let asked = rows(&[unit(&mut rng)]);
    let found = dense(&asked, "", 100).of(index).candidates;
    assert_eq!(found.len(), 41);
    // 7 is deleted and 9 another since the search; 40 says nothing.
    let since = vec![Change::Delete(7), put(random(&mut rng, 9))];
    index.apply(since, 2).unwrap();
    naive.apply(&[Change::Delete(7), Change::Delete(9)]);
    let candidates: Vec<_> = found.iter().rev().collect();
    let keys: Vec<u64> = candidates.iter().map(|c| c.key).collect();
    let mean = |key: &u64| {
        let e = naive.0.get(key)?;
        let sum = e.vectors.sum_axis(ndarray::Axis(0)).mapv(f64::from);
        let norm = sum.dot(&sum).sqrt();
        (norm > 0.0).then(|| sum / norm)
    };
    let found = index.alike(&candidates).unwrap();
    assert_eq!(found.dim(), (keys.len(), keys.len()));
    for ((i, j), cosine) in found.indexed_iter() {
        let expected = match (mean(&keys[i]), mean(&keys[j])) {
            (Some(a), Some(b)) => a.dot(&b),
            _ => 0.0,
        };
        assert!(
            (f64::from(*cosine) - expected).abs() < 1e-5,
            "{} and {}: {cosine}, expected {expected}",
            keys[i],
            keys[j]
        );
    }
    assert_eq!(index.alike(&[]).unwrap().len(), 0);
}

fn lexical_scores(index: &dyn Index) {
    if !index.capabilities().lexical {
        return;
    }
    let mut rng = rng(6);
    let passage = |e: &mut Entry, passages: &[&[&str]]| {
        e.passages = passages.iter().map(|p| words(p)).collect();
        let row = e.vectors.row(0).to_vec();
        e.vectors = rows(&vec![row; passages.len()]);
    };
    let mut changes = Vec::new();
    for key in 0..40 {
        let mut e = entry(key, unit(&mut rng));
        match key {
            0 => passage(&mut e, &[&["common"], &["common", "rare"]]),
            1 => passage(&mut e, &[&["rare", "filler", "filler", "filler"]]),
            2 => passage(&mut e, &[&["other"]]),
            _ => passage(&mut e, &[&["common", "filler"]]),
        }
        changes.push(put(e));
    }
    index.apply(changes, 1).unwrap();
    let zero = Array2::zeros((0, DIM));
    let ask = |passages: &[QueryPassage], filter: &str| {
        Ask {
            vectors: &zero,
            passages,
            filter,
            mode: Mode::Lexical,
            wanted: 100,
        }
        .of(index)
    };
    let found = ask(&[asks(&["rare"])], "");
    assert_eq!(keys(&found), BTreeSet::from([0, 1]), "who shares a term");
    let scores: BTreeMap<u64, f64> = found
        .candidates
        .iter()
        .map(|c| (c.key, c.lexical.words))
        .collect();
    assert!(scores[&0] > scores[&1], "shorter passages say it louder");
    assert_eq!(found.best_words, scores[&0]);
    assert_eq!(
        found.candidates[0].lexical.passage, 1,
        "the passage that says it"
    );
    assert_eq!(found.candidates[0].dense, Default::default());
    // A term that is asked for twice counts once; one that nobody has lowers everyone's share.
    let twice = ask(&[asks(&["rare", "rare"])], "");
    assert_eq!(bits(&twice), bits(&found));
    let with = ask(&[asks(&["rare", "unheard"])], "");
    assert!(with.best_words < found.best_words);
    assert_eq!(ask(&[asks(&["unheard"])], "").candidates.len(), 0);
    assert_eq!(ask(&[asks(&[])], "").candidates.len(), 0);
    assert_eq!(
        keys(&ask(&[asks(&["rare"])], "id = r00001")),
        BTreeSet::from([1])
    );
    // Statistics are over the living: when others go, the same passage says more.
    let before = ask(&[asks(&["common", "other"])], "id = r00002").best_words;
    index
        .apply((3..40).map(Change::Delete).collect(), 2)
        .unwrap();
    let after = ask(&[asks(&["common", "other"])], "id = r00002").best_words;
    assert!(after != before);
}

fn bad_input(index: &dyn Index) {
    let mut rng = rng(7);
    let good = entry(1, unit(&mut rng));
    index.apply(vec![put(good.clone())], 1).unwrap();
    let mut bad: Vec<Entry> = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.0]
        .into_iter()
        .map(|x| {
            let mut e = entry(2, unit(&mut rng));
            e.vectors[[0, DIM - 1]] = x;
            e
        })
        .collect();
    let mut wide = entry(2, unit(&mut rng));
    wide.vectors = Array2::zeros((1, DIM + 1));
    bad.push(wide);
    for e in bad {
        // The good one before it is not visible either.
        let batch = vec![put(entry(3, unit(&mut rng))), Change::Delete(1), put(e)];
        let error = index.apply(batch, 2).unwrap_err();
        assert!(
            matches!(error, IndexError::Vector { key: 2, .. }),
            "{error}"
        );
        assert_eq!((index.len(), index.seq()), (1, 1));
    }
    // Zero vectors and records without passages are no error.
    let mut none = entry(4, unit(&mut rng));
    none.passages.clear();
    none.vectors = Array2::zeros((0, DIM));
    index
        .apply(vec![put(entry(3, vec![0.0; DIM])), put(none)], 2)
        .unwrap();
    assert_eq!(index.len(), 3);

    let weight = |w: f64| {
        let mut p = asks(&["x"]);
        p.words[0].weight = w;
        p
    };
    let (right, narrow) = (rows(&[unit(&mut rng)]), Array2::zeros((1, DIM - 1)));
    let mut nan = right.clone();
    nan[[0, 0]] = f32::NAN;
    let refused: [(&Array2<f32>, Vec<QueryPassage>); 6] = [
        (&narrow, vec![]),
        (&nan, vec![]),
        (&right, vec![weight(0.0)]),
        (&right, vec![weight(-1.0)]),
        (&right, vec![weight(f64::NAN)]),
        (&right, vec![weight(f64::INFINITY)]),
    ];
    for (vectors, passages) in refused {
        let asked = index.search(&Query {
            vectors,
            passages: &passages,
            filter: &Filter::All,
            admit: &|_, _| true,
            mode: Mode::Hybrid,
            candidates: 10,
            consistency: Consistency::Latest,
        });
        assert!(matches!(asked, Err(IndexError::Query(_))));
    }
    // A term longer than any index keeps is a term that nobody has.
    let long = "长".repeat(100_000);
    let found = Ask {
        vectors: &right,
        passages: &[asks(&[&long])],
        filter: "",
        mode: Mode::Hybrid,
        wanted: 10,
    }
    .of(index);
    assert_eq!(found.candidates.len(), 3);
}

fn any_number_may_be_wanted(index: &dyn Index) {
    let mut rng = rng(8);
    index
        .apply((0..300).map(|k| put(random(&mut rng, k))).collect(), 1)
        .unwrap();
    let asked = rows(&[unit(&mut rng)]);
    for (wanted, at_least) in [
        (usize::MAX, 300),
        (1 << 40, 300),
        (299, 299),
        (1, 1),
        (0, 0),
    ] {
        let found = dense(&asked, "", wanted).of(index);
        assert!(found.candidates.len() >= at_least, "{wanted} wanted");
        assert!(found.candidates.len() <= at_least.saturating_mul(3));
    }
}

fn consistency(index: &dyn Index) {
    let mut rng = rng(9);
    index
        .apply(vec![put(entry(1, unit(&mut rng)))], 10)
        .unwrap();
    let asked = rows(&[unit(&mut rng)]);
    let ask = |needed| {
        index.search(&Query {
            vectors: &asked,
            passages: &[],
            filter: &Filter::All,
            admit: &|_, _| true,
            mode: Mode::Dense,
            candidates: 10,
            consistency: Consistency::AtLeast(needed),
        })
    };
    assert_eq!(ask(10).unwrap().candidates.len(), 1);
    assert!(matches!(
        ask(11),
        Err(IndexError::Behind {
            needed: 11,
            seen: 10
        })
    ));
    index.apply(vec![], 11).unwrap();
    assert_eq!(ask(11).unwrap().seq, 11);
}

fn searches_meet_whole_batches(index: &dyn Index) {
    if !index.capabilities().read_your_writes {
        return;
    }
    let mut rng = rng(10);
    let asked = rows(&[unit(&mut rng)]);
    // Two records that always change together.
    let pair = |n: u64, rng: &mut rand_chacha::ChaCha8Rng| {
        let mut both = vec![entry(1, unit(rng)), entry(2, unit(rng))];
        for e in &mut both {
            e.facets.attributes.insert("turn".into(), n.to_string());
        }
        both.into_iter().map(put).collect::<Vec<_>>()
    };
    index.apply(pair(0, &mut rng), 1).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|s| {
        s.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let filter = Filter::All;
                let found = index
                    .search(&Query {
                        vectors: &asked,
                        passages: &[],
                        filter: &filter,
                        admit: &|_, _| true,
                        mode: Mode::Dense,
                        candidates: 10,
                        consistency: Consistency::Latest,
                    })
                    .unwrap();
                let turns: HashSet<_> = found
                    .candidates
                    .iter()
                    .map(|c| c.facets.attributes["turn"].clone())
                    .collect();
                assert_eq!((found.candidates.len(), turns.len()), (2, 1));
            }
        });
        for n in 1..60 {
            index.apply(pair(n, &mut rng), n + 1).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn clearing(index: &dyn Index) {
    let mut rng = rng(11);
    index
        .apply((0..200).map(|k| put(random(&mut rng, k))).collect(), 9)
        .unwrap();
    index.clear().unwrap();
    assert_eq!((index.len(), index.passages(), index.seq()), (0, 0, 0));
    let asked = rows(&[unit(&mut rng)]);
    assert!(dense(&asked, "", 10).of(index).candidates.is_empty());
    index.apply(vec![put(entry(5, unit(&mut rng)))], 1).unwrap();
    assert_eq!(keys(&dense(&asked, "", 10).of(index)), BTreeSet::from([5]));
}

fn restart(maker: &dyn Maker) {
    let mut index = maker.make(shape());
    if !index.capabilities().persistent {
        return;
    }
    let mut rng = rng(12);
    let mut naive = Naive::default();
    let mut seq = 0;
    for _ in 0..6 {
        for _ in 0..3 {
            let changes: Vec<Change> = (0..60)
                .map(|_| {
                    let key = rng.random_range(0..300);
                    match rng.random_range(0..5) {
                        0 => Change::Delete(key),
                        _ => put(random(&mut rng, key)),
                    }
                })
                .collect();
            seq += 1;
            naive.apply(&changes);
            index.apply(changes, seq).unwrap();
        }
        let asked = rows(&[unit(&mut rng)]);
        let before = dense(&asked, "", 10_000).of(&*index);
        assert_eq!(keys(&before), naive.0.keys().copied().collect());
        index = maker.reopen(index, shape());
        assert_eq!(index.seq(), seq);
        let after = dense(&asked, "", 10_000).of(&*index);
        assert_eq!(bits(&before), bits(&after));
    }
}
