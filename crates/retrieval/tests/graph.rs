//! Graphs against the exact scan: the same records, the same questions, nearly the same answers.
#![allow(clippy::unwrap_used)]

use ndarray::Array2;
use queqiao_domain::{Facets, Filter, Kind, Record, RecordId};
use queqiao_retrieval::{
    Change, Consistency, EmbeddedIndex, Entry, GraphOptions, Index, IndexOptions, Isa, Mode,
    Passage, Query, SearchResult, Selection, Shape, VectorIndex,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, HashSet};

/// Long enough to have sketches.
const DIM: usize = 128;
const CLUSTERS: usize = 12;

fn shape() -> Shape {
    Shape {
        dim: DIM,
        fingerprint: "test".into(),
    }
}

/// Graphs from few records on, sealed again and again.
fn eager(isa: Isa) -> IndexOptions {
    IndexOptions {
        exact_below: 200,
        seal_from: 100,
        seal_most: 1 << 20,
        commit_from: 150,
        graph: GraphOptions {
            least: 32,
            ..GraphOptions::default()
        },
        threads: 1,
        isa,
    }
}

/// Topics, and texts about them.
struct World {
    centres: Vec<Vec<f32>>,
    rng: ChaCha8Rng,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let centres = (0..CLUSTERS)
            .map(|_| (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect())
            .collect();
        Self { centres, rng }
    }

    fn near(&mut self, topic: usize) -> Vec<f32> {
        let rng = &mut self.rng;
        let v: Vec<f32> = self.centres[topic]
            .iter()
            .map(|c| c + rng.random_range(-0.8f32..0.8))
            .collect();
        let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.into_iter().map(|x| x / norm).collect()
    }

    fn vector(&mut self) -> Vec<f32> {
        let topic = self.rng.random_range(0..CLUSTERS);
        self.near(topic)
    }

    /// A record with up to `most` passages about one topic; `share` says how rare its group is,
    /// and the topic is an attribute too, so that a filter can go along with the meaning.
    fn entry(&mut self, key: u64, most: usize) -> Entry {
        let topic = self.rng.random_range(0..CLUSTERS);
        let mut r = Record::new(RecordId::new(format!("r{key:06}")).unwrap(), Kind::Expert);
        r.title = "x".into();
        let mut set = |name: &str, value: String| {
            r.attributes.insert(name.into(), value);
        };
        set("topic", topic.to_string());
        for (name, one_in) in [("half", 2), ("tenth", 10), ("hundredth", 100)] {
            set(name, self.rng.random_range(0..one_in).to_string());
        }
        let n = self.rng.random_range(1..=most);
        let mut rows: Vec<f32> = Vec::new();
        for _ in 0..n {
            let v = match self.rng.random_range(0..50) {
                0 => vec![0.0; DIM],
                _ => self.near(topic),
            };
            rows.extend(v);
        }
        Entry {
            key,
            facets: Facets::of(&r),
            passages: vec![Passage::default(); n],
            vectors: Array2::from_shape_vec((n, DIM), rows).unwrap(),
        }
    }
}

fn ask(
    index: &EmbeddedIndex,
    vectors: &Array2<f32>,
    filter: &Filter,
    banned: &HashSet<u64>,
    wanted: usize,
) -> SearchResult {
    index
        .search(&Query {
            vectors,
            passages: &[],
            filter,
            admit: &|key, _| !banned.contains(&key),
            mode: Mode::Dense,
            candidates: wanted,
            consistency: Consistency::Latest,
        })
        .unwrap()
}

/// Keys of the best by their best passage, ties in order of id.
fn best(found: &SearchResult, wanted: usize) -> Vec<u64> {
    let mut all: Vec<_> = found.candidates.iter().collect();
    all.sort_by(|a, b| b.dense.best.total_cmp(&a.dense.best).then(a.id.cmp(&b.id)));
    all.iter().take(wanted).map(|c| c.key).collect()
}

