//! Logs of what was shown: estimates beside closed forms, exact expectations over all lists that
//! could have been shown, and simulated users.
#![allow(clippy::unwrap_used)]

use queqiao_eval::{
    Assumption, Cause, Error, Estimates, Examination, Figures, OffPolicy, OffPolicySettings,
    Precision, Run, ShownItem, ShownList, interleaving, read_log,
};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{fs, path::PathBuf};
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let p = self.0.path().join(name);
        fs::write(&p, bytes).unwrap();
        p
    }
}

/// A run with these documents in this order, for each query.
fn ranking(name: &str, lists: &[(&str, &[&str])]) -> Run {
    let triples = lists.iter().flat_map(|(q, documents)| {
        let scored = documents.iter().enumerate();
        scored.map(move |(i, d)| (*q, *d, -(i as f64)))
    });
    Run::from_triples(name, triples, Precision::Double).unwrap()
}

fn list(query: &str, items: &[(&str, f64)]) -> ShownList {
    let item = |(d, outcome): &(&str, f64)| ShownItem {
        document: (*d).to_owned(),
        outcome: *outcome,
        ..ShownItem::default()
    };
    ShownList {
        query: query.to_owned(),
        items: items.iter().map(item).collect(),
    }
}

fn free() -> OffPolicySettings {
    OffPolicySettings {
        min_ess: 0.0,
        min_support: 0.0,
        ..OffPolicySettings::default()
    }
}

fn estimate(
    lists: &[ShownList],
    runs: &[Run],
    predictions: Option<&Run>,
    settings: OffPolicySettings,
) -> Result<Estimates, Error> {
    let mut o = OffPolicy::new(runs, predictions, settings)?;
    for l in lists {
        o.take(l)?;
    }
    Ok(o.finish())
}

fn figures(e: &Estimates, run: usize) -> Figures {
    e.runs[run].figures.clone().unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-12
}

#[test]
fn by_hand() {
    // Two lists of three; the run turns them round.
    let lists = [
        list("q", &[("a", 1.0), ("b", 0.0), ("c", 1.0)]),
        list("q", &[("a", 0.0), ("b", 1.0), ("c", 0.0)]),
    ];
    let run = ranking("back", &[("q", &["c", "b", "a"])]);
    let same = ranking("same", &[("q", &["a", "b", "c"])]);
    let predictions = Run::from_triples(
        "p",
        [("q", "a", 0.6), ("q", "b", 0.5), ("q", "c", 0.9)],
        Precision::Double,
    )
    .unwrap();
    let e = estimate(&lists, &[run, same], Some(&predictions), free()).unwrap();
    assert_eq!(e.lists, 2);
    assert!(near(e.logged.value, 1.5));
    // Weights by place: 1/3, 1, 3.
    let f = figures(&e, 0);
    let (first, second) = (1.0 / 3.0 + 3.0, 1.0);
    assert!(near(f.ips.value, (first + second) / 2.0));
    // One fixed system showed all of it.
    assert!(near(f.snips.value, f.ips.value));
    // What is predicted of its own list, and the weighed errors of what was predicted of the log's.
    let own = 0.9 + 0.5 / 2.0 + 0.6 / 3.0;
    let errors = |o: [f64; 3]| (o[0] - 0.6) / 3.0 + (o[1] - 0.25) + 3.0 * (o[2] - 0.3);
    let robust = [errors([1.0, 0.0, 1.0]), errors([0.0, 1.0, 0.0])].map(|x| own + x);
    let dr = f.doubly_robust.unwrap();
    assert!(near(dr.value, (robust[0] + robust[1]) / 2.0));
    assert!(near(f.gain.value, dr.value - 1.5));
    // The interval of a mean of two by Student's t: t(.975, 1) = 12.706204736.
    let reach = 12.706_204_736 * (robust[0] - robust[1]).abs() / 2.0;
    assert!((dr.interval.high - dr.value - reach).abs() < 1e-6);
    // Looks 1, 1/2 and 1/3 with those weights; a list of the run's own gets as many.
    let looks: f64 = 1.0 + 0.5 + 1.0 / 3.0;
    let effective = 2.0 * looks.powi(2) / (1.0 / 9.0 + 0.5 + 9.0 / 3.0) / looks;
    assert!(near(e.runs[0].ess, effective) && near(e.runs[0].support, 1.0));
    assert!(near(e.runs[0].largest_weight, 3.0));
    // The system that was logged earns what was logged, by all three, and gains nothing.
    let f = figures(&e, 1);
    for x in [f.ips, f.snips, f.doubly_robust.unwrap()] {
        assert!(near(x.value, 1.5), "{f:?}");
    }
    assert!(near(f.gain.value, 0.0) && f.gain.interval.high.abs() < 1e-12);
    assert!(near(e.runs[1].ess, 2.0));
    // Cut weights.
    let clipped = OffPolicySettings {
        clip: Some(2.0),
        ..free()
    };
    let back = ranking("back", &[("q", &["c", "b", "a"])]);
    let e = estimate(&lists, &[back], None, clipped).unwrap();
    assert!(near(
        figures(&e, 0).ips.value,
        (1.0 / 3.0 + 2.0 + 1.0) / 2.0
    ));
    assert_eq!((e.runs[0].clipped, e.runs[0].largest_weight), (2, 3.0));
    assert_eq!(figures(&e, 0).doubly_robust, None);
    // Of a run whose second document was never shown, IPS knows the first only; SNIPS takes the
    // second to earn per look what the first does.
    let half = ranking("half", &[("q", &["b", "x"])]);
    let e = estimate(&lists, &[half], Some(&predictions), free()).unwrap();
    let f = figures(&e, 0);
    assert!(near(f.ips.value, 1.0) && near(f.snips.value, 1.5), "{f:?}");
    assert!(near(e.runs[0].support, 1.0 / 1.5));
}

