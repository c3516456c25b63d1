//! What is told about the day: who is there when, who wishes whom, who may not meet, what is fixed.

use super::reader::Reader;
use crate::{
    rules::both,
    sheet::{Row, Sheet},
};
use queqiao_domain::Bilingual;
use queqiao_events::event::{Bar, Fixed, Wish, WishKind};

impl Reader {
    pub(super) fn availability(&mut self, row: Row<'_>) {
        let Some(i) = self.who(row, "who") else {
            return;
        };
        let (Some(from), Some(until)) = (
            self.moment(row, Some("day"), "from"),
            self.moment(row, Some("day"), "until"),
        ) else {
            return;
        };
        if until <= from {
            self.slips.add(
                row,
                "until",
                both("it ends before it begins", "结束早于开始"),
                both("expected an end after the begin", "结束应晚于开始"),
            );
            return;
        }
        let status = row.text("status").to_lowercase();
        let away = match status.as_str() {
            "不在" | "缺席" | "否" | "不可" | "absent" | "away" | "no" | "unavailable" | "busy" => {
                true
            }
            "" | "在" | "在场" | "是" | "可" | "present" | "there" | "yes" | "available" => {
                false
            }
            _ => {
                self.slips.add(
                    row,
                    "status",
                    both("the state is not known", "状态无法识别"),
                    both("expected present or absent", "应为“在场”或“不在”"),
                );
                return;
            }
        };
        let a = &mut self.event.attendees[i];
        if away { &mut a.absent } else { &mut a.present }.push((from, until));
    }

    pub(super) fn requests(&mut self, sheet: &Sheet) {
        // Numbers are of 0 to 1 where none is greater, else of 1 to 5.
        let figures = || {
            sheet
                .rows()
                .filter_map(|r| r.text("strength").parse::<f64>().ok())
        };
        let five = figures().any(|n| n > 1.0);
        for row in sheet.rows() {
            self.request(row, if five { 5.0 } else { 1.0 });
        }
    }

    fn request(&mut self, row: Row<'_>, full: f64) {
        let needs = ["from", "to"].map(|f| self.find_need(&row.text(f)));
        let mut party = |need: Option<usize>, field: &str| match need {
            Some(n) => Some(self.event.needs[n].attendee),
            None => self.who(row, field),
        };
        let (Some(from), Some(to)) = (party(needs[0], "from"), party(needs[1], "to")) else {
            return;
        };
        if self.event.attendees[from].side == self.event.attendees[to].side {
            self.slips.add(
                row,
                "to",
                both("both are of the same side", "双方属于同一方"),
                both(
                    "expected an enterprise and an expert",
                    "应为一家企业与一位专家",
                ),
            );
            return;
        }
        let text = row.text("strength").to_lowercase();
        let kind = match text.as_str() {
            "必须" | "必见" | "must" | "required" => WishKind::Must,
            "不见" | "不想见" | "拒绝" | "回避" | "no" | "refuse" | "refused" => {
                WishKind::Refuses
            }
            "" | "想见" | "yes" | "want" | "requested" => WishKind::Wants(0.8),
            "可以" | "maybe" => WishKind::Wants(0.4),
            other => match other.parse::<f64>() {
                Ok(n) if (0.0..=full).contains(&n) => WishKind::Wants(n / full),
                _ => {
                    self.slips.add(
                        row,
                        "strength",
                        both("the wish is not known", "意向无法识别"),
                        both(
                            "expected must, want, maybe, refuse, or 1 to 5",
                            "应为 必须、想见、可以、不见，或 1 至 5",
                        ),
                    );
                    return;
                }
            },
        };
        self.event.wishes.push(Wish {
            from,
            to,
            need: needs[0].or(needs[1]),
            kind,
        });
    }

    pub(super) fn conflict(&mut self, row: Row<'_>) {
        let (Some(a), Some(b)) = (self.who(row, "a"), self.who(row, "b")) else {
            return;
        };
        if a == b {
            self.slips.add(
                row,
                "b",
                both("a conflict with oneself", "与自己回避"),
                both(
                    "expected two different participants",
                    "应为两位不同的参会者",
                ),
            );
            return;
        }
        let reason = row.text("reason");
        self.event.bars.push(Bar {
            a,
            b,
            reason: if reason.is_empty() {
                "—".to_owned()
            } else {
                reason
            },
        });
    }

    /// Meetings fixed by hand; read last, so that what cannot be held is told with its row.
    pub(super) fn fixed(&mut self, row: Row<'_>) {
        let (need, expert) = (self.need(row, "need"), self.expert(row, "expert"));
        let begin = self.moment(row, Some("day"), "begin");
        let name = row.text("table");
        let table = self.event.tables.iter().position(|t| t.name == name);
        if !name.is_empty() && table.is_none() {
            self.slips.add(
                row,
                "table",
                both("there is no such table", "没有这张桌"),
                both("expected a table's name", "应为桌位名称"),
            );
            return;
        }
        let (Some(need), Some(expert), Some(begin)) = (need, expert, begin) else {
            return;
        };
        let Some(slot) = self.event.slots.iter().position(|s| s.0 == begin) else {
            let shown: Vec<String> = self
                .event
                .slots
                .iter()
                .take(6)
                .map(|s| self.event.clock(s.0))
                .collect();
            let shown = shown.join(", ");
            self.slips.add(
                row,
                "begin",
                both("no slot begins then", "没有时段在此时开始"),
                both(
                    format!("expected such as {shown}"),
                    format!("应为 {shown} 等"),
                ),
            );
            return;
        };
        let asker = self.event.needs[need].attendee;
        if [asker, expert]
            .iter()
            .any(|i| self.event.attendees[*i].cancelled)
        {
            return;
        }
        if let Some((field, why)) = self.clash(need, expert, slot, table) {
            self.slips.add(
                row,
                field,
                (why.en, why.zh),
                both(
                    "expected another time, another pair, or no such row",
                    "应更换时间或组合，或删去此行",
                ),
            );
            return;
        }
        self.event.fixed.push(Fixed {
            need,
            expert,
            begin,
            table,
        });
    }

    /// Why a meeting cannot be fixed so, and the column that is at fault.
    fn clash(
        &self,
        need: usize,
        expert: usize,
        slot: usize,
        table: Option<usize>,
    ) -> Option<(&'static str, Bilingual)> {
        let e = &self.event;
        let asker = e.needs[need].attendee;
        let name = |i: usize| &e.attendees[i].profile.name;
        if let Some(bar) = e.bar(need, expert) {
            let told = Bilingual::new(
                format!("they may not meet: {}", bar.en),
                format!("双方须回避：{}", bar.zh),
            );
            return Some(("expert", told));
        }
        for i in [asker, expert] {
            if !e.free(i)[slot] {
                let told = Bilingual::new(
                    format!("{} is not there then", name(i)),
                    format!("{} 届时不在场", name(i)),
                );
                return Some(("begin", told));
            }
        }
        let then = |f: &&Fixed| f.begin == e.slots[slot].0;
        for f in e.fixed.iter().filter(then) {
            let other = [e.needs[f.need].attendee, f.expert];
            if let Some(i) = [asker, expert].iter().find(|i| other.contains(i)) {
                let told = Bilingual::new(
                    format!("{} has another fixed meeting then", name(*i)),
                    format!("{} 届时已有锁定的会面", name(*i)),
                );
                return Some(("begin", told));
            }
            if table.is_some() && f.table == table {
                let told = Bilingual::new(
                    "another fixed meeting is at that table then",
                    "该桌届时已有锁定的会面",
                );
                return Some(("table", told));
            }
        }
        None
    }
}
