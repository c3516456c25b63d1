//! Questions from the wire, answers to it.

use super::{
    Violations, Word,
    names::{read_name, read_parent},
    reader::Reader,
    record_in::{read_draft, read_readiness, wire_path},
};
use queqiao_domain::{
    CooperationMode, Date, DisciplineCode, Field, Filter, IndustryCode, Kind, Op, RegionCode,
    ResourceName, TenantId, Value, Violation,
};
use queqiao_engine::{Ask, Diversity, DiversityMethod, Feature, MAX_BATCH, MAX_K, MatchRequest};
use queqiao_proto::v1;
use std::{collections::BTreeMap, time::Instant};

/// Greatest sum of `k` over a batch: it bounds the answer.
const MAX_BATCH_MATCHES: usize = 20_000;
/// Relevance that a diverse list keeps where nothing else is asked for.
const LEAST_RELEVANCE: f64 = 0.99;
/// Entries of one list of conditions.
const MAX_CONDITIONS: usize = 100;

/// What a question is asked with, beside its own fields.
#[derive(Clone, Copy)]
struct Setting<'a> {
    /// Path of the question in the request, with its dot; empty at the top.
    at: &'a str,
    /// The tenant of the batch, if it is one of a batch.
    tenant: Option<&'a TenantId>,
    today: Date,
    deadline: Option<Instant>,
    /// `k` has to be given.
    ranked: bool,
}

/// A question, with the name of the record that asks, if one does.
#[derive(Debug)]
pub(crate) struct BatchItem {
    pub(crate) tenant: TenantId,
    pub(crate) asker: Option<ResourceName>,
    pub(crate) request: MatchRequest,
}

impl BatchItem {
    /// The kind of the record that asks; a bare text has none.
    pub(crate) fn asking_kind(&self) -> Option<Kind> {
        match &self.request.ask {
            Ask::Record(_) => self.asker.as_ref().map(|n| n.kind),
            Ask::Draft(d) => Some(d.kind()),
            Ask::Text(_) => None,
        }
    }
}

/// Reads a single question.
pub(crate) fn read_match(
    wire: v1::MatchRequest,
    today: Date,
    deadline: Option<Instant>,
) -> Result<BatchItem, Violations> {
    let setting = Setting {
        at: "",
        tenant: None,
        today,
        deadline,
        ranked: true,
    };
    read_question(wire, setting)
}

/// Reads the questions of a batch. Each reads or not on its own; the outer error is of the batch.
pub(crate) fn read_match_batch(
    wire: v1::MatchBatchRequest,
    today: Date,
    deadline: Option<Instant>,
) -> Result<(TenantId, Vec<Result<BatchItem, Violations>>), Violations> {
    let tenant = read_parent("parent", &wire.parent)?;
    let n = wire.requests.len();
    let matches = wire.requests.iter().fold(0_usize, |sum, r| {
        sum.saturating_add(usize::try_from(r.k).unwrap_or(0).min(MAX_K))
    });
    let mut r = Reader::default();
    if n == 0 || n > MAX_BATCH {
        r.fail(
            "requests",
            (format!("{n} questions"), format!("{n} 个问题")),
            (
                format!("expected 1 to {MAX_BATCH}"),
                format!("应为 1 至 {MAX_BATCH} 个"),
            ),
        );
    } else if matches > MAX_BATCH_MATCHES {
        r.fail(
            "requests",
            (
                format!("{matches} matches are asked for in all"),
                format!("共求 {matches} 个匹配"),
            ),
            (
                format!("expected a sum of k of at most {MAX_BATCH_MATCHES}; split the batch"),
                format!("k 之和至多 {MAX_BATCH_MATCHES}，请拆分"),
            ),
        );
    }
    r.finish(Some(()))?;
    let questions = wire
        .requests
        .into_iter()
        .enumerate()
        .map(|(i, question)| {
            let at = format!("requests[{i}].");
            read_question(
                question,
                Setting {
                    at: &at,
                    tenant: Some(&tenant),
                    today,
                    deadline,
                    ranked: true,
                },
            )
        })
        .collect();
    Ok((tenant, questions))
}

/// Reads a question and the candidate that is to be explained.
pub(crate) fn read_explain(
    wire: v1::ExplainRequest,
    today: Date,
    deadline: Option<Instant>,
) -> Result<(BatchItem, ResourceName), Violations> {
    let Some(question) = wire.question else {
        let mut r = Reader::default();
        r.fail(
            "question",
            ("it is not given", "未填写"),
            (
                "expected a question as in Match",
                "应填写与 Match 相同的问题",
            ),
        );
        return r.finish(None);
    };
    let setting = Setting {
        at: "question.",
        tenant: None,
        today,
        deadline,
        ranked: false,
    };
    let item = read_question(question, setting)?;
    let candidate = read_name("candidate", &wire.candidate, Some(&item.tenant))?;
    Ok((item, candidate))
}