/// All orders of three documents.
const ORDERS: [[usize; 3]; 6] = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
];
const DOCUMENTS: [&str; 3] = ["a", "b", "c"];

/// Over every list that could be drawn and everything that could come of it, each as often as it
/// would, the mean of an unbiased estimator is the truth.
#[test]
fn unbiased_over_all_that_could_happen() {
    let chance_of_order = [0.3, 0.1, 0.2, 0.15, 0.05, 0.2];
    let relevance = [0.9, 0.3, 0.6];
    // Someone who looks more closely at the first place.
    let look = [1.0, 0.5, 1.0 / 3.0];
    let target = [2, 0, 1];
    let truth: f64 = (0..3).map(|k| look[k] * relevance[target[k]]).sum();
    let run = [ranking("t", &[("q", &["c", "a", "b"])])];
    // Predictions that are wrong.
    let wrong = [("q", "a", 0.2), ("q", "b", 0.9), ("q", "c", 0.5)];
    let predictions = Run::from_triples("p", wrong, Precision::Double).unwrap();
    for assume in [Assumption::Examination, Assumption::Placement] {
        let settings = OffPolicySettings { assume, ..free() };
        let (mut ips, mut robust, mut weight) = (0.0, 0.0, 0.0);
        for (order, p) in ORDERS.iter().zip(chance_of_order) {
            for outcomes in 0..8_u32 {
                let mut chance = p;
                let mut items = Vec::new();
                for (k, d) in order.iter().enumerate() {
                    let happens = look[k] * relevance[*d];
                    let happened = outcomes >> k & 1 == 1;
                    chance *= if happened { happens } else { 1.0 - happens };
                    let drawn = || ORDERS.iter().zip(chance_of_order);
                    let at = |k: usize| -> f64 {
                        drawn().filter(|(o, _)| o[k] == *d).map(|(_, p)| p).sum()
                    };
                    items.push(ShownItem {
                        document: DOCUMENTS[*d].to_owned(),
                        outcome: f64::from(u8::from(happened)),
                        propensity: Some(at(k)),
                        examined: Some((0..3).map(|k| at(k) * look[k]).sum()),
                        team: None,
                    });
                }
                let one = [ShownList {
                    query: "q".to_owned(),
                    items,
                }];
                let e = estimate(&one, &run, Some(&predictions), settings.clone()).unwrap();
                let f = figures(&e, 0);
                if f.ips.value != 0.0 {
                    ips += chance * f.ips.value;
                }
                robust += chance * f.doubly_robust.unwrap().value;
                weight += chance * e.runs[0].largest_weight;
            }
        }
        assert!(near(ips, truth), "{assume:?}: {ips} {truth}");
        assert!(near(robust, truth), "{assume:?}: {robust} {truth}");
        assert!(weight > 0.5);
    }
}

