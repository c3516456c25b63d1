//! What the plans of events and teams share on the wire: ids, times, scores, proofs.

use super::{reader::Reader, shown};
use queqiao_domain::{Bilingual, Date, parse_date};
use queqiao_engine::{
    events::conflict::Profile,
    solve::{Certificate, Change},
};
use queqiao_proto::v1;
use std::collections::{HashMap, HashSet};

/// Scores of one request at most.
const SCORES: usize = 500_000;

/// Ids of one list of a request, and where each stands.
pub(super) struct Ids {
    what: (&'static str, &'static str),
    at: HashMap<String, usize>,
}

impl Ids {
    /// Reads the ids of `path`; each must be there, and once. `tail` is the path of the id in an
    /// entry (`.profile.id`).
    pub(super) fn read<'a>(
        r: &mut Reader,
        (path, tail): (&str, &str),
        what: (&'static str, &'static str),
        ids: impl Iterator<Item = &'a str>,
    ) -> Self {
        let mut at = HashMap::new();
        for (i, id) in ids.enumerate() {
            if id.trim().is_empty() {
                r.fail(
                    format_args!("{path}[{i}]{tail}"),
                    ("it is not given", "未填写"),
                    ("expected an id of its own", "应有各自的编号"),
                );
            } else if at.insert(id.to_owned(), i).is_some() {
                r.fail(
                    format_args!("{path}[{i}]{tail}"),
                    (
                        format!("`{}` stands twice", shown(id)),
                        format!("“{}”重复", shown(id)),
                    ),
                    ("expected each once", "每项只应出现一次"),
                );
            }
        }
        Self { what, at }
    }

    /// Where an id stands, if it does.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.at.get(id).copied()
    }

    /// Where an id stands; told when it does not.
    pub(super) fn get(
        &self,
        r: &mut Reader,
        path: impl std::fmt::Display,
        id: &str,
    ) -> Option<usize> {
        let found = self.find(id);
        if found.is_none() {
            let (en, zh) = self.what;
            r.fail(
                path,
                (
                    format!("there is no {en} `{}`", shown(id)),
                    format!("没有{zh}“{}”", shown(id)),
                ),
                (
                    format!("expected the id of a {en} of this request"),
                    format!("应为本请求中{zh}的编号"),
                ),
            );
        }
        found
    }
}

/// A list that is not longer than may be; what is longer is told and not read.
pub(super) fn at_most(r: &mut Reader, path: &str, n: usize, most: usize) -> bool {
    if n > most {
        r.fail(
            path,
            (format!("{n} are too many"), format!("{n} 项，过多")),
            (
                format!("expected at most {most}"),
                format!("至多 {most} 项"),
            ),
        );
    }
    n <= most
}

/// A list that has something in it.
pub(super) fn some(r: &mut Reader, path: &str, n: usize) -> bool {
    if n == 0 {
        r.fail(
            path,
            ("it is empty", "为空"),
            ("expected at least one", "至少一项"),
        );
    }
    n > 0
}

/// Days of an event and the minutes on them, counted from the first day's midnight.
pub(super) struct Clock {
    pub(super) days: Vec<Date>,
}

const DAY: i64 = 1_440;

fn parts(text: &str) -> Option<(Date, i64)> {
    let (day, clock) = text.trim().split_once(['T', ' '])?;
    let (h, m) = clock.split_once(':')?;
    let digits = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
    let two = |t: &str| digits(t).then(|| t.parse::<i64>().ok()).flatten();
    let (h, m) = (two(h)?, two(m.get(..2)?)?);
    // Seconds may follow, and count for nothing only when they are none.
    let rest = clock.get(5..)?;
    let fine = (0..24).contains(&h) && (0..60).contains(&m) || (h, m) == (24, 0);
    (fine && (rest.is_empty() || rest == ":00")).then_some((parse_date(day)?, h * 60 + m))
}

impl Clock {
    /// The clock of an event whose slots begin so.
    pub(super) fn of<'a>(begins: impl Iterator<Item = &'a str>) -> Self {
        let mut days: Vec<Date> = begins.filter_map(|t| Some(parts(t)?.0)).collect();
        days.sort_unstable();
        days.dedup();
        Self { days }
    }

    /// The minute of a time on one of the days.
    pub(super) fn minute(
        &self,
        r: &mut Reader,
        path: impl std::fmt::Display,
        text: &str,
    ) -> Option<i64> {
        let Some((day, minute)) = parts(text) else {
            r.fail(
                path,
                (
                    format!("`{}` is no time", shown(text)),
                    format!("“{}”不是时间", shown(text)),
                ),
                (
                    "expected day and time, such as 2026-12-03T09:00",
                    "应为日期与时间，如 2026-12-03T09:00",
                ),
            );
            return None;
        };
        let found = self.days.iter().position(|d| *d == day);
        if found.is_none() {
            r.fail(
                path,
                (
                    format!("the event is not on {day}"),
                    format!("{day} 不在活动日期内"),
                ),
                ("expected a day on which a slot begins", "应为有时段的日期"),
            );
        }
        found.map(|d| d as i64 * DAY + minute)
    }

    /// The minute of a time of a plan before: on a day that is no more, one that no slot has.
    pub(super) fn earlier(&self, text: &str) -> Option<i64> {
        let (day, minute) = parts(text)?;
        let place = self.days.iter().position(|d| *d == day);
        Some(place.map_or(-1, |d| d as i64) * DAY + minute)
    }

    /// A span that ends after it begins.
    pub(super) fn span(&self, r: &mut Reader, path: &str, s: &v1::TimeSpan) -> Option<(i64, i64)> {
        let begin = self.minute(r, format_args!("{path}.begin"), &s.begin);
        let end = self.minute(r, format_args!("{path}.end"), &s.end);
        let (begin, end) = (begin?, end?);
        if end <= begin {
            r.fail(
                format_args!("{path}.end"),
                ("it ends before it begins", "结束早于开始"),
                ("expected an end after the begin", "结束应晚于开始"),
            );
            return None;
        }
        Some((begin, end))
    }

    /// A minute to the wire.
    pub(super) fn write(&self, minute: i64) -> String {
        self.written(minute.div_euclid(DAY), minute.rem_euclid(DAY))
    }

    /// The end of a span to the wire, where midnight is 24:00 of the day that ends.
    pub(super) fn write_end(&self, minute: i64) -> String {
        match minute.rem_euclid(DAY) {
            0 => self.written(minute.div_euclid(DAY) - 1, DAY),
            m => self.written(minute.div_euclid(DAY), m),
        }
    }

    fn written(&self, day: i64, m: i64) -> String {
        let day = usize::try_from(day).ok().and_then(|d| self.days.get(d));
        match day {
            Some(d) => format!("{d}T{:02}:{:02}", m / 60, m % 60),
            None => String::new(),
        }
    }
}