/// Share of the exact best that the graphs found, with what must hold of any answer.
fn recall(
    world: &mut World,
    index: &EmbeddedIndex,
    exact: &EmbeddedIndex,
    filter: &str,
    questions: usize,
    wanted: usize,
) -> f64 {
    let filter = Filter::parse(filter).unwrap();
    let (mut hits, mut of) = (0, 0);
    for _ in 0..questions {
        let rows = world.rng.random_range(1..3);
        let v: Vec<f32> = (0..rows).flat_map(|_| world.vector()).collect();
        let v = Array2::from_shape_vec((rows, DIM), v).unwrap();
        let banned: HashSet<u64> = (0..20).map(|_| world.rng.random_range(0..2_000)).collect();
        let truth = ask(exact, &v, &filter, &banned, wanted);
        let found = ask(index, &v, &filter, &banned, wanted);
        // Never fewer than there are, nobody who is not admitted, and exact scores.
        let there = best(&truth, wanted).len();
        assert_eq!(best(&found, wanted).len(), there, "{filter:?}");
        assert_eq!(found.total, truth.total);
        let scores: BTreeMap<u64, u64> = ask(exact, &v, &Filter::All, &HashSet::new(), usize::MAX)
            .candidates
            .iter()
            .map(|c| (c.key, c.dense.best.to_bits()))
            .collect();
        for c in &found.candidates {
            assert!(filter.matches(&c.facets) && !banned.contains(&c.key));
            assert_eq!(scores[&c.key], c.dense.best.to_bits());
        }
        let expected = best(&truth, wanted);
        let got: HashSet<u64> = best(&found, wanted).into_iter().collect();
        hits += expected.iter().filter(|k| got.contains(k)).count();
        of += expected.len();
    }
    if of == 0 {
        1.0
    } else {
        hits as f64 / of as f64
    }
}

fn put(e: Entry) -> Change {
    Change::Put(Box::new(e))
}

const FILTERS: [&str; 6] = [
    "",
    "attributes.half = 1",
    "attributes.tenth = 1",
    "attributes.hundredth = 1",
    "attributes.topic = 3",
    "NOT attributes.topic = 3 AND attributes.half = 0",
];

#[test]
fn graphs_agree_with_the_exact_scan_under_deletes_and_filters() {
    for (seed, isa) in (0..).zip(Isa::available()) {
        let mut world = World::new(seed);
        let index = EmbeddedIndex::in_memory_with(shape(), eager(isa)).unwrap();
        let exact = EmbeddedIndex::in_memory_with(shape(), IndexOptions::exact()).unwrap();
        let mut seq = 0;
        for round in 0..6 {
            let mut changes = Vec::new();
            for _ in 0..500 {
                let key = world.rng.random_range(0..2_000);
                changes.push(if world.rng.random_bool(0.15) {
                    Change::Delete(key)
                } else {
                    put(world.entry(key, 4))
                });
            }
            seq += 1;
            index.apply(changes.clone(), seq).unwrap();
            exact.apply(changes, seq).unwrap();
            if round % 2 == 1 {
                // Whatever the worker has got to.
                index.settle();
            }
            for filter in FILTERS {
                let found = recall(&mut world, &index, &exact, filter, 12, 10);
                assert!(found >= 0.98, "{isa:?} round {round} `{filter}`: {found}");
            }
        }
    }
}

#[test]
fn many_that_wait_for_a_graph_are_found_all_the_same() {
    let mut world = World::new(42);
    // It takes long: what is asked meanwhile finds those that wait, in two parts.
    let slow = IndexOptions {
        seal_from: 500,
        graph: GraphOptions {
            neighbours: 64,
            ef_construction: 1_000,
            ..GraphOptions::default()
        },
        ..eager(Isa::best())
    };
    let index = EmbeddedIndex::in_memory_with(shape(), slow).unwrap();
    let exact = EmbeddedIndex::in_memory_with(shape(), IndexOptions::exact()).unwrap();
    let both = |changes: Vec<Change>, seq| {
        index.apply(changes.clone(), seq).unwrap();
        exact.apply(changes, seq).unwrap();
    };
    both((0..4_000).map(|k| put(world.entry(k, 3))).collect(), 1);
    let changed = (0..1_500u64).map(|i| match i % 3 {
        0 => Change::Delete(i * 2),
        1 => put(world.entry(i * 2, 3)),
        _ => put(world.entry(10_000 + i, 3)),
    });
    both(changed.collect(), 2);
    for filter in FILTERS {
        let found = recall(&mut world, &index, &exact, filter, 12, 10);
        assert!(found >= 0.98, "`{filter}`: {found}");
    }
}

