//! How an event is run: days, slots, tables, limits.

use super::reader::{DAY, Reader};
use crate::{
    names::Kind,
    rules::{Rules, both},
    sheet::{Row, Sheet, Sheets},
    values::{count, list, objective, objectives},
};
use queqiao_domain::{Bilingual, Date, parse_date};
use queqiao_events::{conflict::same_name_key, event::EventTable};
use queqiao_intake::Cell;

/// Rules that an event knows.
pub(super) const KNOWN: &[&str] = &[
    "name",
    "days",
    "start",
    "end",
    "slot",
    "gap",
    "breaks",
    "tables",
    "experts",
    "meetings",
    "least_meetings",
    "across",
    "least_score",
    "objective",
    "no_show",
    "seed",
    "reviewers",
    "least_load",
    "most_load",
    "per_district",
    "conflict_rules",
    "balance",
    "seats",
    "lists_each",
    "places",
];

/// Tables of an event at most.
const TABLES: u32 = 2_000;

impl Reader {
    pub(super) fn rules(&mut self, rules: &Rules<'_>, sheets: &Sheets) {
        self.event.name = rules.text("name").unwrap_or_default();
        self.days(rules);
        self.slots(rules);
        let plain = rules.whole_to("tables", (1, TABLES), &mut self.slips);
        self.tables(sheets.get(&Kind::Tables), plain.unwrap_or(10));
        let (slips, r) = (&mut self.slips, &mut self.event.rules);
        if let Some(k) = rules.whole("experts", 1, slips) {
            r.experts_per_need = k;
        }
        if let Some(k) = rules.whole("meetings", 1, slips) {
            r.meetings_per_expert = k;
        }
        if let Some(k) = rules.whole("least_meetings", 0, slips) {
            r.least_per_expert = k;
        }
        r.most_across = rules.whole("across", 1, slips);
        r.seed = rules.whole("seed", 0, slips).map_or(r.seed, u64::from);
        r.least_score = rules.share("least_score", slips).unwrap_or(r.least_score);
        r.no_show = rules.share("no_show", slips).unwrap_or(r.no_show);
        if let Some(row) = rules.row("objective") {
            match objective(&row.text("value")) {
                Some(o) => r.objective = o,
                None => slips.add(
                    row,
                    "value",
                    both("there is no such objective", "没有这个目标"),
                    objectives(),
                ),
            }
        }
    }

    fn days(&mut self, rules: &Rules<'_>) {
        if let Some(row) = rules.row("days") {
            match days(row.cell("value")) {
                Some(d) => self.event.days = d,
                None => self.slips.add(
                    row,
                    "value",
                    both("this is no day", "不是日期"),
                    both(
                        "expected such as 2026-11-26, or several by comma",
                        "应为 2026-11-26 之类，多日以逗号分隔",
                    ),
                ),
            }
        }
        if self.event.days.is_empty() {
            self.event.days = Date::new(2000, 1, 1).into_iter().collect();
        }
    }

    fn breaks(&mut self, rules: &Rules<'_>) -> Vec<(i64, i64)> {
        let Some(row) = rules.row("breaks") else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for part in list(&row.text("value")) {
            let minute = |t: &str| Cell::Text(t.into()).minute();
            let ends = part
                .split_once(['-', '~', '—', '–', '～', '至'])
                .and_then(|(a, b)| Some((minute(a)?, minute(b)?)));
            match ends.filter(|(a, b)| a < b) {
                Some(x) => out.push(x),
                None => self.slips.add(
                    row,
                    "value",
                    both(
                        format!("{part} is no break"),
                        format!("{part} 不是休息时段"),
                    ),
                    both("expected such as 12:00-13:30", "应为 12:00-13:30 之类"),
                ),
            }
        }
        out.sort_unstable();
        out
    }

    fn slots(&mut self, rules: &Rules<'_>) {
        let start = rules.minute("start", &mut self.slips).unwrap_or(9 * 60);
        let end = rules.minute("end", &mut self.slips).unwrap_or(17 * 60);
        let slot = rules.whole("slot", 1, &mut self.slips).unwrap_or(20);
        let gap = rules.whole("gap", 0, &mut self.slips).unwrap_or(0);
        let (slot, gap) = (i64::from(slot), i64::from(gap));
        let breaks = self.breaks(rules);
        if end <= start {
            if let Some(row) = rules.row("end").or(rules.row("start")) {
                self.slips.add(
                    row,
                    "value",
                    both("the day ends before it begins", "结束早于开始"),
                    both("expected an end after the start", "结束应晚于开始"),
                );
            }
            return;
        }
        let made = slots(start, end, slot, gap, &breaks);
        if let (Ok([]), Some(row)) = (made.as_deref(), rules.row("breaks")) {
            self.slips.add(
                row,
                "value",
                both("the breaks leave no slot", "休息之外没有可用时段"),
                both("expected time between them", "应留出会面时间"),
            );
        }
        if let (Err(fits), Some(row)) = (&made, rules.row("slot")) {
            self.slips.add(
                row,
                "value",
                both(
                    "this length does not divide the day",
                    "时段长度不能整分各段时间",
                ),
                both(
                    format!("expected one of {fits} (minutes)"),
                    format!("应为 {fits}（分钟）之一"),
                ),
            );
        }
        let made = made.unwrap_or_else(|_| slots_of(start, end, slot, gap, &breaks));
        for d in 0..self.event.days.len() as i64 {
            self.event
                .slots
                .extend(made.iter().map(|(a, b)| (d * DAY + a, d * DAY + b)));
        }
    }

