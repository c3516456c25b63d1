//! The primal network simplex method.
//!
//! Ahuja, Magnanti, Orlin, *Network Flows* (1993), chapter 11: a strongly feasible spanning tree,
//! so that it never cycles; entering arcs by block search (Kiraly and Kovacs, *Efficient
//! implementations of minimum-cost flow algorithms*, 2012). The tree is kept as parents, depths and
//! lists of children: a pivot touches the path between the two nodes and the subtree that moves.

use crate::{
    Stop,
    network::{Arc, FlowError, Network, Node},
};

const NONE: u32 = u32::MAX;
/// Pivots between two looks at the clock: a few microseconds each.
const PIVOTS_PER_LOOK: usize = 256;

/// Where an arc stands.
const TREE: i8 = 0;
const AT_ZERO: i8 = 1;
const AT_CAPACITY: i8 = -1;

/// A flow with its proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Units on each arc.
    pub units: Vec<i64>,
    /// Cost of the flow.
    pub cost: i128,
    /// No flow costs less than this. Equal to `cost` when the flow is optimal.
    pub bound: i128,
    /// False when supplies cannot reach demands: then `unmet` units were left.
    pub feasible: bool,
    /// Units of supply that found no way.
    pub unmet: i64,
    /// False when the computation was stopped early.
    pub finished: bool,
}

/// A network with its current basis: costs may change and it goes on from where it was.
#[derive(Debug, Clone)]
pub struct Simplex {
    nodes: usize,
    arcs: usize,
    /// Costs may not exceed this, or artificial arcs could pay.
    largest: i64,
    from: Vec<Node>,
    to: Vec<Node>,
    capacity: Vec<i64>,
    cost: Vec<i64>,
    supply: Vec<i64>,
    units: Vec<i64>,
    state: Vec<i8>,
    potential: Vec<i64>,
    parent: Vec<u32>,
    arc_up: Vec<u32>,
    /// True when `arc_up` leads from the node to its parent.
    upward: Vec<bool>,
    depth: Vec<u32>,
    first_child: Vec<u32>,
    next_sibling: Vec<u32>,
    previous_sibling: Vec<u32>,
    next_arc: usize,
    stack: Vec<u32>,
    /// Whether the potentials fit the costs.
    fresh: bool,
}

impl Simplex {
    /// Takes a network over, with a first tree: every node hangs on the root by an arc of its own to
    /// the node `home` where it has one that can carry its supply, else by an artificial arc. When
    /// all nodes have such an arc every flow on the way is feasible, so that a stop always leaves an
    /// answer.
    ///
    /// # Errors
    /// See [`FlowError`].
    pub fn new(network: Network, home: Option<Node>) -> Result<Self, FlowError> {
        let (largest, artificial) = network.check()?;
        let nodes = network.nodes();
        let Network {
            mut from,
            mut to,
            mut capacity,
            mut cost,
            supply,
            largest: _,
        } = network;
        let arcs = from.len();
        let root = nodes as u32;
        let mut own = vec![NONE; nodes];
        if let Some(home) = home {
            for a in 0..arcs {
                let u = from[a] as usize;
                if to[a] == home && own[u] == NONE && supply[u] >= 0 && capacity[a] > supply[u] {
                    own[u] = a as u32;
                }
            }
        }
        let mut this = Self {
            nodes,
            arcs,
            largest,
            units: vec![0; arcs],
            state: vec![AT_ZERO; arcs],
            potential: vec![0; nodes + 1],
            parent: vec![NONE; nodes + 1],
            arc_up: vec![NONE; nodes + 1],
            upward: vec![true; nodes + 1],
            depth: vec![0; nodes + 1],
            first_child: vec![NONE; nodes + 1],
            next_sibling: vec![NONE; nodes + 1],
            previous_sibling: vec![NONE; nodes + 1],
            next_arc: 0,
            stack: Vec::new(),
            fresh: false,
            from: Vec::new(),
            to: Vec::new(),
            capacity: Vec::new(),
            cost: Vec::new(),
            supply: Vec::new(),
        };
        // The home takes in what the others send it before its own arc to the root is laid.
        let mut held = supply.clone();
        let order = (0..nodes as u32)
            .filter(|u| Some(*u) != home)
            .chain(home.filter(|h| (*h as usize) < nodes));
        for u in order {
            let i = u as usize;
            if let (a, Some(h)) = (own[i], home)
                && a != NONE
                && u != h
            {
                this.units[a as usize] = held[i];
                this.state[a as usize] = TREE;
                held[h as usize] += held[i];
                this.hang(u, h, a, true);
                continue;
            }
            let up = held[i] >= 0;
            let a = from.len() as u32;
            let (s, t) = if up { (u, root) } else { (root, u) };
            from.push(s);
            to.push(t);
            capacity.push(i64::MAX / 4);
            cost.push(artificial);
            this.units.push(held[i].abs());
            this.state.push(TREE);
            this.hang(u, root, a, up);
        }
        this.from = from;
        this.to = to;
        this.capacity = capacity;
        this.cost = cost;
        this.supply = supply;
        Ok(this)
    }

