//! Days as forms and spreadsheets state them.

use super::{Refusal, fold, is_free};
use crate::cell::serial_date;
use queqiao_domain::{Availability, Date, parse_date};

/// What a cell for a day says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// A day.
    Day(Date),
    /// From a day to a day.
    Range(Date, Date),
    /// Words that name none on purpose (长期, 不限).
    Free,
}

fn refusal() -> Refusal {
    Refusal::new(
        ("this is not a day", "不是日期"),
        (
            "expected a day such as 2026-11-23, 2026/11/23, 2026年11月23日, or 长期",
            "应为日期，如 2026-11-23、2026/11/23、2026年11月23日，或“长期”",
        ),
    )
}

/// Reads a day. A month (`2026年11月`) is its last day when `last`, else its first; five digits
/// are a spreadsheet's serial number.
fn one_day(text: &str, last: bool) -> Option<Date> {
    let t = fold(text);
    let t = t.trim();
    // What follows a day may only be a time: a second day would be lost.
    let tail = t.split_once(['T', ' ']).map_or("", |(_, tail)| tail);
    if tail
        .chars()
        .any(|c| !(c.is_ascii_digit() || ":.Z+ ".contains(c)))
    {
        return None;
    }
    if let Some(d) = parse_date(t) {
        return Some(d);
    }
    if t.len() == 5
        && let Ok(serial) = t.parse::<u32>()
        && (20_000..80_000).contains(&serial)
    {
        return serial_date(f64::from(serial));
    }
    let month = t.trim_end_matches(['月', '底', '前', '末']);
    let (y, m) = month.split_once(['年', '-', '/', '.'])?;
    if y.len() != 4 || m.is_empty() || m.len() > 2 {
        return None;
    }
    let first = Date::new(y.parse().ok()?, m.parse().ok()?, 1).ok()?;
    Some(if last { first.last_of_month() } else { first })
}

/// Reads a day, a range of days, or words for none.
pub(crate) fn read_date(text: &str, last: bool) -> Result<When, Refusal> {
    if is_free(text) {
        return Ok(When::Free);
    }
    // 2026年11月23日前, 至2026-11-23
    let bare = text
        .trim()
        .trim_end_matches(['前', '止'])
        .trim_start_matches(['至', '到']);
    if let Some(d) = one_day(bare, last) {
        return Ok(When::Day(d));
    }
    match date_range(bare) {
        Some(a) => Ok(When::Range(a.from, a.until)),
        None => Err(refusal()),
    }
}

/// Reads `2026-01-01 至 2026-01-31`; also with `~`, `到`, `—`, `--`, or `-` between days written
/// with other signs.
fn date_range(text: &str) -> Option<Availability> {
    let t = fold(text);
    for sep in ["至", "到", "~", "—", "–", "--", " - ", "-"] {
        for (at, s) in t.match_indices(sep) {
            let (a, b) = (&t[..at], t[at + s.len()..].trim_start_matches(['—', '-']));
            if let (Some(from), Some(until)) = (one_day(a, false), one_day(b, true))
                && from <= until
            {
                return Some(Availability { from, until });
            }
        }
    }
    None
}

/// Reads days and ranges of days.
pub(crate) fn read_dates(entries: &[String]) -> Result<Vec<Availability>, Refusal> {
    entries
        .iter()
        .map(|e| match one_day(e, true) {
            Some(d) => Ok(Availability { from: one_day(e, false).unwrap_or(d), until: d }),
            None => date_range(e).ok_or_else(|| {
                Refusal::new(
                    ("this is not a day or a range of days", "不是日期或日期区间"),
                    (
                        "expected days such as 2026-11-23 or 2026-11-23~2026-11-30, separated by ；",
                        "应为日期或区间，如 2026-11-23 或 2026-11-23~2026-11-30，以；分隔",
                    ),
                )
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match read_date(text, true) {
            Ok(When::Day(d)) => d.to_string(),
            Ok(When::Range(a, b)) => format!("{a}..{b}"),
            Ok(When::Free) => "free".into(),
            Err(_) => "!".into(),
        }
    }

    #[test]
    fn days_as_people_write_them() {
        for (text, shown) in [
            ("2026-11-23", "2026-11-23"),
            ("2026年11月23日前", "2026-11-23"),
            ("46349", "2026-11-23"),
            ("２０２６-11-23", "2026-11-23"),
            ("2026年2月", "2026-02-28"),
            ("2026年12月底", "2026-12-31"),
            ("2026-02", "2026-02-28"),
            ("2026-01-01至2026-12-31", "2026-01-01..2026-12-31"),
            ("2026.1.1-2026.12.31", "2026-01-01..2026-12-31"),
            ("2026-01-01 ~ 2026-12-31", "2026-01-01..2026-12-31"),
            ("2026-01-01——2026-12-31", "2026-01-01..2026-12-31"),
            ("长期有效", "free"),
            ("明年", "!"),
            ("2026-13-01", "!"),
            ("12345678901234", "!"),
            ("", "!"),
        ] {
            assert_eq!(show(text), shown, "{text}");
        }
    }
}
