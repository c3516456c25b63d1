//! The network simplex against an independent method and its own certificates.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use queqiao_solve::{FlowError, Network, Residual, Simplex, Stop};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

struct Instance {
    nodes: usize,
    arcs: Vec<(u32, u32, i64, i64)>,
    supply: Vec<i64>,
}

fn random(rng: &mut ChaCha8Rng) -> Instance {
    let nodes = rng.random_range(2..9);
    let count = rng.random_range(0..24);
    let arcs = (0..count)
        .map(|_| {
            (
                rng.random_range(0..nodes) as u32,
                rng.random_range(0..nodes) as u32,
                rng.random_range(0..6),
                rng.random_range(-5..10),
            )
        })
        .collect();
    let mut supply = vec![0; nodes];
    for _ in 0..rng.random_range(0..4) {
        let (a, b) = (rng.random_range(0..nodes), rng.random_range(0..nodes));
        let units = rng.random_range(0..4);
        supply[a] += units;
        supply[b] -= units;
    }
    Instance {
        nodes,
        arcs,
        supply,
    }
}

fn network(i: &Instance) -> Network {
    let mut n = Network::new(i.nodes, i.arcs.len());
    for &(a, b, capacity, cost) in &i.arcs {
        n.arc(a, b, capacity, cost);
    }
    for (v, s) in i.supply.iter().enumerate() {
        n.supply(v as u32, *s);
    }
    n
}

/// Klein's method: saturate what is supplied by a super source with breadth-first search, then
/// cancel negative cycles one by one.
fn cancel_cycles(i: &Instance) -> Option<i64> {
    let (s, t) = (i.nodes, i.nodes + 1);
    let mut edges: Vec<(usize, usize, i64, i64)> = Vec::new();
    let mut add = |a: usize, b: usize, cap: i64, cost: i64| {
        edges.push((a, b, cap, cost));
        edges.push((b, a, 0, -cost));
    };
    for &(a, b, cap, cost) in &i.arcs {
        add(a as usize, b as usize, cap, cost);
    }
    let mut wanted = 0;
    for (v, x) in i.supply.iter().enumerate() {
        if *x > 0 {
            add(s, v, *x, 0);
            wanted += x;
        } else if *x < 0 {
            add(v, t, -x, 0);
        }
    }
    loop {
        let mut came = vec![usize::MAX; i.nodes + 2];
        let mut queue = std::collections::VecDeque::from([s]);
        while let Some(u) = queue.pop_front() {
            for (e, &(a, b, cap, _)) in edges.iter().enumerate() {
                if a == u && cap > 0 && b != s && came[b] == usize::MAX {
                    came[b] = e;
                    queue.push_back(b);
                }
            }
        }
        if came[t] == usize::MAX {
            break;
        }
        let mut v = t;
        while v != s {
            let e = came[v];
            edges[e].2 -= 1;
            edges[e ^ 1].2 += 1;
            v = edges[e].0;
        }
        wanted -= 1;
    }
    if wanted > 0 {
        return None;
    }
    // Arcs at the super nodes are saturated and stay so.
    let inner = 2 * i.arcs.len();
    loop {
        let n = i.nodes;
        let (mut d, mut came) = (vec![0_i64; n], vec![usize::MAX; n]);
        let mut last = None;
        for _ in 0..n {
            last = None;
            for (e, &(a, b, cap, cost)) in edges[..inner].iter().enumerate() {
                if cap > 0 && d[a] + cost < d[b] {
                    d[b] = d[a] + cost;
                    came[b] = e;
                    last = Some(b);
                }
            }
        }
        let Some(mut v) = last else { break };
        for _ in 0..n {
            v = edges[came[v]].0;
        }
        let (start, mut u) = (v, v);
        loop {
            let e = came[u];
            edges[e].2 -= 1;
            edges[e ^ 1].2 += 1;
            u = edges[e].0;
            if u == start {
                break;
            }
        }
    }
    Some(
        (0..i.arcs.len())
            .map(|a| edges[2 * a + 1].2 * i.arcs[a].3)
            .sum(),
    )
}

#[test]
fn equals_cycle_cancelling_on_thousands_of_small_networks() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let (mut feasible, mut not) = (0, 0);
    for _ in 0..6_000 {
        let i = random(&mut rng);
        let expected = cancel_cycles(&i);
        let mut simplex = Simplex::new(network(&i), None).unwrap();
        let flow = simplex.solve(&Stop::never());
        assert!(flow.finished);
        assert_eq!(flow.feasible, expected.is_some());
        if let Some(cost) = expected {
            feasible += 1;
            assert_eq!(flow.cost, i128::from(cost));
            assert_eq!(flow.bound, flow.cost);
            check_conservation(&i, &flow.units);
            changed_costs_go_on_from_here(&mut rng, &i, &mut simplex);
        } else {
            not += 1;
            assert!(flow.unmet > 0);
        }
    }
    assert!(feasible > 1_000 && not > 1_000, "{feasible} {not}");
}