/// Queries whose documents people want with known chances, shown in a fixed order that is not the
/// best, to people who look at rank k with chance 1/k.
struct World {
    relevance: Vec<Vec<f64>>,
}

const WIDTH: usize = 6;

impl World {
    fn new(rng: &mut ChaCha8Rng, queries: usize) -> Self {
        let mut row = || (0..WIDTH).map(|_| rng.random::<f64>() * 0.8).collect();
        World {
            relevance: (0..queries).map(|_| row()).collect(),
        }
    }

    /// A run that knows the relevance up to some noise.
    fn run(&self, rng: &mut ChaCha8Rng, name: &str, noise: f64) -> Run {
        let mut triples = Vec::new();
        for (q, row) in self.relevance.iter().enumerate() {
            for (d, r) in row.iter().enumerate() {
                let score = r + noise * (rng.random::<f64>() - 0.5);
                triples.push((format!("q{q}"), format!("d{d}"), score));
            }
        }
        let borrowed = triples.iter().map(|(q, d, s)| (q.as_str(), d.as_str(), *s));
        Run::from_triples(name, borrowed, Precision::Double).unwrap()
    }

    fn chance(&self, query: usize, document: &str) -> f64 {
        self.relevance[query][document[1..].parse::<usize>().unwrap()]
    }

    /// What a run earns per list, truly.
    fn truth(&self, run: &Run) -> f64 {
        let of = |(q, _): (usize, &Vec<f64>)| -> f64 {
            let list = run.list(&format!("q{q}")).unwrap();
            let ranked = list.iter().zip(1..);
            ranked
                .map(|((d, _), k)| self.chance(q, d) / f64::from(k))
                .sum()
        };
        let all: f64 = self.relevance.iter().enumerate().map(of).sum();
        all / self.relevance.len() as f64
    }

    /// What came of a list, as it was shown.
    fn shown(&self, rng: &mut ChaCha8Rng, query: usize, documents: Vec<&str>) -> ShownList {
        let items = documents.into_iter().zip(1..).map(|(d, k)| {
            let happens = self.chance(query, d) / f64::from(k);
            ShownItem {
                document: d.to_owned(),
                outcome: f64::from(u8::from(rng.random::<f64>() < happens)),
                propensity: Some(1.0 / WIDTH as f64),
                ..ShownItem::default()
            }
        });
        ShownList {
            query: format!("q{query}"),
            items: items.collect(),
        }
    }

    /// Lists of a system that always gives the same ones, or of one that draws their order.
    fn log(&self, rng: &mut ChaCha8Rng, of: &Run, width: usize, drawn: bool) -> Vec<ShownList> {
        let one = |_| {
            let q = rng.random_range(0..self.relevance.len());
            let list = of.list(&format!("q{q}")).unwrap();
            let mut documents: Vec<&str> = list.iter().map(|d| d.0).take(width).collect();
            if drawn {
                documents.shuffle(rng);
            }
            self.shown(rng, q, documents)
        };
        (0..500).map(one).collect()
    }
}

/// Root mean squared errors of many logs, and how often intervals hold the truth.
#[derive(Debug)]
struct Tried {
    rmse: [f64; 5],
    held: [f64; 5],
}
const IPS: usize = 0;
const SNIPS: usize = 1;
const ROBUST: usize = 2;
const GAIN: usize = 3;
const NAIVE: usize = 4;

fn try_often(width: usize, drawn: bool) -> Tried {
    let mut rng = ChaCha8Rng::seed_from_u64(2026);
    let world = World::new(&mut rng, 60);
    let shown = world.run(&mut rng, "shown", 3.0);
    let better = [world.run(&mut rng, "better", 0.3)];
    // What comes of a document once it is looked at, nearly.
    let predictions = world.run(&mut rng, "predictions", 0.2);
    let truth = world.truth(&better[0]);
    let settings = OffPolicySettings {
        assume: match drawn {
            true => Assumption::Placement,
            false => Assumption::Examination,
        },
        depth: Some(WIDTH),
        min_ess: 50.0,
        ..OffPolicySettings::default()
    };
    let trials = 300;
    let mut out = Tried {
        rmse: [0.0; 5],
        held: [0.0; 5],
    };
    let was = match drawn {
        // Every document at every place as often.
        true => world.relevance.iter().flatten().sum::<f64>() / 60.0 * (2.45 / WIDTH as f64),
        false => world.truth(&shown),
    };
    for _ in 0..trials {
        let log = world.log(&mut rng, &shown, width, drawn);
        let e = estimate(&log, &better, Some(&predictions), settings.clone()).unwrap();
        let f = figures(&e, 0);
        let all = [f.ips, f.snips, f.doubly_robust.unwrap(), f.gain, e.logged];
        for (i, x) in all.into_iter().enumerate() {
            let truth = if i == GAIN { truth - was } else { truth };
            out.rmse[i] += (x.value - truth).powi(2) / f64::from(trials);
            let holds = x.interval.low <= truth && truth <= x.interval.high;
            out.held[i] += f64::from(u8::from(holds)) / f64::from(trials);
        }
    }
    out.rmse = out.rmse.map(f64::sqrt);
    out
}

