//! Outcomes from the wire, funnels to it.

use super::{
    Violations, Word,
    answer::write_part,
    count,
    names::{read_name, read_parent},
    reader::Reader,
    record_out::timestamp,
};
use queqiao_domain::{Kind, RecordId, ResourceName, TenantId};
use queqiao_engine::{
    Decline, Funnel, FunnelBy, FunnelRequest, OutcomeReport, PastAnswer, ReportSummary, Stage,
};
use queqiao_proto::v1;

/// Outcomes in one report; the engine checks it too, and before that nothing is built.
const MAX_OUTCOMES: usize = 1_000;

/// Reads a report.
pub(crate) fn read_outcomes(
    wire: v1::ReportOutcomesRequest,
) -> Result<(TenantId, Vec<OutcomeReport>), Violations> {
    let tenant = read_parent("parent", &wire.parent)?;
    let mut r = Reader::default();
    let n = wire.outcomes.len();
    if n == 0 || n > MAX_OUTCOMES {
        r.fail(
            "outcomes",
            (format!("{n} outcomes"), format!("{n} 条后续")),
            (
                format!("expected 1 to {MAX_OUTCOMES}"),
                format!("应为 1 至 {MAX_OUTCOMES} 条"),
            ),
        );
        return r.finish(None);
    }
    let outcomes: Vec<OutcomeReport> = wire
        .outcomes
        .into_iter()
        .enumerate()
        .filter_map(|(i, o)| read_outcome(&mut r, &format!("outcomes[{i}]"), o, &tenant))
        .collect();
    r.finish(Some((tenant, outcomes)))
}

fn read_outcome(
    r: &mut Reader,
    at: &str,
    o: v1::Outcome,
    tenant: &TenantId,
) -> Option<OutcomeReport> {
    let stage: Option<Stage> = r.word(format_args!("{at}.stage"), o.stage);
    if stage.is_none() && o.stage == 0 {
        r.fail(
            format_args!("{at}.stage"),
            ("it is not given", "未填写"),
            (Stage::accepted().en, Stage::accepted().zh),
        );
    }
    let reason: Option<Decline> = r.word(format_args!("{at}.reason"), o.reason);
    let time = read_time(r, &format!("{at}.time"), o.time);
    let candidate = match read_name(&format!("{at}.candidate"), &o.candidate, Some(tenant)) {
        Ok(name) => Some(name.id),
        Err(found) => {
            found.into_iter().for_each(|v| r.note(v));
            None
        }
    };
    Some(OutcomeReport {
        match_id: o.match_id,
        candidate: candidate?,
        stage: stage?,
        reason,
        time,
        event: Some(o.event).filter(|e| !e.is_empty()),
    })
}

fn read_time(r: &mut Reader, path: &str, time: Option<prost_types::Timestamp>) -> Option<i64> {
    let t = time?;
    let whole = u32::try_from(t.nanos).ok().filter(|n| *n < 1_000_000_000);
    let ms = whole.and_then(|n| {
        let ms = t
            .seconds
            .checked_mul(1_000)?
            .checked_add(i64::from(n / 1_000_000))?;
        jiff::Timestamp::from_millisecond(ms).ok().map(|_| ms)
    });
    if ms.is_none() {
        r.fail(
            path,
            ("it is no time", "不是有效的时间"),
            (
                "expected seconds since 1970 and 0 to 999,999,999 nanoseconds",
                "应为 1970 年以来的秒数及 0 至 999999999 纳秒",
            ),
        );
    }
    ms
}

/// Reads a question for a funnel.
pub(crate) fn read_funnel(
    wire: &v1::GetFunnelRequest,
) -> Result<(TenantId, FunnelRequest), Violations> {
    let tenant = read_parent("parent", &wire.parent)?;
    let mut r = Reader::default();
    let request = FunnelRequest {
        by: r.word("group_by", wire.group_by).unwrap_or_default(),
        from: read_time(&mut r, "from", wire.from),
        until: read_time(&mut r, "until", wire.until),
    };
    r.finish(Some((tenant, request)))
}

