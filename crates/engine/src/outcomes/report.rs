//! Outcomes as they are reported.

use super::kept::{self, Head};
use crate::{Engine, Error};
use jiff::Timestamp;
use queqiao_domain::{RecordId, TenantId, Violation};
use queqiao_store::{Entered, OutcomeRow};
use serde::{Deserialize, Serialize};

/// Outcomes in one report, at most.
pub(crate) const MAX_OUTCOMES: usize = 1_000;
/// Characters of an event's id.
const MAX_EVENT: usize = 64;
/// Clocks may differ by so much, in milliseconds.
const CLOCKS: i64 = 5 * 60 * 1000;

/// What came of a match, in the order of the funnel; declined ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It stood before somebody's eyes.
    Shown,
    /// Somebody looked at it closely.
    Opened,
    /// One side wrote to the other.
    Contacted,
    /// They met.
    Met,
    /// They signed.
    Signed,
    /// One side declined, with a reason.
    Declined,
}

impl Stage {
    /// All, in order.
    pub const ALL: [Stage; 6] = [
        Stage::Shown,
        Stage::Opened,
        Stage::Contacted,
        Stage::Met,
        Stage::Signed,
        Stage::Declined,
    ];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Shown => "shown",
            Stage::Opened => "opened",
            Stage::Contacted => "contacted",
            Stage::Met => "met",
            Stage::Signed => "signed",
            Stage::Declined => "declined",
        }
    }

    /// The stage of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == name)
    }

    /// The name people read in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Stage::Shown => "展示",
            Stage::Opened => "查看",
            Stage::Contacted => "联系",
            Stage::Met => "洽谈",
            Stage::Signed => "签约",
            Stage::Declined => "谢绝",
        }
    }

    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    pub(crate) fn of(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Why somebody declined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decline {
    /// The need does not say enough.
    TooVague,
    /// It is not their field.
    OutOfField,
    /// The technology is not ready.
    NotReady,
    /// It cannot do what was asked: figures, scale.
    FallsShort,
    /// Money or rights.
    Terms,
    /// It cannot be done by then.
    Timing,
    /// Too far.
    Distance,
    /// No free capacity.
    NoCapacity,
    /// A conflict of interest.
    Conflict,
    /// It is solved already.
    AlreadySolved,
    /// Nobody answered.
    NoReply,
    /// Something else.
    Other,
}

impl Decline {
    /// All reasons.
    pub const ALL: [Decline; 12] = [
        Decline::TooVague,
        Decline::OutOfField,
        Decline::NotReady,
        Decline::FallsShort,
        Decline::Terms,
        Decline::Timing,
        Decline::Distance,
        Decline::NoCapacity,
        Decline::Conflict,
        Decline::AlreadySolved,
        Decline::NoReply,
        Decline::Other,
    ];

    /// The names people read: English, Chinese.
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Decline::TooVague => ("the need is too vague", "需求描述不清"),
            Decline::OutOfField => ("not their field", "领域不符"),
            Decline::NotReady => ("the technology is not ready", "技术不成熟"),
            Decline::FallsShort => ("it falls short of the figures", "达不到指标"),
            Decline::Terms => ("money or rights", "资金或知识产权条件"),
            Decline::Timing => ("not by then", "时间不合"),
            Decline::Distance => ("too far", "距离太远"),
            Decline::NoCapacity => ("no free capacity", "没有余力"),
            Decline::Conflict => ("a conflict of interest", "利益冲突"),
            Decline::AlreadySolved => ("solved already", "已经解决"),
            Decline::NoReply => ("no reply", "没有回复"),
            Decline::Other => ("another reason", "其他"),
        }
    }
}

/// One outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeReport {
    /// The answer: [`crate::MatchResponse::match_id`] of one that was kept.
    pub match_id: String,
    /// The record in it.
    pub candidate: RecordId,
    /// What came of it.
    pub stage: Stage,
    /// Why, for a decline.
    pub reason: Option<Decline>,
    /// When, milliseconds since 1970; none means now.
    pub time: Option<i64>,
    /// At which event, if at one.
    pub event: Option<String>,
}

/// What is stored of it. A restore to a moment reads `time`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<Decline>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<String>,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ReportSummary {
    /// Outcomes stored.
    pub stored: usize,
    /// Outcomes that were stored already.
    pub known: usize,
}