/// 95 in 100 by promise; three standard errors of 300 trials are .04.
fn holds(share: f64) -> bool {
    (0.91..=0.99).contains(&share)
}

#[test]
fn simulated_users_of_a_fixed_system() {
    let t = try_often(WIDTH, false);
    assert!(t.rmse[IPS] < t.rmse[NAIVE] / 2.0, "{t:?}");
    // Where all is shown, always at its place, there is nothing to normalise or to predict.
    assert!((t.rmse[IPS] - t.rmse[SNIPS]).abs() < 1e-9, "{t:?}");
    assert!(
        [IPS, SNIPS, ROBUST, GAIN]
            .into_iter()
            .all(|i| holds(t.held[i])),
        "{t:?}"
    );
    // Of six documents only four were shown: IPS is short of the truth, predictions help.
    let t = try_often(4, false);
    assert!(
        t.rmse[ROBUST] < t.rmse[SNIPS] && t.rmse[SNIPS] < t.rmse[IPS],
        "{t:?}"
    );
    assert!(t.held[IPS] < 0.5 && t.held[ROBUST] > 0.85, "{t:?}");
}

#[test]
fn simulated_users_of_a_system_that_draws() {
    let t = try_often(WIDTH, true);
    assert!(
        t.rmse[ROBUST] < t.rmse[SNIPS] && t.rmse[SNIPS] < t.rmse[IPS],
        "{t:?}"
    );
    assert!(t.rmse[IPS] < t.rmse[NAIVE], "{t:?}");
    assert!(
        [IPS, SNIPS, ROBUST, GAIN]
            .into_iter()
            .all(|i| holds(t.held[i])),
        "{t:?}"
    );
}

#[test]
fn too_little_is_refused() {
    let log: Vec<ShownList> = (0..300)
        .map(|_| list("q", &[("a", 1.0), ("b", 0.0), ("c", 0.0), ("d", 0.0)]))
        .collect();
    let e = |run: Run, settings| estimate(&log, &[run], None, settings).unwrap();
    // Half and more of what it would show was never shown.
    let strange = e(
        ranking("s", &[("q", &["x", "y", "a", "b"])]),
        OffPolicySettings::default(),
    );
    let told = strange.runs[0].figures.clone().unwrap_err();
    assert!(told.en.contains("never shows 72 %"), "{told}");
    // Nothing of it was.
    let none = e(
        ranking("n", &[("other", &["a"])]),
        OffPolicySettings::default(),
    );
    assert!(
        none.runs[0]
            .figures
            .clone()
            .unwrap_err()
            .en
            .starts_with("0.0 effective")
    );
    assert_eq!((none.runs[0].unanswered, none.runs[0].ess), (300, 0.0));
    // Kish: of weights 1 (299 times) and 100 (once), (399)² / (299 + 10000) lists.
    let mut drawn: Vec<ShownList> = (0..300).map(|_| list("q", &[("a", 1.0)])).collect();
    for (i, l) in drawn.iter_mut().enumerate() {
        l.items[0].propensity = Some(if i == 7 { 0.01 } else { 1.0 });
    }
    let settings = OffPolicySettings {
        assume: Assumption::Placement,
        ..OffPolicySettings::default()
    };
    let one = estimate(&drawn, &[ranking("r", &[("q", &["a"])])], None, settings).unwrap();
    assert!(near(one.runs[0].ess, 399.0 * 399.0 / 10_299.0));
    let told = one.runs[0].figures.clone().unwrap_err();
    assert!(
        told.en
            .contains("15.5 effective lists of 300, fewer than 100"),
        "{told}"
    );
    // A place that a run would fill otherwise weighs nothing.
    let settings = OffPolicySettings {
        assume: Assumption::Placement,
        ..free()
    };
    let e = estimate(&log, &[ranking("r", &[("q", &["a"])])], None, settings);
    assert_eq!(e.unwrap_err().cause, Cause::Unfit);
    let settings = OffPolicySettings {
        examination: Examination::Ranks(vec![0.5]),
        ..free()
    };
    let wrong = [list("q", &[("a", 0.0), ("b", 1.0)])];
    let e = estimate(&wrong, &[ranking("r", &[("q", &["a"])])], None, settings);
    assert!(
        e.unwrap_err()
            .to_string()
            .contains("nobody looks at rank 2")
    );
    for bad in [f64::NAN, -1.0] {
        let settings = OffPolicySettings {
            min_ess: bad,
            ..free()
        };
        assert_eq!(
            OffPolicy::new(&[], None, settings).unwrap_err().cause,
            Cause::Option
        );
    }
}

