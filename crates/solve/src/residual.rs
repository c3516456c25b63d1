//! What it would cost to change an optimal flow.

use crate::{
    network::{Arc, Node},
    simplex::Simplex,
};
use std::{cmp::Reverse, collections::BinaryHeap};

/// One arc of a chain of exchanges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The arc.
    pub arc: Arc,
    /// True when it carries one unit more, false when one less.
    pub more: bool,
}

/// The residual network of an optimal flow, ready for questions: built once in O(arcs), each
/// question is one shortest path with reduced costs (Ahuja, Magnanti, Orlin, section 9.3).
#[derive(Debug)]
pub struct Residual<'a> {
    simplex: &'a Simplex,
    /// Places in `incident` by node.
    start: Vec<u32>,
    /// Arcs at a node; `2·arc` leaves it, `2·arc + 1` enters it.
    incident: Vec<u32>,
}

impl<'a> Residual<'a> {
    /// The residual network of what `simplex` found; meaningful after it has finished.
    pub fn new(simplex: &'a Simplex) -> Self {
        let (nodes, arcs) = simplex.shape();
        let mut start = vec![0_u32; nodes + 2];
        for a in 0..arcs {
            let (u, v) = simplex.ends(a);
            start[u as usize + 2] += 1;
            start[v as usize + 2] += 1;
        }
        for i in 2..start.len() {
            start[i] += start[i - 1];
        }
        let mut incident = vec![0_u32; 2 * arcs];
        for a in 0..arcs {
            let (u, v) = simplex.ends(a);
            for (node, code) in [(u, 2 * a), (v, 2 * a + 1)] {
                let at = &mut start[node as usize + 1];
                incident[*at as usize] = code as u32;
                *at += 1;
            }
        }
        start.pop();
        Residual {
            simplex,
            start,
            incident,
        }
    }

    fn steps(&self, node: Node) -> impl Iterator<Item = (Step, Node)> + '_ {
        let (a, b) = (self.start[node as usize], self.start[node as usize + 1]);
        self.incident[a as usize..b as usize]
            .iter()
            .filter_map(|code| {
                let arc = (code / 2) as usize;
                let more = code % 2 == 0;
                let (room, held) = self.simplex.room(arc);
                let (u, v) = self.simplex.ends(arc);
                let open = if more { room > 0 } else { held > 0 };
                open.then_some((
                    Step {
                        arc: arc as Arc,
                        more,
                    },
                    if more { v } else { u },
                ))
            })
    }

    /// The cheapest way to send one unit more from `from` to `to`, and its cost, not using arcs that
    /// `banned` names. `None` when there is no way.
    pub fn cheapest(
        &self,
        from: Node,
        to: Node,
        banned: impl Fn(Arc) -> bool,
    ) -> Option<(i64, Vec<Step>)> {
        let (nodes, _) = self.simplex.shape();
        let mut distance = vec![i64::MAX; nodes];
        let mut came: Vec<Option<(Step, Node)>> = vec![None; nodes];
        let mut heap = BinaryHeap::from([Reverse((0_i64, from))]);
        distance[from as usize] = 0;
        while let Some(Reverse((d, node))) = heap.pop() {
            if d > distance[node as usize] {
                continue;
            }
            if node == to {
                break;
            }
            for (step, next) in self.steps(node) {
                if banned(step.arc) {
                    continue;
                }
                let reduced = self.simplex.reduced_cost(step.arc as usize);
                // Optimality makes both signs non-negative; a stopped flow may lack it.
                let length = if step.more { reduced } else { -reduced }.max(0);
                let far = d.saturating_add(length);
                if far < distance[next as usize] {
                    distance[next as usize] = far;
                    came[next as usize] = Some((step, node));
                    heap.push(Reverse((far, next)));
                }
            }
        }
        if distance[to as usize] == i64::MAX {
            return None;
        }
        let (mut steps, mut node, mut cost) = (Vec::new(), to, 0_i64);
        while node != from {
            let (step, before) = came[node as usize]?;
            let c = self.simplex.arc_cost(step.arc as usize);
            cost += if step.more { c } else { -c };
            steps.push(step);
            node = before;
        }
        steps.reverse();
        Some((cost, steps))
    }

    /// The nodes that one unit more could reach from `from` without passing `avoided`: the source side
    /// of a smallest cut where the flow is as large as can be and `avoided` stands for the way out.
    pub fn reachable(&self, from: impl IntoIterator<Item = Node>, avoided: Node) -> Vec<bool> {
        let (nodes, _) = self.simplex.shape();
        let mut seen = vec![false; nodes];
        let mut stack: Vec<Node> = from.into_iter().collect();
        for n in &stack {
            seen[*n as usize] = true;
        }
        while let Some(node) = stack.pop() {
            for (_, next) in self.steps(node) {
                if !seen[next as usize] && next != avoided {
                    seen[next as usize] = true;
                    stack.push(next);
                }
            }
        }
        seen
    }
}