fn check_conservation(i: &Instance, units: &[i64]) {
    let mut left = i.supply.clone();
    for (&(a, b, cap, _), f) in i.arcs.iter().zip(units) {
        assert!((0..=cap).contains(f));
        left[a as usize] -= f;
        left[b as usize] += f;
    }
    assert!(left.iter().all(|x| *x == 0));
}

fn changed_costs_go_on_from_here(rng: &mut ChaCha8Rng, i: &Instance, simplex: &mut Simplex) {
    let mut changed = Instance {
        nodes: i.nodes,
        arcs: i.arcs.clone(),
        supply: i.supply.clone(),
    };
    for (a, arc) in changed.arcs.iter_mut().enumerate() {
        arc.3 = rng.random_range(-5..10);
        simplex.set_cost(a as u32, arc.3);
    }
    // Costs are held to the largest that was announced: announce by the instance itself.
    let largest = i.arcs.iter().map(|a| a.3.abs()).max().unwrap_or(1).max(1);
    if changed.arcs.iter().any(|a| a.3.abs() > largest) {
        return;
    }
    let flow = simplex.solve(&Stop::never());
    assert_eq!(Some(flow.cost), cancel_cycles(&changed).map(i128::from));
}

#[test]
fn the_price_of_forcing_an_arc_is_what_solving_anew_says() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut asked = 0;
    for _ in 0..3_000 {
        let i = random(&mut rng);
        let mut simplex = Simplex::new(network(&i), None).unwrap();
        let flow = simplex.solve(&Stop::never());
        if !flow.feasible {
            continue;
        }
        let residual = Residual::new(&simplex);
        for (a, &(u, v, cap, cost)) in i.arcs.iter().enumerate() {
            if flow.units[a] >= cap || u == v {
                continue;
            }
            asked += 1;
            let way = residual.cheapest(v, u, |b| b == a as u32);
            // One unit more on the arc: take it out of the network at one end, put it in at the other.
            let mut forced = Instance {
                nodes: i.nodes,
                arcs: i.arcs.clone(),
                supply: i.supply.clone(),
            };
            forced.arcs[a].2 = 0;
            let held = flow.units[a] + 1;
            forced.supply[u as usize] -= held;
            forced.supply[v as usize] += held;
            let anew = cancel_cycles(&forced).map(|c| c + held * cost);
            assert_eq!(
                way.map(|w| flow.cost + i128::from(w.0 + cost)),
                anew.map(i128::from)
            );
        }
    }
    assert!(asked > 3_000, "{asked}");
}

#[test]
fn a_stop_leaves_a_flow_and_an_honest_bound() {
    let (n, m) = (60_u32, 80_u32);
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let home = n + m;
    let mut net = Network::new((n + m + 1) as usize, 0);
    for i in 0..n {
        net.supply(i, 5);
        net.supply(home, -5);
        net.arc(i, home, 6, 0);
        for j in 0..m {
            net.arc(i, n + j, 1, -rng.random_range(1..1_000));
        }
    }
    for j in 0..m {
        net.arc(n + j, home, 3, 0);
    }
    let best = Simplex::new(net.clone(), Some(home))
        .unwrap()
        .solve(&Stop::never());
    let early = Simplex::new(net, Some(home))
        .unwrap()
        .solve(&Stop::after(std::time::Duration::ZERO));
    assert!(best.finished && !early.finished);
    assert!(early.feasible && early.cost > best.cost && early.bound <= best.cost);
}

#[test]
fn bad_networks_are_refused() {
    let mut n = Network::new(2, 1);
    n.arc(0, 2, 1, 1);
    assert_eq!(
        Simplex::new(n, None).unwrap_err(),
        FlowError::NoSuchNode { arc: 0 }
    );
    let mut n = Network::new(2, 1);
    n.arc(0, 1, -1, 1);
    assert_eq!(
        Simplex::new(n, None).unwrap_err(),
        FlowError::NegativeCapacity { arc: 0 }
    );
    let mut n = Network::new(2, 1);
    n.supply(0, 1);
    assert_eq!(Simplex::new(n, None).unwrap_err(), FlowError::Unbalanced);
    for cost in [i64::MAX, i64::MIN] {
        let mut n = Network::new(2, 1);
        n.arc(0, 1, 1, cost);
        assert_eq!(Simplex::new(n, None).unwrap_err(), FlowError::TooLarge);
    }
}
