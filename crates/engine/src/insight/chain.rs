//! Supply and demand laid over an industry chain (产业链): where the gaps are, and who could fill them.

use crate::{
    Engine, Error,
    admitting::kind_filter,
    conditions::Conditions,
    finding::check_deadline,
    matching::Ranking,
    question::Question,
    request::{Ask, MatchRequest, Mode},
};
use queqiao_domain::{
    Date, Facets, Field, Filter, Kind, Op, RecordId, RegionCode, TenantId, Value, Visibility,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};

/// Nodes of a chain, at most.
const MOST_NODES: usize = 200;
/// Characters of a node's description, at most.
const MOST_TEXT: usize = 4_000;
/// Records looked at for one node.
const DEPTH: usize = 5_000;

/// A node of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChainNode {
    /// The caller's id.
    pub id: String,
    /// What it is called (正极材料).
    pub name: String,
    /// What belongs to it, in a sentence or more; may be empty.
    pub description: String,
}

/// A chain to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct ChainRequest {
    /// Its nodes, 1 to 200.
    pub nodes: Vec<ChainNode>,
    /// From upstream to downstream, by ids.
    pub edges: Vec<(String, String)>,
    /// The region whose chain it is: gaps are counted in it, fillers come from outside.
    pub region: Option<RegionCode>,
    /// A record belongs to the node that it scores best for, when it scores at least this much.
    pub least_score: f64,
    /// Fillers per node.
    pub fillers: usize,
    /// The day on which records must be valid.
    pub today: Date,
    /// Stop with [`Error::Deadline`] when this passes.
    pub deadline: Option<Instant>,
}

/// Somebody who could fill a gap.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Filler {
    /// The record.
    pub id: RecordId,
    /// Its kind.
    pub kind: Kind,
    /// Its title; empty for a sealed record.
    pub title: String,
    /// Where, if that is told.
    pub region: Option<RegionCode>,
    /// Its score for the node.
    pub score: f64,
}

/// What a node looks like.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeView {
    /// The node.
    pub id: String,
    /// Steps from the chain's beginning: the longest way to it.
    pub stage: usize,
    /// Needs that belong to it (of the region, where one is given).
    pub demand: usize,
    /// Who and what answers such needs, by kind (of the region, where one is given).
    pub supply: BTreeMap<Kind, usize>,
    /// Of the supply, how much is how ready, by scale and level, as far as it is told.
    pub readiness: BTreeMap<String, usize>,
    /// (demand + 1) ÷ (supply + 1): above 1 more is asked than offered.
    pub gap: f64,
    /// The best from outside the region, or of all where none is given.
    pub fillers: Vec<Filler>,
}

/// A chain with supply and demand.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChainView {
    /// Nodes, the greatest gap first.
    pub nodes: Vec<NodeView>,
    /// Records that belong to no node, by kind.
    pub elsewhere: BTreeMap<Kind, usize>,
}

