//! Networks with capacities and costs.

/// A node of a [`Network`].
pub type Node = u32;
/// An arc of a [`Network`], numbered in the order in which arcs were added.
pub type Arc = u32;

/// Why a network cannot be solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// An arc ends nowhere.
    #[error("arc {arc} names a node that is not there")]
    NoSuchNode {
        /// The arc.
        arc: Arc,
    },
    /// A capacity below zero.
    #[error("arc {arc} has a negative capacity")]
    NegativeCapacity {
        /// The arc.
        arc: Arc,
    },
    /// Sums of costs or flows could overflow.
    #[error("the costs or capacities are too large for exact arithmetic: scale them down")]
    TooLarge,
    /// What nodes supply is not what nodes demand.
    #[error("supplies and demands do not balance")]
    Unbalanced,
}

/// A directed network: every arc carries 0 to its capacity at a cost per unit, every node supplies
/// (positive) or demands (negative) a number of units. Integers throughout, so that optima are
/// exact.
#[derive(Debug, Clone)]
pub struct Network {
    pub(crate) from: Vec<Node>,
    pub(crate) to: Vec<Node>,
    pub(crate) capacity: Vec<i64>,
    pub(crate) cost: Vec<i64>,
    pub(crate) supply: Vec<i64>,
    pub(crate) largest: i64,
}

impl Network {
    /// A network of `nodes` nodes and no arcs, with room for `arcs`.
    pub fn new(nodes: usize, arcs: usize) -> Self {
        Self {
            from: Vec::with_capacity(arcs),
            to: Vec::with_capacity(arcs),
            capacity: Vec::with_capacity(arcs),
            cost: Vec::with_capacity(arcs),
            supply: vec![0; nodes],
            largest: 1,
        }
    }

    /// Number of nodes.
    pub fn nodes(&self) -> usize {
        self.supply.len()
    }

    /// Number of arcs.
    pub fn arcs(&self) -> usize {
        self.from.len()
    }

    /// One more node.
    pub fn node(&mut self) -> Node {
        self.supply.push(0);
        (self.supply.len() - 1) as Node
    }

    /// Adds an arc.
    pub fn arc(&mut self, from: Node, to: Node, capacity: i64, cost: i64) -> Arc {
        self.from.push(from);
        self.to.push(to);
        self.capacity.push(capacity);
        self.cost.push(cost);
        (self.from.len() - 1) as Arc
    }

    /// Leaves room for costs up to `largest` (either sign) that are set later.
    pub fn expect_costs(&mut self, largest: i64) {
        self.largest = self.largest.max(largest);
    }

    /// Adds to what a node supplies; negative is demand.
    pub fn supply(&mut self, node: Node, units: i64) {
        if let Some(s) = self.supply.get_mut(node as usize) {
            *s += units;
        }
    }

    /// The ends of an arc.
    pub fn ends(&self, arc: Arc) -> (Node, Node) {
        (self.from[arc as usize], self.to[arc as usize])
    }

    /// Checks what [`crate::Simplex`] relies on, and gives the largest cost and that of an artificial
    /// arc, which exceeds any path of real ones.
    pub(crate) fn check(&self) -> Result<(i64, i64), FlowError> {
        let n = self.nodes() as u64;
        let mut total: i64 = 0;
        for s in &self.supply {
            total = total.checked_add(*s).ok_or(FlowError::TooLarge)?;
        }
        if total != 0 {
            return Err(FlowError::Unbalanced);
        }
        let mut largest: u64 = self.largest.unsigned_abs().max(1);
        for a in 0..self.arcs() {
            if u64::from(self.from[a]) >= n || u64::from(self.to[a]) >= n {
                return Err(FlowError::NoSuchNode { arc: a as Arc });
            }
            if self.capacity[a] < 0 {
                return Err(FlowError::NegativeCapacity { arc: a as Arc });
            }
            if self.capacity[a] > i64::MAX / 8 {
                return Err(FlowError::TooLarge);
            }
            largest = largest.max(self.cost[a].unsigned_abs());
        }
        // Potentials reach (n + 1) artificial costs in the worst case, and reduced costs three
        // times that.
        let artificial = largest.checked_mul(n + 1).ok_or(FlowError::TooLarge)?;
        if artificial > (i64::MAX / 16) as u64 {
            return Err(FlowError::TooLarge);
        }
        let whole = |v: u64| i64::try_from(v).map_err(|_| FlowError::TooLarge);
        Ok((whole(largest)?, whole(artificial)?))
    }
}