/// Reads a question that is to be clarified.
pub(crate) fn read_clarify(
    wire: v1::ClarifyRequest,
    today: Date,
    deadline: Option<Instant>,
) -> Result<BatchItem, Violations> {
    let setting = Setting {
        at: "question.",
        tenant: None,
        today,
        deadline,
        ranked: false,
    };
    read_question(wire.question.unwrap_or_default(), setting)
}

fn read_question(w: v1::MatchRequest, s: Setting<'_>) -> Result<BatchItem, Violations> {
    let at = s.at;
    let mut r = Reader::default();
    let tenant = match s.tenant {
        Some(t) if w.parent.is_empty() => t.clone(),
        outer => {
            let own = read_parent(&format!("{at}parent"), &w.parent)?;
            if let Some(t) = outer
                && *t != own
            {
                r.fail(
                    format_args!("{at}parent"),
                    (
                        format!("it is tenant {own}, the batch is of tenant {t}"),
                        format!("它是租户 {own}，而批次属于租户 {t}"),
                    ),
                    (
                        "expected the batch's parent, or nothing",
                        "应与批次的 parent 相同，或留空",
                    ),
                );
            }
            own
        }
    };
    let mut asker = None;
    let ask = match w.ask {
        None => {
            r.fail(
                format_args!("{at}ask"),
                ("nobody asks", "没有提问者"),
                (
                    "expected one of record (a name), text, draft",
                    "应填写 record（资源名）、text、draft 之一",
                ),
            );
            None
        }
        Some(v1::match_request::Ask::Record(name)) => {
            match read_name(&format!("{at}record"), &name, Some(&tenant)) {
                Ok(name) => Some(Ask::Record(asker.insert(name).id.clone())),
                Err(found) => {
                    found.into_iter().for_each(|v| r.note(v));
                    None
                }
            }
        }
        Some(v1::match_request::Ask::Text(text)) => Some(Ask::Text(text)),
        Some(v1::match_request::Ask::Draft(draft)) => {
            read_draft(&mut r, &format!("{at}draft"), draft, &tenant)
                .map(|d| Ask::Draft(Box::new(d)))
        }
    };
    let to = r.words(format_args!("{at}kinds"), &w.kinds);
    let typed = w
        .conditions
        .map_or(Filter::All, |c| read_conditions(&mut r, at, c));
    let filter = match Filter::parse(&w.filter) {
        Ok(f) => typed.and(f),
        Err(e) => {
            r.note(filter_violation(&format!("{at}filter"), &e));
            typed
        }
    };
    let k = match usize::try_from(w.k) {
        // Explained, not ranked: no list is asked for.
        Ok(0) if !s.ranked => 0,
        Ok(k) if (1..=MAX_K).contains(&k) => k,
        _ => {
            r.fail(
                format_args!("{at}k"),
                (
                    format!("{} matches cannot be asked for", w.k),
                    format!("不能求 {} 个匹配", w.k),
                ),
                (
                    format!("expected 1 to {MAX_K}"),
                    format!("应为 1 至 {MAX_K}"),
                ),
            );
            1
        }
    };
    let mode = r.word(format_args!("{at}mode"), w.mode).unwrap_or_default();
    let today = r.optional_date(format_args!("{at}today"), &w.today);
    let weights = read_weights(&mut r, at, &w.weights);
    let per_organisation = match usize::try_from(w.per_organisation) {
        Ok(0) => None,
        Ok(n) => Some(n),
        Err(_) => {
            r.fail(
                format_args!("{at}per_organisation"),
                (
                    format!("{} matches are no number of matches", w.per_organisation),
                    format!("{} 不是有效的数目", w.per_organisation),
                ),
                (
                    "expected 1 or more, or 0 for any number",
                    "应为 1 及以上，或 0 表示不限",
                ),
            );
            None
        }
    };
    let diversity = w.diversity.and_then(|d| {
        let method = r.word(format_args!("{at}diversity.method"), d.method);
        if method.is_none() && d.method == 0 {
            let accepted = DiversityMethod::accepted();
            r.fail(
                format_args!("{at}diversity.method"),
                ("it is not given", "未填写"),
                (accepted.en, accepted.zh),
            );
        }
        let least = match d.least_relevance {
            0.0 => LEAST_RELEVANCE,
            x => x,
        };
        method.map(|method| Diversity { method, least })
    });
    let item = ask.map(|ask| BatchItem {
        tenant,
        asker,
        request: MatchRequest {
            ask,
            to,
            filter,
            k,
            mode,
            quotes: !w.omit_quotes,
            clauses: w.include_clauses,
            today: today.unwrap_or(s.today),
            own_organisation: w.include_own_organisation,
            weights,
            per_organisation,
            diversity,
            exploration: w.exploration,
            exploration_seed: w.exploration_seed,
            keep: w.keep,
            sees_sealed: false,
            deadline: s.deadline,
        },
    });
    r.finish(item)
}