impl Engine {
    /// Lays supply and demand over a chain.
    ///
    /// # Errors
    /// [`Error::Argument`]: no node or too many, an id twice, an edge to an unknown node, a cycle
    /// (which is told), a score that is no number. [`Error::Deadline`].
    pub fn chain(&self, tenant: &TenantId, request: &ChainRequest) -> Result<ChainView, Error> {
        let stages = request.stages()?;
        let sight = self.sight(tenant);
        let mut best: HashMap<u64, (usize, f64, Arc<Facets>)> = HashMap::new();
        let mut by_node: Vec<Vec<(f64, Arc<Facets>)>> = Vec::new();
        let asked = {
            let mut asked = MatchRequest::new(Ask::Text(String::new()), request.today);
            asked.deadline = request.deadline;
            asked
        };
        let valid = Filter::compare(Field::Valid, Op::Eq, Value::Date(request.today));
        let filter = kind_filter(&Kind::ALL).and(valid);
        let conditions = Conditions {
            asker: None,
            stored: None,
            own_organisation: true,
            today: request.today,
            needs_consent: self.options.needs_consent,
            sees_sealed: true,
        };
        // Sealed records are counted as well: who is like one must not be found out by the scores of others.
        let weights = self.weights.without_neighbours();
        for (n, node) in request.nodes.iter().enumerate() {
            check_deadline(&asked, "looking at a node")?;
            let passages = [(node.name.as_str(), node.description.as_str())];
            let question = Question::from_passages(&sight.pipeline, &passages)?;
            let ranked = match &sight.live {
                None => Vec::new(),
                Some(live) => {
                    let found = Ranking {
                        question: &question,
                        filter: &filter,
                        admit: &|_, f| conditions.excludes(f).is_none(),
                        mode: Mode::Hybrid,
                        wanted: DEPTH,
                        weights: &weights,
                        sees_sealed: true,
                        today: None,
                        activities: None,
                        every_feature: false,
                    };
                    found.run(&live.index)?.0
                }
            };
            let mut near = Vec::new();
            for r in ranked {
                let score = r.score.get();
                if score < request.least_score {
                    break;
                }
                let (key, facets) = (r.candidate.key, Arc::clone(&r.candidate.facets));
                near.push((score, Arc::clone(&facets)));
                match best.get(&key) {
                    Some((_, before, _)) if *before >= score => {}
                    _ => {
                        best.insert(key, (n, score, facets));
                    }
                }
            }
            by_node.push(near);
        }
        let inside = |f: &Facets| match request.region {
            None => true,
            Some(region) => f.region.is_some_and(|r| r.is_within(region)),
        };
        let mut nodes: Vec<NodeView> = request
            .nodes
            .iter()
            .zip(stages)
            .map(|(node, stage)| NodeView {
                id: node.id.clone(),
                stage,
                demand: 0,
                supply: BTreeMap::new(),
                readiness: BTreeMap::new(),
                gap: 1.0,
                fillers: Vec::new(),
            })
            .collect();
        for (n, _, facets) in best.values() {
            let node = &mut nodes[*n];
            if !inside(facets) {
                continue;
            }
            match facets.kind {
                Kind::Need => node.demand += 1,
                // An enterprise is neither a need nor an answer to one.
                Kind::Enterprise => {}
                kind => {
                    *node.supply.entry(kind).or_default() += 1;
                    let told = facets
                        .readiness
                        .filter(|_| facets.visibility != Visibility::Sealed);
                    if let Some(r) = told {
                        *node.readiness.entry(r.to_string()).or_default() += 1;
                    }
                }
            }
        }
        for (node, near) in nodes.iter_mut().zip(by_node) {
            let supply: usize = node.supply.values().sum();
            node.gap = (node.demand as f64 + 1.0) / (supply as f64 + 1.0);
            node.fillers = near
                .into_iter()
                .filter(|(_, f)| !matches!(f.kind, Kind::Need | Kind::Enterprise))
                .filter(|(_, f)| request.region.is_none() || !inside(f))
                .take(request.fillers)
                .map(|(score, f)| Filler {
                    id: f.id.clone(),
                    kind: f.kind,
                    title: match f.visibility {
                        Visibility::Sealed => String::new(),
                        _ => f.title.clone(),
                    },
                    region: f.region.filter(|_| f.visibility != Visibility::Sealed),
                    score,
                })
                .collect();
        }
        nodes.sort_by(|a, b| b.gap.total_cmp(&a.gap).then_with(|| a.id.cmp(&b.id)));
        let mut elsewhere: BTreeMap<Kind, usize> = BTreeMap::new();
        let counts = self.store.snapshot()?;
        for kind in Kind::ALL {
            let all = counts.count(tenant, Some(kind))? as usize;
            let placed = best.values().filter(|b| b.2.kind == kind).count();
            if all > placed {
                elsewhere.insert(kind, all - placed);
            }
        }
        Ok(ChainView { nodes, elsewhere })
    }
}