    /// Changes the cost of an arc, to at most what [`Network::expect_costs`] allowed for; the next
    /// [`Self::solve`] goes on from the present flow.
    pub fn set_cost(&mut self, arc: Arc, cost: i64) {
        if (arc as usize) < self.arcs {
            self.cost[arc as usize] = cost.clamp(-self.largest, self.largest);
            self.fresh = false;
        }
    }

    /// The present units on an arc.
    pub fn units(&self, arc: Arc) -> i64 {
        self.units[arc as usize]
    }

    /// The price of a node: in an optimal flow, `cost + price(from) − price(to)` is ≥ 0 on arcs that
    /// could carry more and ≤ 0 on arcs that carry something.
    pub fn price(&self, node: Node) -> i64 {
        self.potential[node as usize]
    }

    /// The least-cost flow.
    pub fn solve(&mut self, stop: &Stop) -> Flow {
        if !self.fresh {
            self.reprice();
        }
        let block = ((self.from.len() as f64).sqrt() as usize).max(20);
        let mut pivots = 0;
        let mut finished = true;
        while let Some(entering) = self.entering(block) {
            self.pivot(entering);
            pivots += 1;
            if pivots % PIVOTS_PER_LOOK == 0 && stop.now() {
                finished = false;
                break;
            }
        }
        self.flow(finished)
    }

    fn flow(&self, finished: bool) -> Flow {
        let (mut cost, mut bound) = (0_i128, 0_i128);
        for a in 0..self.arcs {
            cost += i128::from(self.units[a]) * i128::from(self.cost[a]);
            let reduced = i128::from(self.reduced(a));
            if reduced < 0 {
                bound += reduced * i128::from(self.capacity[a]);
            }
        }
        for (p, s) in self.potential.iter().zip(&self.supply) {
            bound -= i128::from(*p) * i128::from(*s);
        }
        let unmet: i64 = (self.arcs..self.from.len())
            .filter(|a| self.to[*a] == self.nodes as u32)
            .map(|a| self.units[a])
            .sum();
        let left: i64 = self.units[self.arcs..].iter().sum();
        let feasible = left == 0;
        Flow {
            units: self.units[..self.arcs].to_vec(),
            cost,
            // An infeasible optimum proves that there is no flow at all; it bounds nothing.
            bound: if finished && feasible { cost } else { bound },
            feasible,
            unmet,
            finished,
        }
    }

    fn reduced(&self, a: usize) -> i64 {
        self.cost[a] + self.potential[self.from[a] as usize] - self.potential[self.to[a] as usize]
    }

    /// The most promising arc of the next block that has one.
    fn entering(&mut self, block: usize) -> Option<usize> {
        let total = self.from.len();
        let (mut best, mut found) = (0_i64, None);
        let mut in_block = block;
        let mut a = self.next_arc;
        for _ in 0..total {
            let gain = i64::from(self.state[a]) * self.reduced(a);
            if gain < best {
                best = gain;
                found = Some(a);
            }
            a += 1;
            if a == total {
                a = 0;
            }
            in_block -= 1;
            if in_block == 0 {
                if found.is_some() {
                    break;
                }
                in_block = block;
            }
        }
        self.next_arc = a;
        found
    }

    fn pivot(&mut self, entering: usize) {
        let forward = self.state[entering] == AT_ZERO;
        let (tail, head) = if forward {
            (self.from[entering], self.to[entering])
        } else {
            (self.to[entering], self.from[entering])
        };
        // Flow goes round: from the join down to `tail`, over the arc, and up from `head`.
        let (mut step, mut leaves, mut on_tail_side) = (self.capacity[entering], NONE, false);
        let (mut u, mut v) = (tail, head);
        while u != v {
            if self.depth[u as usize] >= self.depth[v as usize] {
                u = self.parent[u as usize];
            } else {
                v = self.parent[v as usize];
            }
        }
        let join = u;
        // The last blocking arc on the way round from the join keeps the tree strongly feasible:
        // first on the tail side from the bottom up with `<`, last on the head side with `<=`.
        let mut w = tail;
        while w != join {
            let a = self.arc_up[w as usize] as usize;
            let room = if self.upward[w as usize] {
                self.units[a]
            } else {
                self.capacity[a] - self.units[a]
            };
            if room < step {
                (step, leaves, on_tail_side) = (room, w, true);
            }
            w = self.parent[w as usize];
        }
        w = head;
        while w != join {
            let a = self.arc_up[w as usize] as usize;
            let room = if self.upward[w as usize] {
                self.capacity[a] - self.units[a]
            } else {
                self.units[a]
            };
            if room <= step {
                (step, leaves, on_tail_side) = (room, w, false);
            }
            w = self.parent[w as usize];
        }
        if step > 0 {
            self.units[entering] += if forward { step } else { -step };
            self.push(tail, join, -step);
            self.push(head, join, step);
        }
        if leaves == NONE {
            self.state[entering] = -self.state[entering];
            return;
        }
        let out = self.arc_up[leaves as usize] as usize;
        self.state[out] = if self.units[out] == 0 {
            AT_ZERO
        } else {
            AT_CAPACITY
        };
        self.state[entering] = TREE;
        let (inner, outer) = if on_tail_side {
            (tail, head)
        } else {
            (head, tail)
        };
        self.regraft(inner, outer, leaves, entering);
    }