/// The caller's weights, in the order of the features.
fn read_weights(r: &mut Reader, at: &str, given: &BTreeMap<String, f64>) -> Vec<(Feature, f64)> {
    let mut out = Vec::new();
    for (name, &value) in given {
        let Some(feature) = Feature::parse(name) else {
            let all: Vec<&str> = Feature::ALL.iter().map(|f| f.as_str()).collect();
            r.fail(
                format_args!("{at}weights"),
                (
                    format!("no feature is called `{name}`"),
                    format!("没有名为 `{name}` 的特征"),
                ),
                (
                    format!("expected one of {}", all.join(", ")),
                    format!("可用：{}", all.join("、")),
                ),
            );
            continue;
        };
        let most = feature.most();
        if !(0.0..=most).contains(&value) {
            r.fail(
                format_args!("{at}weights.{name}"),
                (
                    format!("{value} is no weight"),
                    format!("{value} 不是有效的权重"),
                ),
                (
                    format!("expected a number from 0 to {most}"),
                    format!("应为 0 至 {most} 的数"),
                ),
            );
            continue;
        }
        out.push((feature, value));
    }
    out.sort_by_key(|w| w.0);
    out
}

/// A filter that does not parse, as the field at fault.
pub(crate) fn filter_violation(field: &str, e: &queqiao_domain::FilterError) -> Violation {
    Violation::new(
        field,
        (
            format!("position {}: {}", e.at, e.problem),
            format!("第 {} 个字符：{}", e.at + 1, e.problem.zh),
        ),
        (
            "expected an AIP-160 condition such as region : 440000 AND industry : C39",
            "应为 AIP-160 条件，如 region : 440000 AND industry : C39",
        ),
    )
}

fn read_conditions(r: &mut Reader, at: &str, w: v1::MatchConditions) -> Filter {
    let lists = [
        ("regions", w.regions.len()),
        ("industries", w.industries.len()),
        ("disciplines", w.disciplines.len()),
        ("cooperation_modes", w.cooperation_modes.len()),
    ];
    for (name, n) in lists {
        if n > MAX_CONDITIONS {
            r.fail(
                format_args!("{at}conditions.{name}"),
                (format!("{n} entries are too many"), format!("{n} 项，过多")),
                (
                    format!("expected at most {MAX_CONDITIONS}"),
                    format!("至多 {MAX_CONDITIONS} 项"),
                ),
            );
            return Filter::All;
        }
    }
    let regions: Vec<RegionCode> = r.codes(format_args!("{at}conditions.regions"), &w.regions);
    let industries: Vec<IndustryCode> =
        r.codes(format_args!("{at}conditions.industries"), &w.industries);
    let disciplines: Vec<DisciplineCode> =
        r.codes(format_args!("{at}conditions.disciplines"), &w.disciplines);
    let modes: Vec<CooperationMode> = r.words(
        format_args!("{at}conditions.cooperation_modes"),
        &w.cooperation_modes,
    );
    let readiness = w
        .least_readiness
        .and_then(|x| read_readiness(r, &format!("{at}conditions.least_readiness"), x));
    let within = |field, values: Vec<Value>| match values.is_empty() {
        true => Filter::All,
        false => Filter::any_of(field, Op::Has, values),
    };
    within(
        Field::Region,
        regions.into_iter().map(Value::Region).collect(),
    )
    .and(within(
        Field::Industry,
        industries.into_iter().map(Value::Industry).collect(),
    ))
    .and(within(
        Field::Discipline,
        disciplines.into_iter().map(Value::Discipline).collect(),
    ))
    .and(within(
        Field::CooperationMode,
        modes.into_iter().map(Value::CooperationMode).collect(),
    ))
    .and(readiness.map_or(Filter::All, |x| {
        Filter::compare(Field::Readiness, Op::Ge, Value::Readiness(x))
    }))
}

/// The path of a field in a wire record of `kind`.
pub(super) fn field_path(kind: Kind, field: &str) -> String {
    let path = wire_path("", kind, field);
    path.strip_prefix('.').map(str::to_owned).unwrap_or(path)
}