/// Reads which kept answer is asked for.
pub(crate) fn read_kept_answer(
    wire: v1::GetKeptAnswerRequest,
) -> Result<(TenantId, String), Violations> {
    Ok((read_parent("parent", &wire.parent)?, wire.match_id))
}

/// A kept answer to the wire.
pub(crate) fn write_kept_answer(tenant: &TenantId, a: PastAnswer) -> v1::KeptAnswer {
    let name = |id: RecordId, kind: Kind| {
        let name = ResourceName {
            tenant: tenant.clone(),
            kind,
            id,
        };
        name.to_string()
    };
    v1::KeptAnswer {
        match_id: a.match_id,
        time: Some(timestamp(a.time)),
        asker: a.asker.map(|(id, kind)| name(id, kind)).unwrap_or_default(),
        model: a.model,
        weights_version: a.weights,
        seq: a.seq,
        matches: a
            .matches
            .into_iter()
            .map(|m| v1::KeptMatch {
                name: name(m.id, m.kind),
                rank: count(m.rank),
                score: m.score,
                drawn: m.drawn,
                parts: m.parts.into_iter().map(write_part).collect(),
            })
            .collect(),
    }
}

/// What became of a report, to the wire.
pub(crate) fn write_report(s: ReportSummary) -> v1::ReportOutcomesResponse {
    v1::ReportOutcomesResponse {
        stored_count: count(s.stored),
        known_count: count(s.known),
    }
}

/// A funnel to the wire.
pub(crate) fn write_funnel(f: Funnel) -> v1::Funnel {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    v1::Funnel {
        answer_count: number(f.answers),
        groups: f
            .rows
            .into_iter()
            .map(|g| v1::FunnelGroup {
                group: g.group,
                steps: g
                    .steps
                    .into_iter()
                    .map(|s| v1::FunnelStep {
                        stage: s.stage.write(),
                        count: number(s.count),
                        rate: s.rate,
                        rate_low: s.interval.map(|i| i.0),
                        rate_high: s.interval.map(|i| i.1),
                    })
                    .collect(),
                declined_count: number(g.declined),
                reasons: g
                    .reasons
                    .into_iter()
                    .map(|(reason, n)| v1::DeclineCount {
                        reason: reason.write(),
                        count: number(n),
                    })
                    .collect(),
            })
            .collect(),
    }
}

impl Word for FunnelBy {
    fn read(number: i32) -> Result<Option<Self>, ()> {
        use v1::FunnelGrouping as W;
        Ok(match W::try_from(number).map_err(|_| ())? {
            W::Unspecified => None,
            W::Event => Some(Self::Event),
            W::Region => Some(Self::Region),
            W::Discipline => Some(Self::Discipline),
            W::Industry => Some(Self::Industry),
            W::Kind => Some(Self::Kind),
            W::Weights => Some(Self::Weights),
        })
    }

    fn write(self) -> i32 {
        use v1::FunnelGrouping as W;
        let word = match self {
            Self::Nothing => W::Unspecified,
            Self::Event => W::Event,
            Self::Region => W::Region,
            Self::Discipline => W::Discipline,
            Self::Industry => W::Industry,
            Self::Kind => W::Kind,
            Self::Weights => W::Weights,
        };
        word as i32
    }

    fn accepted() -> queqiao_domain::Bilingual {
        let all = [
            Self::Event,
            Self::Region,
            Self::Discipline,
            Self::Industry,
            Self::Kind,
            Self::Weights,
        ];
        let names: Vec<&str> = all
            .into_iter()
            .filter_map(|g| v1::FunnelGrouping::try_from(g.write()).ok())
            .map(|g| g.as_str_name())
            .collect();
        let names = names.join(", ");
        queqiao_domain::Bilingual::new(format!("expected one of {names}"), format!("应为：{names}"))
    }
}
