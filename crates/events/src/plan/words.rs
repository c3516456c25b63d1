//! Who was left out and why; why a pair meets or does not.

use super::{EventPlan, PlannedMeeting, problem::Drawn};
use crate::{event::Event, shortlist::Shortlists, timetable::ValidTimetable};
use queqiao_domain::Bilingual;
use queqiao_solve::Certificate;
use serde::Serialize;

/// A need or an expert without a meeting.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Missing {
    /// Id.
    pub id: String,
    /// Name or title.
    pub name: String,
    /// Why, and what would help.
    pub text: Bilingual,
}

pub(super) fn missing(
    event: &Event,
    drawn: &Drawn,
    meetings: &[PlannedMeeting],
    lists: &Shortlists,
    table: &ValidTimetable,
) -> Vec<Missing> {
    let mut out = Vec::new();
    let remedy = lists.certificate.as_ref().map(Certificate::describe);
    let candidates = |n: usize| drawn.problem.pairs.iter().filter(move |q| q.need == n);
    for (n, need) in event.needs.iter().enumerate() {
        let mine: Vec<&PlannedMeeting> = meetings.iter().filter(|m| m.need == n).collect();
        let text = if event.attendees[need.attendee].cancelled {
            Bilingual::new("who brings it does not come", "需求方已取消参会")
        } else if mine.iter().any(|m| m.place.is_some()) {
            continue;
        } else if !mine.is_empty() {
            no_time(event, table, &mine)
        } else if candidates(n).next().is_none() {
            Bilingual::new(
                "no expert who comes is a candidate for it; more words in the need, or experts of its field, would help",
                "到会专家中没有合适人选；补充需求描述或邀请该领域专家可解决",
            )
        } else {
            match &remedy {
                Some(r) if lists.short.iter().any(|s| s.id == need.id) => r.clone(),
                _ => Bilingual::new(
                    "its candidates are full or barred; more meetings per expert would help",
                    "候选专家场次已满或须回避；提高专家场次上限可解决",
                ),
            }
        };
        out.push(Missing {
            id: need.id.clone(),
            name: need.title.clone(),
            text,
        });
    }
    for (j, e) in drawn.experts.iter().enumerate() {
        let a = &event.attendees[*e];
        let mine: Vec<&PlannedMeeting> = meetings.iter().filter(|m| m.expert == *e).collect();
        if mine.iter().any(|m| m.place.is_some()) {
            continue;
        }
        let text = if !mine.is_empty() {
            no_time(event, table, &mine)
        } else if drawn.problem.experts[j].most == 0 {
            full(event, *e)
        } else {
            Bilingual::new(
                "no need has this expert among its best; a longer list per need would help",
                "没有需求将其列入首选；增加每需求专家数可解决",
            )
        };
        out.push(Missing {
            id: a.profile.id.clone(),
            name: a.profile.name.clone(),
            text,
        });
    }
    out
}

fn full(event: &Event, e: usize) -> Bilingual {
    let a = &event.attendees[e];
    match event.rules.most_across.filter(|m| a.elsewhere >= *m) {
        Some(m) => Bilingual::new(
            format!(
                "has {} meetings in events at the same time, and may have {m} over all",
                a.elsewhere
            ),
            format!("已在同期其他活动安排 {} 场，总上限为 {m} 场", a.elsewhere),
        ),
        None => Bilingual::new(
            "is there in no slot; a longer presence would help",
            "没有完整在场的时段；延长到场时间可解决",
        ),
    }
}

fn no_time(event: &Event, table: &ValidTimetable, mine: &[&PlannedMeeting]) -> Bilingual {
    let p = table.problem();
    let together = mine.iter().any(|m| {
        let (l, r) = (event.needs[m.need].attendee, m.expert);
        (0..p.slots.len()).any(|s| p.people[l].open[s] && p.people[r].open[s])
    });
    if together {
        Bilingual::new(
            "every slot in which both are there is taken by meetings of more worth; more tables or longer presence would help",
            "双方同时在场的时段均已安排更优会面；增加桌位或延长到场时间可解决",
        )
    } else {
        Bilingual::new(
            "the two sides are never there at the same time; a longer presence of either would help",
            "双方没有同时在场的时段；任一方延长到场时间可解决",
        )
    }
}

impl EventPlan {
    /// Why a need and an expert meet, or do not, and what would have to change.
    pub fn explain(&self, event: &Event, need: usize, expert: usize) -> Bilingual {
        let (n, e) = (&event.needs[need], &event.attendees[expert]);
        let gone = [n.attendee, expert]
            .into_iter()
            .find(|i| event.attendees[*i].cancelled);
        if let Some(who) = gone {
            let name = &event.attendees[who].profile.name;
            return Bilingual::new(format!("{name} does not come"), format!("{name} 取消参会"));
        }
        let (id, other) = (&n.id, &e.profile.id);
        if let Some(bar) = event.bar(need, expert) {
            return Bilingual::new(
                format!("{id} and {other} may not meet: {}", bar.en),
                format!("{id} 与 {other} 须回避：{}", bar.zh),
            );
        }
        let refused = self.drawn.wished.get(&(need, expert));
        if refused.is_some_and(|w| w.refused) {
            return Bilingual::new(
                format!("one of {id} and {other} does not want to meet the other"),
                format!("{id} 与 {other} 中有一方不愿会面"),
            );
        }
        let Some(j) = self.drawn.place.get(&expert) else {
            return Bilingual::new(
                format!("{other} is no expert of this event"),
                format!("{other} 不是本次活动的专家"),
            );
        };
        let Some(why) = self.pairs.why(&self.lists, need, *j) else {
            return self.pairs.why_not(&self.lists, need, *j).text;
        };
        let place = self
            .meetings
            .iter()
            .find(|m| (m.need, m.expert) == (need, expert))
            .and_then(|m| m.place);
        match place {
            Some(place) => {
                let when = event.clock(event.slots[place.slot].0);
                let table = &event.tables[place.table].name;
                Bilingual::new(
                    format!("{}; at {when}, table {table}", why.text.en),
                    format!("{}；{when}，桌位 {table}", why.text.zh),
                )
            }
            None => Bilingual::new(
                format!("{}; but no slot was left for it", why.text.en),
                format!("{}；但没有可用时段", why.text.zh),
            ),
        }
    }
}
