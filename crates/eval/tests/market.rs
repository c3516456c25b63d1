//! Sets of lists beside definitions written out over dense matrices, closed forms, and markets
//! whose answer is known.
#![allow(clippy::unwrap_used)]

use queqiao_eval::{Cause, Examination, Market, Precision, Run, TwoSided};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

type Dense = Vec<Vec<f64>>;

/// Row agents are called by `row`, column agents by `column`; what is 0 is left out.
fn run(values: &Dense, row: &str, column: &str) -> Run {
    let mut triples = Vec::new();
    for (i, r) in values.iter().enumerate() {
        for (j, v) in r.iter().enumerate().filter(|(_, v)| **v > 0.0) {
            triples.push((format!("{row}{i}"), format!("{column}{j}"), *v));
        }
    }
    let borrowed = triples.iter().map(|(q, d, v)| (q.as_str(), d.as_str(), *v));
    Run::from_triples("r", borrowed, Precision::Double).unwrap()
}

/// Ranks from 1 of the first `k` of each row, by value; 0 where not listed.
fn ranks(values: &Dense, k: usize) -> Vec<Vec<usize>> {
    let of = |row: &Vec<f64>| {
        let mut order: Vec<usize> = (0..row.len()).filter(|j| row[*j] > 0.0).collect();
        order.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
        let mut out = vec![0; row.len()];
        for (j, rank) in order.into_iter().take(k).zip(1..) {
            out[j] = rank;
        }
        out
    };
    values.iter().map(of).collect()
}

/// The definitions, over every pair and triple.
struct Plain {
    p: Dense,
    q: Option<Dense>,
    lists: Vec<Vec<usize>>,
    back: Option<Vec<Vec<usize>>>,
    k: usize,
    capacity: Option<usize>,
}

impl Plain {
    fn look(rank: usize) -> f64 {
        if rank == 0 { 0.0 } else { 1.0 / rank as f64 }
    }

    fn agree(&self, i: usize, j: usize) -> f64 {
        self.p[i][j] * self.q.as_ref().map_or(1.0, |q| q[j][i])
    }

    fn back(&self, j: usize, i: usize) -> f64 {
        self.back.as_ref().map_or(1.0, |b| Self::look(b[j][i]))
    }

    fn sizes(&self) -> (usize, usize) {
        (self.p.len(), self.p[0].len())
    }

    fn matches(&self) -> f64 {
        let (n, m) = self.sizes();
        let pairs = (0..n).flat_map(|i| (0..m).map(move |j| (i, j)));
        pairs
            .map(|(i, j)| self.agree(i, j) * Self::look(self.lists[i][j]) * self.back(j, i))
            .sum()
    }

    /// Envious, envied by all of them together, largest.
    fn envy(agents: usize, worth: impl Fn(usize, usize) -> f64) -> (usize, f64, f64) {
        let mut out = (0, 0.0, 0.0_f64);
        for a in 0..agents {
            let more = (0..agents).map(|b| worth(a, b) - worth(a, a));
            let more: Vec<f64> = more.filter(|d| *d > 1e-9).collect();
            out.0 += usize::from(!more.is_empty());
            out.1 += more.len() as f64;
            out.2 = more.into_iter().fold(out.2, f64::max);
        }
        out
    }

    fn envy_of_candidates(&self) -> (usize, f64, f64) {
        let (n, m) = self.sizes();
        Self::envy(m, |me, other| {
            let from = |i| self.agree(i, me) * self.back(me, i) * Self::look(self.lists[i][other]);
            (0..n).map(from).sum()
        })
    }

    fn envy_of_owners(&self) -> (usize, f64, f64) {
        let (n, m) = self.sizes();
        Self::envy(n, |me, other| {
            let from = |j: usize| match &self.back {
                Some(b) => {
                    self.agree(me, j) * Self::look(self.lists[me][j]) * Self::look(b[j][other])
                }
                None => self.agree(me, j) * Self::look(self.lists[other][j]),
            };
            (0..m).map(from).sum()
        })
    }