impl Engine {
    /// Stores outcomes, all or none; they are on disk when this returns. The same outcome twice is
    /// stored once, in whatever order outcomes come.
    ///
    /// # Errors
    /// [`Error::Argument`] names the outcome at fault: an answer that was not kept, a record that is
    /// not in it, a decline without a reason, a time before the answer or in the future, another
    /// outcome of the stage than the one stored.
    pub fn report_outcomes(
        &self,
        tenant: &TenantId,
        outcomes: &[OutcomeReport],
    ) -> Result<ReportSummary, Error> {
        let n = outcomes.len();
        if n == 0 || n > MAX_OUTCOMES {
            return Err(Error::argument(
                "outcomes",
                (format!("{n} outcomes"), format!("共 {n} 条后续")),
                (
                    format!("expected 1 to {MAX_OUTCOMES}"),
                    format!("应为 1 至 {MAX_OUTCOMES} 条"),
                ),
            ));
        }
        let now = Timestamp::now().as_millisecond();
        let snapshot = self.store.snapshot()?;
        let mut rows: Vec<OutcomeRow> = Vec::with_capacity(n);
        for (i, o) in outcomes.iter().enumerate() {
            let wrong = |mut v: Violation| {
                v.field = format!("outcomes[{i}].{}", v.field);
                Error::Argument(v)
            };
            let answer = snapshot.answer(tenant, &o.match_id)?;
            let Some(head) = answer.and_then(|a| kept::read::<Head>(&a.head)) else {
                return Err(wrong(Violation::new(
                    "match_id",
                    (
                        format!("no answer {} was kept", o.match_id),
                        format!("没有留存结果 {}", o.match_id),
                    ),
                    (
                        "the match_id of an answer asked for with keep",
                        "应为带 keep 请求的结果的 match_id",
                    ),
                )));
            };
            check(o, &head, now).map_err(wrong)?;
            let mut entry = Entry {
                time: o.time.unwrap_or(now),
                reason: o.reason,
                event: o.event.clone(),
            };
            if o.time.is_none() {
                // A report without a time that comes again is the same report.
                let stored = snapshot.outcomes(tenant, &o.match_id)?;
                let same = stored
                    .iter()
                    .find(|r| r.record == o.candidate && r.stage == o.stage.number());
                if let Some(before) = same.and_then(|r| kept::read::<Entry>(&r.row)) {
                    entry.time = before.time;
                }
            }
            let row = OutcomeRow {
                answer: o.match_id.clone(),
                record: o.candidate.clone(),
                stage: o.stage.number(),
                row: kept::write(&entry),
            };
            let of = |r: &OutcomeRow| {
                (
                    r.answer == row.answer,
                    r.record == row.record,
                    r.stage == row.stage,
                )
            };
            if let Some(first) = rows.iter().position(|r| of(r) == (true, true, true))
                && rows[first] != row
            {
                return Err(wrong(Violation::new(
                    "stage",
                    (
                        format!("outcomes[{first}] tells another outcome of this stage"),
                        format!("outcomes[{first}] 对该阶段给出了不同的后续"),
                    ),
                    ("one outcome a stage", "每个阶段只能有一条后续"),
                )));
            }
            rows.push(row);
        }
        let entered = self.store.enter_outcomes(tenant, &rows)?;
        let mut summary = ReportSummary::default();
        for (i, (e, o)) in entered.into_iter().zip(outcomes).enumerate() {
            match e {
                Entered::New => summary.stored += 1,
                Entered::Same => summary.known += 1,
                Entered::Other(before) => {
                    let before = kept::read::<Entry>(&before);
                    let at = before.and_then(|b| Timestamp::from_millisecond(b.time).ok());
                    let at = at.map_or(String::new(), |t| t.to_string());
                    let stage = o.stage.as_str();
                    return Err(Error::argument(
                        format!("outcomes[{i}].stage"),
                        (
                            format!("another outcome `{stage}` is stored, of {at}"),
                            format!("已存有 {at} 的另一条后续 `{stage}`"),
                        ),
                        (
                            "the same outcome again, or another stage",
                            "应为相同的后续，或另一阶段",
                        ),
                    ));
                }
                Entered::Unknown => {
                    return Err(Error::argument(
                        format!("outcomes[{i}].candidate"),
                        (
                            format!("record {} is not in answer {}", o.candidate, o.match_id),
                            format!("结果 {} 中没有记录 {}", o.match_id, o.candidate),
                        ),
                        ("a record of the answer", "应为该结果中的记录"),
                    ));
                }
            }
        }
        Ok(summary)
    }
}

fn check(o: &OutcomeReport, head: &Head, now: i64) -> Result<(), Violation> {
    match (o.stage, o.reason) {
        (Stage::Declined, None) => {
            return Err(Violation::new(
                "reason",
                ("a decline has none", "谢绝未给原因"),
                ("one of the reasons", "应为所列原因之一"),
            ));
        }
        (Stage::Declined, Some(_)) | (_, None) => {}
        (stage, Some(_)) => {
            let stage = stage.as_str();
            return Err(Violation::new(
                "reason",
                (format!("`{stage}` has one"), format!("`{stage}` 带有原因")),
                ("a reason for a decline only", "只有谢绝才给原因"),
            ));
        }
    }
    if let Some(event) = &o.event
        && (event.is_empty()
            || event.chars().count() > MAX_EVENT
            || event.chars().any(char::is_control))
    {
        return Err(Violation::new(
            "event",
            (
                "it is empty, too long or no plain text",
                "为空、过长或不是纯文本",
            ),
            ("1 to 64 characters", "应为 1 至 64 个字符"),
        ));
    }
    if let Some(time) = o.time {
        if time < head.time - CLOCKS {
            return Err(Violation::new(
                "time",
                ("it is before the answer was given", "早于结果给出的时刻"),
                ("a time since the answer", "应为结果给出之后的时刻"),
            ));
        }
        if time > now + CLOCKS {
            return Err(Violation::new(
                "time",
                ("it has not come yet", "该时刻尚未到来"),
                ("a time up to now", "应为此刻或更早"),
            ));
        }
    }
    Ok(())
}