    fn tables(&mut self, sheet: Option<&Sheet>, plain: u32) {
        match sheet {
            None => {
                self.event.tables = (1..=plain)
                    .map(|t| EventTable {
                        name: format!("{t}"),
                        site: 0,
                        lost_from: None,
                    })
                    .collect();
                self.event.sites = vec![String::new()];
            }
            Some(sheet) => {
                for row in sheet.rows() {
                    let name = row.text("name");
                    if name.is_empty() || self.event.tables.iter().any(|t| t.name == name) {
                        self.slips.add(
                            row,
                            "name",
                            both(
                                "the table has no name, or one that is taken",
                                "桌位缺少名称或名称重复",
                            ),
                            both("expected a name of its own", "应有各自的名称"),
                        );
                        continue;
                    }
                    let site = row.text("site");
                    let place = self
                        .event
                        .sites
                        .iter()
                        .position(|s| *s == site)
                        .unwrap_or_else(|| {
                            self.event.sites.push(site);
                            self.event.sites.len() - 1
                        });
                    let until = row.cell("until");
                    let lost_from = if until.is_blank() {
                        None
                    } else {
                        self.moment(row, None, "until")
                    };
                    self.event.tables.push(EventTable {
                        name,
                        site: place,
                        lost_from,
                    });
                }
            }
        }
        let n = self.event.sites.len().max(1);
        self.event.travel = vec![vec![0; n]; n];
    }

    pub(super) fn travel(&mut self, row: Row<'_>) {
        let site = |f: &str| {
            self.event
                .sites
                .iter()
                .position(|s| same_name_key(s) == same_name_key(&row.text(f)))
        };
        match (site("from"), site("to")) {
            (Some(a), Some(b)) => {
                if let Some(m) = count(row, "minutes", 0, &mut self.slips) {
                    self.event.travel[a][b] = i64::from(m);
                    if self.event.travel[b][a] == 0 {
                        self.event.travel[b][a] = i64::from(m);
                    }
                }
            }
            (a, _) => self.slips.add(
                row,
                if a.is_none() { "from" } else { "to" },
                both("there is no such site", "没有这个地点"),
                both("expected a site of the tables' sheet", "应为桌位表中的地点"),
            ),
        }
    }

    /// More needs than seats: told where the seats are set.
    pub(super) fn seats(&mut self, rules: &Rules<'_>) {
        let (slots, tables) = (self.event.slots.len(), self.event.tables.len());
        let seats = slots * tables;
        let comes = |a: usize| !self.event.attendees[a].cancelled;
        let needs = self
            .event
            .needs
            .iter()
            .filter(|n| comes(n.attendee))
            .count();
        if needs <= seats || slots == 0 {
            return;
        }
        let least = needs.div_ceil(slots);
        let problem = both(
            format!("{needs} needs and {seats} seats ({slots} slots × {tables} tables)"),
            format!("需求 {needs} 项，座位仅 {seats} 个（{slots} 个时段 × {tables} 桌）"),
        );
        let expected = both(
            format!("expected at least {least} tables, or more slots"),
            format!("至少需要 {least} 桌，或增加时段"),
        );
        match rules
            .row("tables")
            .or(rules.row("slot"))
            .or(rules.row("end"))
        {
            Some(row) => self.slips.add(row, "value", problem, expected),
            None => self.event.notes.push(Bilingual::new(
                format!("{}; {}", problem.0, expected.0),
                format!("{}；{}", problem.1, expected.1),
            )),
        }
    }
}

fn days(cell: &Cell) -> Option<Vec<Date>> {
    if let Some(d) = cell.day() {
        return Some(vec![d]);
    }
    let mut out: Vec<Date> = list(&cell.text())
        .iter()
        .map(|t| parse_date(t))
        .collect::<Option<_>>()?;
    out.sort_unstable();
    out.dedup();
    (!out.is_empty()).then_some(out)
}

/// Stretches between breaks.
fn stretches(start: i64, end: i64, breaks: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let (mut at, mut out) = (start, Vec::new());
    for (a, b) in breaks {
        if *a > at {
            out.push((at, (*a).min(end)));
        }
        at = at.max(*b);
    }
    if at < end {
        out.push((at, end));
    }
    out
}

fn slots_of(start: i64, end: i64, slot: i64, gap: i64, breaks: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut out = Vec::new();
    for (a, b) in stretches(start, end, breaks) {
        let mut at = a;
        while at + slot <= b {
            out.push((at, at + slot));
            at += slot + gap;
        }
    }
    out
}

/// Slots that fill every stretch to the minute; else the lengths that would.
fn slots(
    start: i64,
    end: i64,
    slot: i64,
    gap: i64,
    breaks: &[(i64, i64)],
) -> Result<Vec<(i64, i64)>, String> {
    let all = stretches(start, end, breaks);
    let fits = |length: i64| {
        all.iter()
            .all(|(a, b)| (b - a) % (length + gap) == 0 || (b - a + gap) % (length + gap) == 0)
    };
    if fits(slot) {
        return Ok(slots_of(start, end, slot, gap, breaks));
    }
    let would: Vec<String> = (5..=120)
        .filter(|l| fits(*l))
        .map(|l| l.to_string())
        .collect();
    Err(if would.is_empty() {
        "—".to_owned()
    } else {
        would.join(", ")
    })
}