#[test]
fn several_graphs_answer_as_one_even_where_one_holds_all_that_is_near() {
    let mut world = World::new(43);
    let several = IndexOptions {
        seal_most: 700,
        ..eager(Isa::best())
    };
    let index = EmbeddedIndex::in_memory_with(shape(), several).unwrap();
    let exact = EmbeddedIndex::in_memory_with(shape(), IndexOptions::exact()).unwrap();
    let mut entries: Vec<Entry> = (0..6_000).map(|k| world.entry(k, 1)).collect();
    // Topic after topic: each of ten graphs holds one or two.
    entries.sort_by_key(|e| e.facets.attributes["topic"].clone());
    for (i, some) in entries.chunks(300).enumerate() {
        let changes = || some.iter().cloned().map(put).collect();
        index.apply(changes(), i as u64).unwrap();
        exact.apply(changes(), i as u64).unwrap();
        index.settle();
    }
    for filter in FILTERS {
        let found = recall(&mut world, &index, &exact, filter, 12, 300);
        assert!(found >= 0.98, "`{filter}`: {found}");
    }
}

#[test]
fn half_replaced_is_found_as_well_as_fresh() {
    let mut world = World::new(77);
    let index = EmbeddedIndex::in_memory_with(shape(), eager(Isa::best())).unwrap();
    let exact = EmbeddedIndex::in_memory_with(shape(), IndexOptions::exact()).unwrap();
    let both = |changes: Vec<Change>, seq| {
        index.apply(changes.clone(), seq).unwrap();
        exact.apply(changes, seq).unwrap();
    };
    both((0..3_000).map(|k| put(world.entry(k, 2))).collect(), 1);
    index.settle();
    let fresh = recall(&mut world, &index, &exact, "", 100, 10);
    for step in 0..15 {
        let keys: Vec<u64> = (0..100).map(|i| (step * 100 + i) * 2).collect();
        both(
            keys.iter().map(|k| put(world.entry(*k, 2))).collect(),
            2 + step,
        );
        let dirty = recall(&mut world, &index, &exact, "", 10, 10);
        assert!(dirty >= 0.98, "step {step}: {dirty}");
    }
    index.settle();
    let replaced = recall(&mut world, &index, &exact, "", 100, 10);
    assert!(fresh >= 0.99, "{fresh}");
    assert!(replaced >= 0.98 * fresh, "{replaced} of {fresh}");
}

#[test]
fn copies_are_all_found() {
    // hnsw_rs by itself loses three in ten of these.
    let mut world = World::new(5);
    let index = EmbeddedIndex::in_memory_with(shape(), eager(Isa::best())).unwrap();
    let originals: Vec<Entry> = (0..50).map(|k| world.entry(k, 1)).collect();
    let copies: Vec<Change> = (0..5_000u64)
        .map(|key| {
            let mut e = originals[key as usize % 50].clone();
            e.key = key;
            e.facets.id = RecordId::new(format!("c{key:06}")).unwrap();
            put(e)
        })
        .collect();
    index.apply(copies, 1).unwrap();
    index.settle();
    for (i, e) in originals.iter().enumerate() {
        if e.vectors.iter().all(|x| *x == 0.0) {
            continue;
        }
        let found = ask(&index, &e.vectors, &Filter::All, &HashSet::new(), 100);
        let keys: HashSet<u64> = best(&found, 100).into_iter().collect();
        assert_eq!(keys.len(), 100);
        assert!(keys.iter().all(|k| *k as usize % 50 == i), "{keys:?}");
    }
}

#[test]
fn one_record_of_many_passages_takes_one_place() {
    let mut world = World::new(6);
    let index = EmbeddedIndex::in_memory_with(shape(), eager(Isa::best())).unwrap();
    // One record says the same a thousand times, a little differently each time.
    let mut loud = world.entry(0, 1);
    let rows: Vec<f32> = (0..1_000).flat_map(|_| world.near(3)).collect();
    loud.vectors = Array2::from_shape_vec((1_000, DIM), rows).unwrap();
    let mut changes = vec![put(loud)];
    changes.extend((1..1_500).map(|k| put(world.entry(k, 1))));
    index.apply(changes, 1).unwrap();
    index.settle();
    let asked = Array2::from_shape_vec((1, DIM), world.near(3)).unwrap();
    let found = ask(&index, &asked, &Filter::All, &HashSet::new(), 50);
    let keys: HashSet<u64> = best(&found, 50).into_iter().collect();
    assert_eq!(keys.len(), 50);
}