impl ChainRequest {
    /// Steps of each node from the chain's beginning.
    fn stages(&self) -> Result<Vec<usize>, Error> {
        let n = self.nodes.len();
        if n == 0 || n > MOST_NODES {
            return Err(Error::argument(
                "nodes",
                (format!("{n} nodes"), format!("共 {n} 个节点")),
                (
                    format!("expected 1 to {MOST_NODES}"),
                    format!("应为 1 至 {MOST_NODES} 个"),
                ),
            ));
        }
        if !self.least_score.is_finite() {
            return Err(Error::argument(
                "least_score",
                ("it is no number", "不是数"),
                ("expected a score, such as 0.6", "应为分数，如 0.6"),
            ));
        }
        let mut at: HashMap<&str, usize> = HashMap::new();
        for (i, node) in self.nodes.iter().enumerate() {
            let field = |name: &str| format!("nodes[{i}].{name}");
            if node.id.is_empty() {
                return Err(Error::argument(
                    field("id"),
                    ("it is empty", "为空"),
                    ("an id of your own", "请自拟一个编号"),
                ));
            }
            if !node.name.chars().any(char::is_alphanumeric) {
                return Err(Error::argument(
                    field("name"),
                    ("it says nothing", "没有内容"),
                    ("what the node is called", "应为节点名称"),
                ));
            }
            let length = node.name.chars().count() + node.description.chars().count();
            if length > MOST_TEXT {
                return Err(Error::argument(
                    field("description"),
                    (
                        format!("it has {length} characters with the name"),
                        format!("连同名称共 {length} 个字符"),
                    ),
                    (format!("at most {MOST_TEXT}"), format!("至多 {MOST_TEXT}")),
                ));
            }
            if let Some(first) = at.insert(&node.id, i) {
                return Err(Error::argument(
                    field("id"),
                    (
                        format!("`{}` is the id of nodes[{first}] too", node.id),
                        format!("`{}` 也是 nodes[{first}] 的编号", node.id),
                    ),
                    ("every id once", "每个编号只能出现一次"),
                ));
            }
        }
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); n];
        let mut into = vec![0; n];
        for (i, (from, to)) in self.edges.iter().enumerate() {
            let find = |id: &str| {
                at.get(id).copied().ok_or_else(|| {
                    Error::argument(
                        format!("edges[{i}]"),
                        (
                            format!("no node is called `{id}`"),
                            format!("没有编号为 `{id}` 的节点"),
                        ),
                        ("ids of nodes", "应为节点的编号"),
                    )
                })
            };
            let (a, b) = (find(from)?, find(to)?);
            next[a].push(b);
            into[b] += 1;
        }
        let mut stages = vec![0; n];
        let mut ready: Vec<usize> = (0..n).filter(|i| into[*i] == 0).collect();
        let mut done = 0;
        while let Some(a) = ready.pop() {
            done += 1;
            for &b in &next[a] {
                stages[b] = stages[b].max(stages[a] + 1);
                into[b] -= 1;
                if into[b] == 0 {
                    ready.push(b);
                }
            }
        }
        if done < n {
            let circle = self.circle(&next, &into);
            return Err(Error::argument(
                "edges",
                (
                    format!("they run in a circle: {circle}"),
                    format!("首尾相接成环：{circle}"),
                ),
                ("edges from upstream to downstream", "连线应从上游指向下游"),
            ));
        }
        Ok(stages)
    }

    /// One circle, in words: every node that is left lies on one, or behind one.
    fn circle(&self, next: &[Vec<usize>], into: &[usize]) -> String {
        let left = |i: &usize| into[*i] > 0;
        // Walking backwards from a node that is left never ends; the first repeat closes a circle.
        let before = |b: usize| (0..next.len()).find(|a| left(a) && next[*a].contains(&b));
        let mut way: Vec<usize> = (0..into.len()).filter(left).take(1).collect();
        while let Some(a) = way.last().and_then(|b| before(*b)) {
            if let Some(start) = way.iter().position(|x| *x == a) {
                let mut names: Vec<&str> = way[start..]
                    .iter()
                    .rev()
                    .map(|i| self.nodes[*i].id.as_str())
                    .collect();
                if let Some(first) = names.first().copied() {
                    names.push(first);
                }
                return names.join(" → ");
            }
            way.push(a);
        }
        String::new()
    }
}