    /// Adds `step` to every arc from `node` up to `join` (less where the arc leads down).
    fn push(&mut self, mut node: u32, join: u32, step: i64) {
        while node != join {
            let i = node as usize;
            let a = self.arc_up[i] as usize;
            self.units[a] += if self.upward[i] { step } else { -step };
            node = self.parent[i];
        }
    }

    /// The subtree that `leaves` heads hangs on `outer` by the arc `entering` at `inner` from now on.
    fn regraft(&mut self, inner: u32, outer: u32, leaves: u32, entering: usize) {
        let (mut node, mut parent, mut arc) = (inner, outer, entering as u32);
        let mut upward = self.from[entering] == inner;
        loop {
            let i = node as usize;
            let (old_parent, old_arc, old_upward) =
                (self.parent[i], self.arc_up[i], self.upward[i]);
            self.unhang(node);
            self.hang(node, parent, arc, upward);
            if node == leaves {
                break;
            }
            (parent, node, arc, upward) = (node, old_parent, old_arc, !old_upward);
        }
        // All potentials of the subtree move by as much as makes the entering arc's reduced cost 0.
        let reduced = self.reduced(entering);
        let shift = if self.from[entering] == inner {
            -reduced
        } else {
            reduced
        };
        self.stack.push(inner);
        while let Some(n) = self.stack.pop() {
            let i = n as usize;
            self.potential[i] += shift;
            self.depth[i] = self.depth[self.parent[i] as usize] + 1;
            let mut c = self.first_child[i];
            while c != NONE {
                self.stack.push(c);
                c = self.next_sibling[c as usize];
            }
        }
    }

    fn hang(&mut self, node: u32, parent: u32, arc: u32, upward: bool) {
        let (i, p) = (node as usize, parent as usize);
        let first = self.first_child[p];
        self.parent[i] = parent;
        self.arc_up[i] = arc;
        self.upward[i] = upward;
        self.previous_sibling[i] = NONE;
        self.next_sibling[i] = first;
        if first != NONE {
            self.previous_sibling[first as usize] = node;
        }
        self.first_child[p] = node;
    }

    fn unhang(&mut self, node: u32) {
        let i = node as usize;
        let (before, after) = (self.previous_sibling[i], self.next_sibling[i]);
        if before == NONE {
            self.first_child[self.parent[i] as usize] = after;
        } else {
            self.next_sibling[before as usize] = after;
        }
        if after != NONE {
            self.previous_sibling[after as usize] = before;
        }
    }

    /// Potentials and depths from the root down, from the costs as they are now.
    fn reprice(&mut self) {
        let root = self.nodes;
        self.potential[root] = 0;
        self.depth[root] = 0;
        self.stack.push(root as u32);
        while let Some(n) = self.stack.pop() {
            let mut c = self.first_child[n as usize];
            while c != NONE {
                let i = c as usize;
                let cost = self.cost[self.arc_up[i] as usize];
                let above = self.potential[n as usize];
                self.potential[i] = if self.upward[i] {
                    above - cost
                } else {
                    above + cost
                };
                self.depth[i] = self.depth[n as usize] + 1;
                self.stack.push(c);
                c = self.next_sibling[i];
            }
        }
        self.fresh = true;
    }

    /// Units that an arc could still take, and units that could be taken back from it.
    pub(crate) fn room(&self, a: usize) -> (i64, i64) {
        (self.capacity[a] - self.units[a], self.units[a])
    }

    pub(crate) fn shape(&self) -> (usize, usize) {
        (self.nodes, self.arcs)
    }

    pub(crate) fn ends(&self, a: usize) -> (Node, Node) {
        (self.from[a], self.to[a])
    }

    pub(crate) fn reduced_cost(&self, a: usize) -> i64 {
        self.reduced(a)
    }

    pub(crate) fn arc_cost(&self, a: usize) -> i64 {
        self.cost[a]
    }
}