#[test]
fn writes_are_seen_while_graphs_are_built() {
    let mut world = World::new(8);
    let index = EmbeddedIndex::in_memory_with(shape(), eager(Isa::best())).unwrap();
    for step in 0..60u64 {
        let batch: Vec<Entry> = (0..50).map(|i| world.entry(step * 50 + i, 2)).collect();
        index
            .apply(batch.iter().cloned().map(put).collect(), step * 2 + 1)
            .unwrap();
        let e = batch
            .iter()
            .find(|e| e.vectors.row(0).iter().any(|x| *x != 0.0))
            .unwrap();
        let asked = e.vectors.slice(ndarray::s![0..1, ..]).to_owned();
        let found = ask(&index, &asked, &Filter::All, &HashSet::new(), 3);
        assert_eq!(best(&found, 1), [e.key], "visible at once");
        index
            .apply(vec![Change::Delete(e.key)], step * 2 + 2)
            .unwrap();
        let found = ask(&index, &asked, &Filter::All, &HashSet::new(), 3);
        assert!(!best(&found, 3).contains(&e.key), "gone at once");
    }
}

#[test]
fn recall_is_measured_where_there_are_graphs() {
    let mut world = World::new(9);
    let index = EmbeddedIndex::in_memory_with(shape(), eager(Isa::best())).unwrap();
    let exact = EmbeddedIndex::in_memory_with(shape(), IndexOptions::exact()).unwrap();
    assert_eq!(index.measure_recall(10), None, "nothing is there");
    let changes: Vec<Change> = (0..2_000).map(|k| put(world.entry(k, 2))).collect();
    index.apply(changes.clone(), 1).unwrap();
    exact.apply(changes, 1).unwrap();
    index.settle();
    assert_eq!(exact.measure_recall(10), None, "everyone is compared");
    let measured = index.measure_recall(50).unwrap();
    assert!(
        measured.questions > 40 && measured.at_10 >= 0.99,
        "{measured:?}"
    );
    assert!(measured.enough.is_some_and(|ef| ef <= 256), "{measured:?}");

    // The canary: a sampled question is asked once more, beside the searches.
    assert_eq!(index.canary().questions, 0);
    let asked = Array2::from_shape_vec((1, DIM), world.vector()).unwrap();
    ask(&index, &asked, &Filter::All, &HashSet::new(), 10);
    let began = std::time::Instant::now();
    while index.canary().questions == 0 && began.elapsed().as_secs() < 60 {
        std::thread::yield_now();
    }
    let seen = index.canary();
    assert_eq!((seen.questions, seen.of), (1, 10));
    assert!(seen.found >= 9, "{seen:?}");
}

/// The nearest of the chosen by plain arithmetic.
fn nearest(vectors: &[f32], dim: usize, asked: &[f32], chosen: &[bool], k: usize) -> Vec<u32> {
    let rows = vectors.chunks_exact(dim).zip(0..).zip(chosen);
    let mut all: Vec<(f64, u32)> = rows
        .filter(|(_, c)| **c)
        .map(|((row, i), _)| {
            let products = row.iter().zip(asked);
            (products.map(|(x, y)| f64::from(x * y)).sum(), i)
        })
        .collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    all.truncate(k);
    all.into_iter().map(|a| a.1).collect()
}

