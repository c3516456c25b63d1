//! Insights: questions from the wire, answers to it.

use super::{Violations, Word, count, names::read_parent, reader::Reader};
use queqiao_domain::{Date, Kind, RecordId, ResourceName, TenantId};
use queqiao_engine::{
    ChainNode, ChainRequest, ChainView, Clarity, DuplicateRequest, Duplicates, NodeView,
};
use queqiao_proto::v1;
use std::{collections::BTreeMap, time::Instant};

/// Pairs in one answer.
const MOST_PAIRS: usize = 10_000;
/// Pairs where none are asked for.
const PAIRS: usize = 100;
/// Similarity where none is asked for.
const SIMILARITY: f64 = 0.7;
/// Fillers of one node.
const MOST_FILLERS: usize = 100;
/// Fillers where none are asked for.
const FILLERS: usize = 5;
/// Score where none is asked for.
const LEAST_SCORE: f64 = 0.6;

/// A number from 0 to a limit, 0 meaning the default.
fn number(r: &mut Reader, path: &str, n: i32, default: usize, most: usize) -> usize {
    match usize::try_from(n) {
        Ok(0) => default,
        Ok(n) if n <= most => n,
        _ => {
            r.fail(
                path,
                (format!("{n} is out of range"), format!("{n} 超出范围")),
                (format!("expected 0 to {most}"), format!("应为 0 至 {most}")),
            );
            default
        }
    }
}

/// Reads what is to be looked for twice.
pub(crate) fn read_duplicates(
    w: &v1::FindDuplicatesRequest,
    deadline: Option<Instant>,
) -> Result<(TenantId, DuplicateRequest), Violations> {
    let tenant = read_parent("parent", &w.parent)?;
    let mut r = Reader::default();
    let kind: Option<Kind> = r.word("kind", w.kind);
    if kind.is_none() && w.kind == 0 {
        r.fail(
            "kind",
            ("it is not given", "未填写"),
            (Kind::accepted().en, Kind::accepted().zh),
        );
    }
    let request = DuplicateRequest {
        kind: kind.unwrap_or(Kind::Need),
        least: if w.least_similarity == 0.0 {
            SIMILARITY
        } else {
            w.least_similarity
        },
        limit: number(&mut r, "limit", w.limit, PAIRS, MOST_PAIRS),
        // By who calls.
        sees_sealed: false,
        deadline,
    };
    r.finish(Some((tenant, request)))
}

/// Pairs to the wire.
pub(crate) fn write_duplicates(
    tenant: &TenantId,
    kind: Kind,
    d: Duplicates,
) -> v1::FindDuplicatesResponse {
    v1::FindDuplicatesResponse {
        compared_count: count(d.compared),
        found_count: count(d.found),
        pairs: d
            .pairs
            .into_iter()
            .map(|p| v1::DuplicatePair {
                first: name(tenant, kind, p.first),
                second: name(tenant, kind, p.second),
                similarity: p.similarity,
                same_organisation: p.same_organisation,
            })
            .collect(),
    }
}

fn name(tenant: &TenantId, kind: Kind, id: RecordId) -> String {
    let name = ResourceName {
        tenant: tenant.clone(),
        kind,
        id,
    };
    name.to_string()
}

/// Reads a chain.
pub(crate) fn read_chain(
    w: v1::MapChainRequest,
    today: Date,
    deadline: Option<Instant>,
) -> Result<(TenantId, ChainRequest), Violations> {
    let tenant = read_parent("parent", &w.parent)?;
    let mut r = Reader::default();
    let request = ChainRequest {
        region: r.optional_code("region", &w.region),
        least_score: if w.least_score == 0.0 {
            LEAST_SCORE
        } else {
            w.least_score
        },
        fillers: number(
            &mut r,
            "filler_count",
            w.filler_count,
            FILLERS,
            MOST_FILLERS,
        ),
        today: r.optional_date("today", &w.today).unwrap_or(today),
        deadline,
        nodes: w
            .nodes
            .into_iter()
            .map(|n| ChainNode {
                id: n.id,
                name: n.name,
                description: n.description,
            })
            .collect(),
        edges: w.edges.into_iter().map(|e| (e.from, e.to)).collect(),
    };
    r.finish(Some((tenant, request)))
}

/// A chain to the wire.
pub(crate) fn write_chain(tenant: &TenantId, view: ChainView) -> v1::MapChainResponse {
    v1::MapChainResponse {
        elsewhere: counts(view.elsewhere),
        nodes: view
            .nodes
            .into_iter()
            .map(|n| write_node(tenant, n))
            .collect(),
    }
}

fn write_node(tenant: &TenantId, n: NodeView) -> v1::ChainNodeView {
    v1::ChainNodeView {
        id: n.id,
        stage: count(n.stage),
        demand_count: count(n.demand),
        supply: counts(n.supply),
        readiness: n
            .readiness
            .into_iter()
            .map(|(level, n)| (level, count(n)))
            .collect(),
        gap: n.gap,
        fillers: n
            .fillers
            .into_iter()
            .map(|f| v1::ChainFiller {
                name: name(tenant, f.kind, f.id),
                title: f.title,
                region: f.region.map_or(String::new(), |r| r.to_string()),
                score: f.score,
            })
            .collect(),
    }
}

fn counts(by_kind: BTreeMap<Kind, usize>) -> Vec<v1::KindCount> {
    by_kind
        .into_iter()
        .map(|(kind, n)| v1::KindCount {
            kind: kind.write(),
            count: i64::from(count(n)),
        })
        .collect()
}

/// How clear a question is, to the wire; `asking` is the kind of what asks.
pub(crate) fn write_clarity(
    tenant: &TenantId,
    asking: Option<Kind>,
    c: Clarity,
) -> v1::ClarifyResponse {
    let bilingual = |b: queqiao_domain::Bilingual| v1::BilingualText { en: b.en, zh: b.zh };
    let kind = asking.unwrap_or(Kind::Need);
    v1::ClarifyResponse {
        description_score: c.description.score,
        parts: c
            .description
            .parts
            .into_iter()
            .map(|p| v1::DescriptionPart {
                part: p.part.as_str().to_owned(),
                weight: p.weight,
                present: p.present,
            })
            .collect(),
        stuffed: c.description.stuffed.map(bilingual),
        questions: c
            .questions
            .into_iter()
            .map(|q| v1::Clarification {
                about: q.about.to_owned(),
                question: Some(bilingual(q.question)),
                expected_change: q.expected_change,
                answers: q
                    .answers
                    .into_iter()
                    .map(|a| v1::PlausibleAnswer {
                        text: a.text,
                        probability: a.probability,
                        change: a.change,
                    })
                    .collect(),
            })
            .collect(),
        near_duplicates: c
            .near_duplicates
            .into_iter()
            .map(|(id, similarity)| v1::NearDuplicate {
                name: name(tenant, kind, id),
                similarity,
            })
            .collect(),
    }
}
