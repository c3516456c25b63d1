//! Answers of the engine to the wire.

use super::{Word, count, matching::field_path};
use queqiao_domain::{Kind, ResourceName, TenantId};
use queqiao_engine::{
    Ahead, Change, Counterfactual, Excerpt, Explanation, FigureMatch, Match, MatchResponse, Part,
    Verdict,
};
use queqiao_proto::v1;

/// An answer to the wire; `asking` is the kind of the record that asked.
pub(crate) fn write_match_response(
    tenant: &TenantId,
    asking: Option<Kind>,
    a: MatchResponse,
) -> v1::MatchResponse {
    v1::MatchResponse {
        uncovered: a
            .uncovered
            .into_iter()
            .map(|c| write_asked(asking, c))
            .collect(),
        relevance_kept: a.relevance_kept,
        calibrated_to: a.calibrated_to.unwrap_or_default(),
        match_id: a.match_id,
        matches: a
            .matches
            .into_iter()
            .map(|m| write_match(tenant, asking, m))
            .collect(),
        admitted_count: count(a.admitted),
        total_count: count(a.total),
        seq: a.seq,
        model: a.model,
        weights_version: a.weights,
        notes: a
            .notes
            .into_iter()
            .map(|n| v1::Note {
                code: n.code.to_owned(),
                message: Some(v1::BilingualText {
                    en: n.message.en,
                    zh: n.message.zh,
                }),
            })
            .collect(),
    }
}

/// One match to the wire.
pub(crate) fn write_match(tenant: &TenantId, asking: Option<Kind>, m: Match) -> v1::Match {
    let name = ResourceName {
        tenant: tenant.clone(),
        kind: m.kind,
        id: m.id,
    };
    v1::Match {
        rank: count(m.rank),
        kind: m.kind.write(),
        title: m.title,
        score: m.score.get(),
        probability: m.probability,
        drawn: m.drawn,
        wanted: m.wanted,
        disclosed: m.disclosed.map(|d| v1::Disclosed {
            stage: d.stage.write(),
            industries: d.industries.iter().map(ToString::to_string).collect(),
            disciplines: d.disciplines.iter().map(ToString::to_string).collect(),
            region: d.region.map(|r| r.to_string()).unwrap_or_default(),
            released: d.released,
        }),
        parts: m.parts.into_iter().map(write_part).collect(),
        quote: m.quote.map(|q| v1::Quote {
            asked: q.asked.map(|a| write_asked(asking, a)),
            ..write_quote(m.kind, q.excerpt)
        }),
        figures: m
            .figures
            .into_iter()
            .map(|f| write_figure(m.kind, asking, f))
            .collect(),
        clauses: m
            .clauses
            .into_iter()
            .map(|c| v1::ClauseMatch {
                asked: Some(write_asked(asking, c.asked)),
                answer: c.answer.map(|p| write_quote(m.kind, p)),
                strength: c.strength,
                contradicted: c.contradicted,
            })
            .collect(),
        name: name.to_string(),
        id: name.id.as_str().to_owned(),
    }
}

fn write_asked(asking: Option<Kind>, a: Excerpt) -> v1::Asked {
    v1::Asked {
        path: asking.map_or(a.path.clone(), |k| field_path(k, &a.path)),
        text: a.text,
        start: count(a.start),
        end: count(a.end),
    }
}

fn write_quote(kind: Kind, p: Excerpt) -> v1::Quote {
    v1::Quote {
        path: field_path(kind, &p.path),
        text: p.text,
        start: count(p.start),
        end: count(p.end),
        asked: None,
    }
}

fn write_figure(kind: Kind, asking: Option<Kind>, f: FigureMatch) -> v1::FigureMatch {
    let verdict = match f.verdict {
        Some(Verdict::Met) => v1::FigureVerdict::Met,
        Some(Verdict::Partial) => v1::FigureVerdict::Partial,
        Some(Verdict::Short) => v1::FigureVerdict::Short,
        None => v1::FigureVerdict::Unknown,
    };
    v1::FigureMatch {
        asked: Some(write_asked(asking, f.asked)),
        offered: f.offered.map(|p| write_quote(kind, p)),
        verdict: verdict.into(),
        margin: f.margin,
    }
}

pub(super) fn write_part(p: Part) -> v1::ScorePart {
    v1::ScorePart {
        feature: p.feature.as_str().to_owned(),
        value: p.value,
        weight: p.weight,
        contribution: p.contribution,
    }
}

/// A candidate's score taken apart, to the wire.
pub(crate) fn write_why(
    tenant: &TenantId,
    asking: Option<Kind>,
    e: Explanation,
) -> v1::ExplainResponse {
    v1::ExplainResponse {
        ranked_count: count(e.of),
        ahead: e.ahead.map(|a| write_ahead(tenant, a)),
        counterfactuals: e
            .changes
            .into_iter()
            .map(|c| write_counterfactual(asking, c))
            .collect(),
        r#match: Some(write_match(tenant, asking, e.matched)),
    }
}

fn write_ahead(tenant: &TenantId, a: Ahead) -> v1::Ahead {
    let name = ResourceName {
        tenant: tenant.clone(),
        kind: a.kind,
        id: a.id,
    };
    v1::Ahead {
        rank: count(a.rank),
        name: name.to_string(),
        title: a.title,
        score: a.score.get(),
        parts: a.parts.into_iter().map(write_part).collect(),
    }
}

fn write_counterfactual(asking: Option<Kind>, c: Counterfactual) -> v1::Counterfactual {
    use v1::counterfactual::Change as Wire;
    v1::Counterfactual {
        change: Some(match c.change {
            Change::Record { feature, value } => Wire::Record(v1::RecordChange {
                feature: feature.as_str().to_owned(),
                value,
            }),
            Change::WithoutClause(asked) => Wire::WithoutClause(write_asked(asking, asked)),
        }),
        rank: count(c.rank),
        score: c.score.get(),
    }
}