#[test]
fn sketches_leave_out_those_who_are_far() {
    let ungraphed = GraphOptions {
        least: usize::MAX,
        ..GraphOptions::default()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for dim in [128, 200, 256, 384] {
        let centres: Vec<f32> = (0..60 * dim).map(|_| rng.random_range(-1.0..1.0)).collect();
        let mut near = || {
            let topic = rng.random_range(0..60);
            let centre = &centres[topic * dim..(topic + 1) * dim];
            let v: Vec<f32> = centre
                .iter()
                .map(|c| c + rng.random_range(-0.8f32..0.8))
                .collect();
            let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            v.into_iter().map(|x| x / norm).collect::<Vec<f32>>()
        };
        let vectors: Vec<f32> = (0..6_000).flat_map(|_| near()).collect();
        let questions: Vec<Vec<f32>> = (0..40).map(|_| near()).collect();
        let indexes: Vec<VectorIndex> = Isa::available()
            .into_iter()
            .map(|isa| VectorIndex::build(dim, vectors.clone(), &ungraphed, 1, isa).unwrap())
            .collect();
        for every in [1, 2] {
            let chosen: Vec<bool> = (0..6_000).map(|i| i % every == 0).collect();
            let some = Selection::new(&chosen);
            let mut hits = 0;
            for q in &questions {
                let found = indexes[0].search(q, 10, 24, Some(&some));
                for other in &indexes {
                    assert_eq!(other.search(q, 10, 24, Some(&some)), found);
                }
                assert_eq!(found.len(), 10);
                let truth = nearest(&vectors, dim, q, &chosen, 10);
                hits += found.iter().filter(|f| truth.contains(&f.0)).count();
            }
            assert!(hits >= 392, "{dim} dimensions, one in {every}: {hits}");
        }
    }
}

#[test]
fn no_fewer_are_found_where_sketches_mislead() {
    // Vectors without a direction are no answers, and their sketches are nearer than those that
    // are opposite to what is asked.
    let mut vectors = vec![0.0; 5_000 * 256];
    for i in 0..12 {
        let row = &mut vectors[i * 400 * 256..][..256];
        row.fill(-0.0625);
        row[i] = 0.0625;
    }
    let options = GraphOptions {
        least: usize::MAX,
        ..GraphOptions::default()
    };
    let index = VectorIndex::build(256, vectors, &options, 1, Isa::best()).unwrap();
    let found = index.search(&[0.0625; 256], 10, 10, None);
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|f| f.0 % 400 == 0), "{found:?}");
}

#[test]
fn searches_of_a_batch_do_not_wait_for_a_write_that_waits_for_them() {
    use rayon::prelude::*;
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut world = World::new(10);
        let index = EmbeddedIndex::in_memory_with(shape(), IndexOptions::exact()).unwrap();
        let changes = (0..2_000).map(|k| put(world.entry(k, 1))).collect();
        index.apply(changes, 1).unwrap();
        let asked = Array2::from_shape_vec((1, DIM), world.vector()).unwrap();
        std::thread::scope(|s| {
            s.spawn(|| {
                for seq in 2..60 {
                    index.apply(vec![put(world.entry(seq, 1))], seq).unwrap();
                }
            });
            // As a batch of requests runs: parallel within parallel.
            for _ in 0..20 {
                let found = (0..32usize)
                    .into_par_iter()
                    .map(|_| ask(&index, &asked, &Filter::All, &HashSet::new(), 10).total);
                assert!(found.min() >= Some(2_000));
            }
        });
        tell.send(()).unwrap();
    });
    let done = told.recv_timeout(std::time::Duration::from_secs(240));
    assert!(done.is_ok(), "they wait for each other");
}

/// Bundles of three that lie far from each other: of most of them hnsw_rs gets none.
#[test]
fn whoever_is_brought_in_by_searches_is_found() {
    const BUNDLES: usize = 1_500;
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut base: Vec<f32> = Vec::new();
    for _ in 0..BUNDLES {
        let centre: Vec<f32> = (0..DIM).map(|_| rng.random_range(-1.0..1.0)).collect();
        for _ in 0..3 {
            let v: Vec<f32> = centre
                .iter()
                .map(|c| c + rng.random_range(-0.2f32..0.2))
                .collect();
            let norm = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            base.extend(v.into_iter().map(|x| x / norm));
        }
    }
    let found = |skeleton: usize| {
        let options = GraphOptions {
            least: 100,
            skeleton,
            ..GraphOptions::default()
        };
        let base = base.clone();
        let queries = base.clone();
        let index = VectorIndex::build(DIM, base, &options, 1, Isa::best()).unwrap();
        let mut hits = 0;
        for (i, q) in queries.chunks_exact(DIM).enumerate() {
            let near = index.search(q, 3, 64, None);
            hits += near.iter().filter(|n| n.0 as usize / 3 == i / 3).count();
        }
        hits as f64 / queries.chunks_exact(DIM).len() as f64 / 3.0
    };
    let (all, some) = (found(1), found(8));
    assert!(
        some >= 0.98 && some >= all - 0.01,
        "{some}, all by hnsw_rs {all}"
    );
}