    fn blocking(&self) -> usize {
        let (n, m) = self.sizes();
        let likes = |j: usize, i: usize| self.q.as_ref().map_or(self.p[i][j], |q| q[j][i]);
        let listed = |i: usize, j: usize| self.lists[i][j] > 0;
        let holds = |j: usize, i: usize| self.back.as_ref().map_or(listed(i, j), |b| b[j][i] > 0);
        let mut out = 0;
        for i in 0..n {
            for j in 0..m {
                let mine: Vec<f64> = (0..m)
                    .filter(|x| listed(i, *x))
                    .map(|x| self.p[i][x])
                    .collect();
                let theirs: Vec<f64> = (0..n)
                    .filter(|x| holds(j, *x))
                    .map(|x| likes(j, x))
                    .collect();
                let i_room = mine.len() < self.k;
                let j_room = match self.back {
                    Some(_) => theirs.len() < self.k,
                    None => self.capacity.is_none_or(|c| theirs.len() < c),
                };
                let i_would = i_room || mine.iter().any(|x| self.p[i][j] > *x);
                let j_would = j_room || theirs.iter().any(|x| likes(j, i) > *x);
                let fit = self.p[i][j] > 0.0 && likes(j, i) > 0.0;
                let together = listed(i, j) && holds(j, i);
                out += usize::from(fit && !together && i_would && j_would);
            }
        }
        out
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

#[test]
fn as_defined_over_dense_matrices() {
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    for case in 0..200 {
        let (n, m) = (rng.random_range(1..8), rng.random_range(1..9));
        let mut dense = |n: usize, m: usize| -> Dense {
            let mut value = || {
                let v: f64 = rng.random();
                if v < 0.2 { 0.0 } else { v }
            };
            (0..n).map(|_| (0..m).map(|_| value()).collect()).collect()
        };
        let mut p = dense(n, m);
        p[0][0] = 0.5;
        let (q, mut a, b) = (dense(m, n), dense(n, m), dense(m, n));
        a[0][0] = 0.9;
        let k = 1 + case % 4;
        let plain = Plain {
            lists: ranks(&a, k),
            back: (case % 3 == 0).then(|| ranks(&b, k)),
            q: (case % 2 == 0).then_some(q),
            capacity: (case % 5 < 3).then_some(1 + case % 3),
            k,
            p,
        };
        let (wants, lists, back) = (
            run(&plain.p, "o", "c"),
            run(&a, "o", "c"),
            run(&b, "c", "o"),
        );
        let wants_back = plain.q.as_ref().map(|q| run(q, "c", "o"));
        let t = Market {
            lists: &lists,
            back: plain.back.is_some().then_some(&back),
            wants: &wants,
            wants_back: wants_back.as_ref(),
            depth: Some(k),
            examination: &Examination::default(),
            capacity: plain.capacity,
        }
        .measure()
        .unwrap();
        assert!(
            near(t.expected_matches.unwrap(), plain.matches()),
            "{case}: {t:?}"
        );
        for (ours, theirs) in [
            (t.envy_of_candidates, plain.envy_of_candidates()),
            (t.envy_of_owners, plain.envy_of_owners()),
        ] {
            assert_eq!(ours.envious, theirs.0, "{case}");
            assert!(near(ours.largest, theirs.2), "{case}");
            assert!(near(ours.envied * ours.agents as f64, theirs.1), "{case}");
        }
        assert_eq!(t.blocking_pairs, plain.blocking(), "{case}");
    }
}

/// Deferred acceptance with room for `k` candidates an owner and `capacity` owners a candidate.
fn deferred_acceptance(p: &Dense, q: &Dense, k: usize, capacity: usize) -> Dense {
    let (n, m) = (p.len(), p[0].len());
    let mut held: Vec<Vec<usize>> = vec![Vec::new(); m];
    let mut refused = vec![vec![false; m]; n];
    loop {
        let mut proposed = false;
        for i in 0..n {
            let has = held.iter().filter(|h| h.contains(&i)).count();
            let open =
                (0..m).filter(|j| p[i][*j] > 0.0 && !refused[i][*j] && !held[*j].contains(&i));
            let best = open.max_by(|a, b| p[i][*a].total_cmp(&p[i][*b]));
            let (true, Some(j)) = (has < k, best) else {
                continue;
            };
            proposed = true;
            held[j].push(i);
            held[j].sort_by(|a, b| q[j][*b].total_cmp(&q[j][*a]));
            let most = capacity.min(held[j].len());
            for out in held[j].split_off(most) {
                refused[out][j] = true;
            }
        }
        if !proposed {
            break;
        }
    }
    let mut lists = vec![vec![0.0; m]; n];
    for (j, h) in held.iter().enumerate() {
        for i in h {
            lists[*i][j] = p[*i][j];
        }
    }
    lists
}

fn measure(p: &Dense, q: &Dense, lists: &Dense, k: usize, capacity: usize) -> TwoSided {
    let (wants, wants_back, lists) = (run(p, "o", "c"), run(q, "c", "o"), run(lists, "o", "c"));
    Market {
        lists: &lists,
        back: None,
        wants: &wants,
        wants_back: Some(&wants_back),
        depth: Some(k),
        examination: &Examination::default(),
        capacity: Some(capacity),
    }
    .measure()
    .unwrap()
}

#[test]
fn deferred_acceptance_leaves_no_blocking_pair() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut disturbed = 0;
    for _ in 0..50 {
        let mut dense = |n: usize, m: usize| -> Dense {
            (0..n)
                .map(|_| (0..m).map(|_| 0.01 + 0.99 * rng.random::<f64>()).collect())
                .collect()
        };
        let (p, q) = (dense(12, 9), dense(9, 12));
        let stable = deferred_acceptance(&p, &q, 3, 4);
        assert_eq!(measure(&p, &q, &stable, 3, 4).blocking_pairs, 0);
        // One owner's list given to another is not stable any more.
        let mut other = stable.clone();
        other.swap(0, 1);
        disturbed += usize::from(measure(&p, &q, &other, 3, 4).blocking_pairs > 0);
    }
    assert!(disturbed > 40, "{disturbed}");
}

#[test]
fn by_hand() {
    // Two owners want the same candidate; one got it, the other got one it wants less.
    let p = vec![vec![0.8, 0.2], vec![0.8, 0.2]];
    let q = vec![vec![0.5, 0.5], vec![1.0, 1.0]];
    let lists = vec![vec![1.0, 0.0], vec![0.0, 1.0]];
    let t = measure(&p, &q, &lists, 1, 1);
    assert!(near(t.value, 1.0));
    assert!(near(t.expected_matches.unwrap(), 0.8 * 0.5 + 0.2 * 1.0));
    assert_eq!(
        (t.envy_of_owners.envious, t.envy_of_owners.envied),
        (1, 0.5)
    );
    assert!(near(t.envy_of_owners.largest, 0.4 - 0.2));
    // Neither candidate would have more in the other's place.
    assert_eq!(t.envy_of_candidates.envious, 0);
    // The popular candidate likes both owners equally: nobody leaves.
    assert_eq!(t.blocking_pairs, 0);
    let q = vec![vec![0.5, 0.6], vec![1.0, 1.0]];
    let t = measure(&p, &q, &lists, 1, 1);
    assert_eq!((t.blocking_pairs, t.blocked_owners), (1, 1));
    // With room for two, the owner and the popular candidate would simply add each other.
    assert_eq!(measure(&p, &q, &lists, 2, 2).blocking_pairs, 2);
    // Grades are no chances.
    let grades = vec![vec![3.0, 1.0], vec![2.0, 1.0]];
    assert_eq!(measure(&grades, &q, &lists, 1, 1).expected_matches, None);
}

#[test]
fn strangers_are_told() {
    let (lists, wants) = (
        run(&vec![vec![1.0]], "a", "c"),
        run(&vec![vec![1.0]], "b", "c"),
    );
    let market = Market {
        lists: &lists,
        back: None,
        wants: &wants,
        wants_back: None,
        depth: None,
        examination: &Examination::default(),
        capacity: None,
    };
    assert_eq!(market.measure().unwrap_err().cause, Cause::Queries);
}
