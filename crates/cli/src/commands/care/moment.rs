//! `queqiao restore --until`: the moment, read and told in China's time (UTC+8).

use crate::{failure::Failure, output::Console};
use jiff::{Timestamp, civil::DateTime, tz::Offset};
use queqiao_domain::Bilingual;
use queqiao_engine::store::Restored;
use std::path::Path;

const CHINA: Offset = Offset::constant(8);

/// A time with an offset, or one in China.
pub(super) fn parse(text: &str) -> Result<Timestamp, Failure> {
    let moment = text.parse::<Timestamp>().or_else(|_| {
        let local = text.parse::<DateTime>()?;
        CHINA.to_timestamp(local)
    });
    // A day alone would read as its first instant, which nobody means for sure.
    moment
        .ok()
        .filter(|_| text.contains(':'))
        .ok_or_else(|| {
            Failure::input(
                format!(
                    "--until is {text}: give a day and a time, 2026-11-26T14:02 (UTC+8), or with an offset, 2026-11-26T06:02:00Z"
                ),
                format!(
                    "--until 为 {text}：请给出日期与时间，如 2026-11-26T14:02（北京时间），或带时区，如 2026-11-26T06:02:00Z"
                ),
            )
        })
}

/// A moment for people.
fn shown(moment: Timestamp) -> String {
    moment.display_with_offset(CHINA).to_string()
}

/// The backup does not reach back to the moment.
pub(super) fn too_early(backup: &Path, moment: Timestamp, from: Option<Timestamp>) -> Failure {
    let (backup, moment) = (backup.display(), shown(moment));
    let Some(from) = from.map(shown) else {
        return Failure::input(
            format!(
                "{backup} cannot be restored to {moment}: it has no history (history_days was 0, or an older program wrote it); take the last backup made before that moment"
            ),
            format!(
                "{backup} 无法恢复到 {moment}：其中没有变更历史（history_days 为 0，或由旧版本写入）；请改用该时刻之前的最近一份备份"
            ),
        );
    };
    Failure::input(
        format!(
            "{backup} cannot be restored to {moment}: its history reaches back to {from}; give a moment since then, or take an older backup"
        ),
        format!(
            "{backup} 无法恢复到 {moment}：其变更历史始于 {from}；请给出此后的时刻，或改用更早的备份"
        ),
    )
}

/// Says what the moment changed.
pub(super) fn report(until: Timestamp, restored: &Restored, console: &Console) {
    let moment = shown(until);
    let told = match restored.undone {
        0 => Bilingual::new(
            format!("no record had to be changed back: none in the backup changed after {moment}"),
            format!("无需回退：备份中没有在 {moment} 之后变更过的记录"),
        ),
        n => Bilingual::new(
            format!("as of {moment}; records changed back: {n}"),
            format!("已恢复到 {moment}；回退的记录数：{n}"),
        ),
    };
    console.line(console.text(&told));
    if restored.reopened.is_empty() {
        return;
    }
    console.line(console.say(
        "withdrawn after that moment (matching, consent, contact or who may see it), and open again; withdraw them again before the folder is served:",
        "以下记录在该时刻之后曾收紧（退出匹配、撤回同意、删除联系方式或缩小可见范围），现已随回退恢复原状；启用前请重新收紧：",
    ));
    for (tenant, id) in &restored.reopened {
        console.line(format!("  {tenant} {id}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_with_and_without_an_offset() {
        for (text, expected) in [
            ("2026-11-26T14:02", "2026-11-26T06:02:00Z"),
            ("2026-11-26 14:02:05.5", "2026-11-26T06:02:05.5Z"),
            ("2026-11-26T14:02+08:00", "2026-11-26T06:02:00Z"),
            ("2026-11-26T06:02:00Z", "2026-11-26T06:02:00Z"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
        for wrong in ["", "yesterday", "2026-11-26", "14:02", "2026-13-01T00:00"] {
            let e = parse(wrong).unwrap_err();
            assert!(e.message().en.contains("2026-11-26T14:02"), "{e:?}");
        }
        let shown = shown("2026-11-26T06:02:00Z".parse().unwrap());
        assert_eq!(shown, "2026-11-26T14:02:00+08:00");
    }
}