#[test]
fn any_order_of_lists_gives_the_same_bits() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let world = World::new(&mut rng, 9);
    let shown = world.run(&mut rng, "shown", 2.0);
    let runs = [world.run(&mut rng, "a", 0.5), world.run(&mut rng, "b", 1.0)];
    let mut log = world.log(&mut rng, &shown, WIDTH, false);
    let before = estimate(&log, &runs, Some(&runs[1]), free()).unwrap();
    log.shuffle(&mut rng);
    assert_eq!(
        before,
        estimate(&log, &runs, Some(&runs[1]), free()).unwrap()
    );
}

#[test]
fn logs_are_read_or_refused_with_their_line() {
    let f = Folder::new();
    let log = f.write(
        "log.jsonl",
        "# shown in May\n\
         {\"query\": \"q1\", \"shown\": [{\"doc\": \"a\", \"outcome\": true, \"propensity\": 0.25, \"team\": \"new\"}, {\"doc\": 7}], \"at\": \"2026-05-01\"}\r\n\
         {\"query_id\": 2, \"shown\": []}\n",
    );
    let mut lists = Vec::new();
    let n = read_log(&log, |l| {
        lists.push(l.clone());
        Ok(())
    });
    assert_eq!(n.unwrap(), 2);
    assert_eq!(
        (lists[0].query.as_str(), lists[1].query.as_str()),
        ("q1", "2")
    );
    let first = &lists[0].items[0];
    assert_eq!(
        (first.outcome, first.propensity, first.team.as_deref()),
        (1.0, Some(0.25), Some("new"))
    );
    assert_eq!(
        (lists[0].items[1].document.as_str(), lists[1].items.len()),
        ("7", 0)
    );

    let item =
        |text: &str| format!("{{\"query\": \"q\", \"shown\": [{{\"doc\": \"a\"}}, {text}]}}\n");
    let good = item("{\"doc\": \"b\"}");
    for (text, cause, words) in [
        (String::new(), Cause::Empty, "no list"),
        (format!("{good}nonsense\n"), Cause::Json, "log:2"),
        (
            format!("{good}{}", item("{}")),
            Cause::Json,
            "missing field `doc`",
        ),
        (
            format!("{good}\n{}", item("{\"doc\": \"a\"}")),
            Cause::Duplicate,
            "log:3",
        ),
        (
            item("{\"doc\": \"b\", \"propensity\": 0}"),
            Cause::Number,
            "shown[1].propensity is 0",
        ),
        (
            item("{\"doc\": \"b\", \"examined\": 1.5}"),
            Cause::Number,
            "shown[1].examined is 1.5",
        ),
        (
            item("{\"doc\": \"b\", \"outcome\": \"yes\"}"),
            Cause::Json,
            "log:1",
        ),
        (
            item("{\"doc\": \"b\", \"outcome\": 1e999}"),
            Cause::Json,
            "log:1",
        ),
    ] {
        let e = read_log(&f.write("log", &text), |_| Ok(())).unwrap_err();
        assert_eq!(e.cause, cause, "{text}: {e}");
        assert!(e.to_string().contains(words), "{text}: {e}");
    }
}