/// Scores of pairs, each once, from 0 to 1.
pub(super) fn read_scores(
    r: &mut Reader,
    path: &str,
    scores: &[v1::PairScore],
    askers: &Ids,
    answerers: &Ids,
) -> Vec<(usize, usize, f64)> {
    if !at_most(r, path, scores.len(), SCORES) {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut out = Vec::with_capacity(scores.len());
    for (i, s) in scores.iter().enumerate() {
        let asker = askers.get(r, format_args!("{path}[{i}].asker"), &s.asker);
        let answerer = answerers.get(r, format_args!("{path}[{i}].answerer"), &s.answerer);
        let score = r.share(format_args!("{path}[{i}].score"), s.score);
        let (Some(a), Some(b), Some(score)) = (asker, answerer, score) else {
            continue;
        };
        if seen.insert((a, b)) {
            out.push((a, b, score));
        } else {
            r.fail(
                format_args!("{path}[{i}]"),
                ("the pair stands twice", "该组合重复"),
                ("expected each pair once", "每个组合只应出现一次"),
            );
        }
    }
    out
}

/// What somebody has to do with others.
pub(super) fn read_profile(w: v1::Profile) -> Profile {
    Profile {
        name: if w.name.trim().is_empty() {
            w.id.clone()
        } else {
            w.name
        },
        id: w.id,
        organisation: w.organisation,
        family: w.family,
        posts: w.society_posts,
        worked_with: w.worked_with,
        declared: w.declared_conflicts,
    }
}

/// The id of a profile, if there is one.
pub(super) fn profile_id(p: Option<&v1::Profile>) -> &str {
    p.map_or("", |p| p.id.as_str())
}

pub(super) fn write_text(b: Bilingual) -> Option<v1::BilingualText> {
    Some(v1::BilingualText { en: b.en, zh: b.zh })
}

pub(super) fn write_left_out(id: &str, name: &str, why: Bilingual) -> v1::LeftOut {
    v1::LeftOut {
        id: id.to_owned(),
        name: name.to_owned(),
        why: write_text(why),
    }
}

/// A proof to the wire.
pub(super) fn write_certificate(c: Certificate) -> v1::Certificate {
    let change = |c: Change| v1::Relaxation {
        constraint: c.constraint,
        about: c.about,
        by: c.by,
        text: write_text(c.text),
    };
    v1::Certificate {
        collision: c
            .collision
            .into_iter()
            .map(|x| v1::Clash {
                constraint: x.constraint,
                about: x.about,
                text: write_text(x.text),
            })
            .collect(),
        minimal: c.minimal,
        ways_out: c
            .relaxations
            .into_iter()
            .map(|w| v1::WayOut {
                cost: w.cost,
                changes: w.changes.into_iter().map(change).collect(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_on_the_days_of_an_event() {
        let clock = Clock::of(["2026-12-03T09:00", "2026-12-05T09:00"].into_iter());
        let read = |text: &str| {
            let mut r = Reader::default();
            let m = clock.minute(&mut r, "at", text);
            (
                m,
                r.finish(Some(()))
                    .map_err(|v| v[0].problem.en.clone())
                    .err(),
            )
        };
        assert_eq!(read("2026-12-03T09:30"), (Some(570), None));
        // The second day follows the first, whatever lies between.
        assert_eq!(read("2026-12-05T24:00:00"), (Some(2_880), None));
        assert_eq!(
            read("2026-12-04T09:00").1.as_deref(),
            Some("the event is not on 2026-12-04")
        );
        for bad in [
            "",
            "09:00",
            "2026-12-03",
            "2026-12-03T9:00",
            "2026-12-03T09:61",
            "2026-12-03T25:00",
            "2026-12-03T+9:00",
            "2026-12-03T09:00:30",
            "2026-12-03T０９:００",
        ] {
            assert!(
                read(bad).1.is_some_and(|e| e.contains("is no time")),
                "{bad}"
            );
        }
        assert_eq!(clock.write(570), "2026-12-03T09:30");
        assert_eq!(clock.write_end(1_440), "2026-12-03T24:00");
        assert_eq!(clock.write_end(2_030), "2026-12-05T09:50");
        assert_eq!(clock.earlier("2026-12-04T09:00"), Some(-900));
    }
}