/// A log of lists, each as letters: `A` and `B` are places of the two teams, in capitals where
/// something came of them; `.` is nobody's.
fn drafted(lists: &[&str]) -> String {
    let item = |(i, c): (usize, char)| {
        let team = match c {
            '.' => String::new(),
            c => format!(", \"team\": \"{}\"", c.to_ascii_lowercase()),
        };
        let outcome = u8::from(c.is_ascii_uppercase());
        format!("{{\"doc\": {i}, \"outcome\": {outcome}{team}}}")
    };
    let line = |l: &&str| {
        let items: Vec<String> = l.chars().enumerate().map(item).collect();
        format!("{{\"query\": \"q\", \"shown\": [{}]}}\n", items.join(", "))
    };
    lists.iter().map(line).collect()
}

#[test]
fn interleavings_by_hand() {
    let f = Folder::new();
    // b wins three, a one, two are even; one list is nobody's.
    let lists = ["aBba", "Babb", "bA", "aB", "ABab", "ba", ".."];
    let i = interleaving(&f.write("log", drafted(&lists)), 0.05).unwrap();
    assert_eq!((i.first.as_str(), i.second.as_str()), ("a", "b"));
    assert_eq!((i.lists, i.wins, i.ties, i.losses), (6, 3, 2, 1));
    assert!(near(i.preference, 4.0 / 6.0 - 0.5));
    // Of four coins three or more, or one or fewer.
    assert!(near(i.p_sign, 10.0 / 16.0));
    assert!(near(i.credit.mean, 2.0 / 6.0));
    assert_eq!((i.places, i.began, i.uneven), ([8, 10], [3, 3], 1));
    assert_eq!(i.p_began, 1.0);
    for (lists, words) in [
        (&["ab", "ac"][..], "a, b, c; an interleaving has two"),
        (&["aa"][..], "the teams are: a;"),
        (&[".."][..], "no item names a team"),
    ] {
        let e = interleaving(&f.write("log", drafted(lists)), 0.05).unwrap_err();
        assert!(
            e.to_string().contains(words) && e.cause == Cause::Unfit,
            "{e}"
        );
    }
}

/// Team draft as its authors wrote it; `like` is the chance that something comes of a document.
fn draft(rng: &mut ChaCha8Rng, rankings: [&[usize]; 2], like: &[f64]) -> String {
    let (mut places, mut taken) = ([0, 0], vec![false; like.len()]);
    let mut out = String::new();
    while places[0] + places[1] < 6 {
        let first_turn = places[0] < places[1] || (places[0] == places[1] && rng.random::<bool>());
        let team = usize::from(!first_turn);
        let pick = rankings[team].iter().find(|d| !taken[**d]);
        let Some(pick) = pick.copied() else { break };
        taken[pick] = true;
        let rank = f64::from(places[0] + places[1] + 1);
        places[team] += 1;
        let letter = [['a', 'A'], ['b', 'B']][team];
        out.push(letter[usize::from(rng.random::<f64>() < like[pick] / rank)]);
    }
    out
}

#[test]
fn drafts_of_equals_find_nothing_and_of_better_find_it() {
    let f = Folder::new();
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let like: Vec<f64> = (0..8).map(|d| 0.9 - f64::from(d) / 10.0).collect();
    let best: Vec<usize> = (0..8).collect();
    let worse: Vec<usize> = vec![3, 1, 5, 0, 7, 2, 4, 6];
    let mut p_below = [0, 0];
    let trials = 200;
    for _ in 0..trials {
        let mut log = |rankings: [&[usize]; 2], lists: usize| {
            let lists: Vec<String> = (0..lists)
                .map(|_| draft(&mut rng, rankings, &like))
                .collect();
            let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
            interleaving(&f.write("log", drafted(&lists)), 0.05).unwrap()
        };
        let same = log([&worse, &worse], 300);
        let better = log([&worse, &best], 300);
        assert_eq!((same.uneven, better.uneven), (0, 0));
        p_below[0] += u32::from(same.p_sign < 0.05);
        p_below[1] += u32::from(better.p_sign < 0.05 && better.preference > 0.0);
    }
    // At the level or a little below, being discrete; three standard errors above is .096.
    assert!(
        f64::from(p_below[0]) / f64::from(trials) < 0.096,
        "{p_below:?}"
    );
    assert!(
        f64::from(p_below[1]) / f64::from(trials) > 0.9,
        "{p_below:?}"
    );
}
