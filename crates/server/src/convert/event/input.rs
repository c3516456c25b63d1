//! An event from the wire.

use super::super::{
    Violations,
    names::read_parent,
    plan::{Clock, Ids, at_most, profile_id, read_profile, read_scores, some},
    reader::Reader,
};
use queqiao_engine::events::{
    event::{Attendee, Bar, Event, EventNeed, EventRules, EventTable, Fixed, Side, Wish, WishKind},
    plan::{Earlier, Spot},
    shortlist::Objective,
};
use queqiao_proto::v1;

/// Participants and needs of one event.
const PEOPLE: usize = 20_000;
/// Slots, and tables.
const SLOTS: usize = 2_000;
/// Wishes, bars, fixed meetings, spans of one participant.
const ENTRIES: usize = 200_000;
/// Price of a further appearance, as the spreadsheets have it.
const EXPOSURE: f64 = 0.05;

/// An event with its ids and its clock.
pub(crate) struct ReadEvent {
    pub(crate) event: Event,
    pub(super) clock: Clock,
}

struct Known<'a> {
    people: &'a Ids,
    needs: &'a Ids,
    clock: &'a Clock,
}

/// Reads an event and what `more` reads with its clock and ids.
fn read<T>(
    parent: &str,
    event: Option<v1::Event>,
    more: impl FnOnce(&mut Reader, &Event, &Known<'_>) -> Option<T>,
) -> Result<(ReadEvent, T), Violations> {
    read_parent("parent", parent)?;
    let mut r = Reader::default();
    let Some(w) = event else {
        r.fail(
            "event",
            ("it is not given", "未填写"),
            ("expected an event", "应填写活动"),
        );
        return r.finish(None);
    };
    let sizes = [
        (
            "event.participants",
            w.participants.len() + w.needs.len(),
            PEOPLE,
        ),
        ("event.slots", w.slots.len(), SLOTS),
        ("event.tables", w.tables.len(), SLOTS),
        ("event.wishes", w.wishes.len(), ENTRIES),
        ("event.bars", w.bars.len(), ENTRIES),
        ("event.fixed_meetings", w.fixed_meetings.len(), ENTRIES),
        ("event.travel", w.travel.len(), ENTRIES),
    ];
    for (path, n, most) in sizes {
        at_most(&mut r, path, n, most);
    }
    for (path, n) in [
        ("event.slots", w.slots.len()),
        ("event.tables", w.tables.len()),
        ("event.participants", w.participants.len()),
        ("event.needs", w.needs.len()),
    ] {
        some(&mut r, path, n);
    }
    r.check()?;
    let people = Ids::read(
        &mut r,
        ("event.participants", ".profile.id"),
        ("participant", "参会者"),
        w.participants
            .iter()
            .map(|p| profile_id(p.profile.as_ref())),
    );
    let needs = Ids::read(
        &mut r,
        ("event.needs", ".id"),
        ("need", "需求"),
        w.needs.iter().map(|n| n.id.as_str()),
    );
    let clock = Clock::of(w.slots.iter().map(|s| s.begin.as_str()));
    let known = Known {
        people: &people,
        needs: &needs,
        clock: &clock,
    };
    let mut event = Event {
        name: w.name,
        days: clock.days.clone(),
        slots: slots(&mut r, &clock, &w.slots),
        ..Event::default()
    };
    tables(&mut r, &clock, &mut event, w.tables, &w.travel);
    for (i, p) in w.participants.into_iter().enumerate() {
        if let Some(a) = attendee(&mut r, &format!("event.participants[{i}]"), &clock, p) {
            event.attendees.push(a);
        }
    }
    // Places below are those of complete lists.
    r.check()?;
    for (i, n) in w.needs.into_iter().enumerate() {
        if let Some(n) = need(&mut r, i, &people, &event, n) {
            event.needs.push(n);
        }
    }
    r.check()?;
    for (i, x) in w.wishes.iter().enumerate() {
        event.wishes.extend(wish(&mut r, i, &known, &event, x));
    }
    for (i, x) in w.bars.into_iter().enumerate() {
        let bar = read_bar(&mut r, &format!("event.bars[{i}]"), &people, x);
        event
            .bars
            .extend(bar.map(|(a, b, reason)| Bar { a, b, reason }));
    }
    event.scores = read_scores(&mut r, "event.scores", &w.scores, &needs, &people);
    for (i, (_, e, _)) in event.scores.iter().enumerate() {
        answers(
            &mut r,
            &event,
            *e,
            format_args!("event.scores[{i}].answerer"),
        );
    }
    for (i, x) in w.fixed_meetings.iter().enumerate() {
        event.fixed.extend(fixed(&mut r, i, &known, &event, x));
    }
    event.rules = rules(&mut r, w.rules.unwrap_or_default());
    let found = more(&mut r, &event, &known);
    r.finish(found.map(|t| {
        let read = ReadEvent { event, clock };
        (read, t)
    }))
}

/// Reads what is to be planned.
pub(crate) fn read_plan_event(w: v1::PlanEventRequest) -> Result<ReadEvent, Violations> {
    Ok(read(&w.parent, w.event, |_, _, _| Some(()))?.0)
}

/// Reads what is to be planned again, and the plan that was handed out.
pub(crate) fn read_replan_event(
    w: v1::ReplanEventRequest,
) -> Result<(ReadEvent, Vec<Earlier>), Violations> {
    let before = w.before;
    read(&w.parent, w.event, |r, _, known| {
        if !at_most(r, "before", before.len(), ENTRIES) {
            return None;
        }
        let mut out = Vec::new();
        for (i, m) in before.into_iter().enumerate() {
            let Some(time) = m.time else { continue };
            let Some(begin) = known.clock.earlier(&time.begin) else {
                known
                    .clock
                    .minute(r, format_args!("before[{i}].time.begin"), &time.begin);
                continue;
            };
            out.push(Earlier {
                need: m.need,
                expert: m.expert,
                spot: Spot {
                    begin,
                    table: m.table,
                },
            });
        }
        Some(out)
    })
}

/// Reads an event and the pair that is asked about: need, expert.
pub(crate) fn read_explain_meeting(
    w: v1::ExplainMeetingRequest,
) -> Result<(ReadEvent, (usize, usize)), Violations> {
    let (need, expert) = (w.need, w.expert);
    read(&w.parent, w.event, |r, event, known| {
        let need = known.needs.get(r, "need", &need);
        let expert = known.people.get(r, "expert", &expert);
        let expert = expert.filter(|e| answers(r, event, *e, format_args!("expert")));
        need.zip(expert)
    })
}

fn slots(r: &mut Reader, clock: &Clock, list: &[v1::TimeSpan]) -> Vec<(i64, i64)> {
    let mut out: Vec<(i64, i64)> = Vec::new();
    for (i, s) in list.iter().enumerate() {
        let path = format!("event.slots[{i}]");
        let Some((begin, end)) = clock.span(r, &path, s) else {
            continue;
        };
        if out.last().is_some_and(|last| begin < last.1) {
            r.fail(
                format_args!("{path}.begin"),
                (
                    "it begins before the slot before it ends",
                    "早于前一时段的结束",
                ),
                (
                    "expected slots in order, none overlapping another",
                    "时段应按时间先后排列，互不重叠",
                ),
            );
            continue;
        }
        out.push((begin, end));
    }
    out
}

fn tables(
    r: &mut Reader,
    clock: &Clock,
    event: &mut Event,
    list: Vec<v1::EventTable>,
    travel: &[v1::SiteTravel],
) {
    Ids::read(
        r,
        ("event.tables", ".name"),
        ("table", "桌位"),
        list.iter().map(|t| t.name.as_str()),
    );
    for (i, t) in list.into_iter().enumerate() {
        let site = match event.sites.iter().position(|s| *s == t.site) {
            Some(s) => s,
            None => {
                event.sites.push(t.site);
                event.sites.len() - 1
            }
        };
        let path = format!("event.tables[{i}].lost_from");
        let lost_from = match t.lost_from.is_empty() {
            true => None,
            false => clock.minute(r, path, &t.lost_from),
        };
        event.tables.push(EventTable {
            name: t.name,
            site,
            lost_from,
        });
    }
    let n = event.sites.len();
    event.travel = vec![vec![0; n]; n];
    for (i, t) in travel.iter().enumerate() {
        let site = |r: &mut Reader, field: &str, name: &str| {
            let found = event.sites.iter().position(|s| s == name);
            if found.is_none() {
                r.fail(
                    format_args!("event.travel[{i}].{field}"),
                    ("there is no such site", "没有这个地点"),
                    ("expected a site of a table", "应为桌位所在的地点"),
                );
            }
            found
        };
        let (a, b) = (site(r, "from", &t.from), site(r, "to", &t.to));
        if !(0..=1_440).contains(&t.minutes) {
            r.fail(
                format_args!("event.travel[{i}].minutes"),
                (
                    format!("{} is out of range", t.minutes),
                    format!("{} 超出范围", t.minutes),
                ),
                ("expected 0 to 1440", "应为 0 至 1440"),
            );
        }
        if let (Some(a), Some(b)) = (a, b) {
            event.travel[a][b] = i64::from(t.minutes);
            event.travel[b][a] = i64::from(t.minutes);
        }
    }
}

fn attendee(r: &mut Reader, path: &str, clock: &Clock, w: v1::Participant) -> Option<Attendee> {
    let side: Option<Side> = r.required_word(format_args!("{path}.side"), w.side);
    let mut spans = |field: &str, list: &[v1::TimeSpan]| -> Vec<(i64, i64)> {
        if !at_most(r, &format!("{path}.{field}"), list.len(), SLOTS) {
            return Vec::new();
        }
        list.iter()
            .enumerate()
            .filter_map(|(k, s)| clock.span(r, &format!("{path}.{field}[{k}]"), s))
            .collect()
    };
    let (present, absent) = (spans("present", &w.present), spans("absent", &w.absent));
    let most = r.one_based(format_args!("{path}.max_meetings"), w.max_meetings);
    let elsewhere = r.natural(
        format_args!("{path}.meetings_elsewhere"),
        Some(w.meetings_elsewhere),
    );
    Some(Attendee {
        text: w.text,
        most,
        present,
        absent,
        elsewhere: elsewhere.unwrap_or(0),
        cancelled: w.cancelled,
        ..Attendee::new(read_profile(w.profile.unwrap_or_default()), side?)
    })
}

fn need(
    r: &mut Reader,
    i: usize,
    people: &Ids,
    event: &Event,
    w: v1::EventNeed,
) -> Option<EventNeed> {
    let path = format!("event.needs[{i}]");
    let attendee = people.get(r, format_args!("{path}.participant"), &w.participant)?;
    if event.attendees[attendee].side != Side::Asks {
        r.fail(
            format_args!("{path}.participant"),
            ("who brings a need is no enterprise", "提出需求的不是企业"),
            (
                "expected a participant of side EVENT_SIDE_ASKS",
                "应为 EVENT_SIDE_ASKS 一方的参会者",
            ),
        );
        return None;
    }
    let priority = match w.priority {
        Some(p) => r.amount(format_args!("{path}.priority"), p, true)?,
        None => 1.0,
    };
    Some(EventNeed {
        title: if w.title.trim().is_empty() {
            w.id.clone()
        } else {
            w.title
        },
        id: w.id,
        text: w.text,
        attendee,
        experts: r.one_based(format_args!("{path}.experts"), w.experts),
        priority,
    })
}

fn wish(r: &mut Reader, i: usize, known: &Known<'_>, event: &Event, w: &v1::Wish) -> Option<Wish> {
    let path = format!("event.wishes[{i}]");
    let needs = [known.needs.find(&w.from), known.needs.find(&w.to)];
    let mut party = |need: Option<usize>, field: &str, id: &str| match need {
        Some(n) => Some(event.needs[n].attendee),
        None => known.people.get(r, format_args!("{path}.{field}"), id),
    };
    let (from, to) = (
        party(needs[0], "from", &w.from),
        party(needs[1], "to", &w.to),
    );
    let (from, to) = (from?, to?);
    if event.attendees[from].side == event.attendees[to].side {
        r.fail(
            format_args!("{path}.to"),
            ("both are of the same side", "双方属于同一方"),
            (
                "expected an enterprise and an expert",
                "应为一家企业与一位专家",
            ),
        );
        return None;
    }
    let kind = match v1::WishKind::try_from(w.kind) {
        Ok(v1::WishKind::Must) => WishKind::Must,
        Ok(v1::WishKind::Refuses) => WishKind::Refuses,
        Ok(v1::WishKind::Wants) => {
            WishKind::Wants(r.share(format_args!("{path}.strength"), w.strength.unwrap_or(0.8))?)
        }
        Ok(v1::WishKind::Unspecified) | Err(_) => {
            r.fail(
                format_args!("{path}.kind"),
                (
                    format!("{} is no wish", w.kind),
                    format!("{} 不是意向", w.kind),
                ),
                (
                    "expected WISH_KIND_MUST, WISH_KIND_WANTS or WISH_KIND_REFUSES",
                    "应为 WISH_KIND_MUST、WISH_KIND_WANTS 或 WISH_KIND_REFUSES",
                ),
            );
            return None;
        }
    };
    Some(Wish {
        from,
        to,
        need: needs[0].or(needs[1]),
        kind,
    })
}

/// Two different entries that may not come together, and why.
pub(super) fn read_bar(
    r: &mut Reader,
    path: &str,
    ids: &Ids,
    w: v1::Bar,
) -> Option<(usize, usize, String)> {
    let a = ids.get(r, format_args!("{path}.a"), &w.a);
    let b = ids.get(r, format_args!("{path}.b"), &w.b);
    let (a, b) = (a?, b?);
    if a == b {
        r.fail(
            format_args!("{path}.b"),
            ("a conflict with oneself", "与自己回避"),
            ("expected two different ones", "应为不同的两方"),
        );
        return None;
    }
    let reason = if w.reason.trim().is_empty() {
        "—".to_owned()
    } else {
        w.reason
    };
    Some((a, b, reason))
}

/// True when somebody is an expert; told when not.
fn answers(r: &mut Reader, event: &Event, who: usize, path: impl std::fmt::Display) -> bool {
    let yes = event.attendees[who].side == Side::Answers;
    if !yes {
        r.fail(
            path,
            ("this is no expert", "不是专家"),
            (
                "expected a participant of side EVENT_SIDE_ANSWERS",
                "应为 EVENT_SIDE_ANSWERS 一方的参会者",
            ),
        );
    }
    yes
}

fn fixed(
    r: &mut Reader,
    i: usize,
    known: &Known<'_>,
    event: &Event,
    w: &v1::FixedMeeting,
) -> Option<Fixed> {
    let path = format!("event.fixed_meetings[{i}]");
    let need = known.needs.get(r, format_args!("{path}.need"), &w.need);
    let expert = known
        .people
        .get(r, format_args!("{path}.expert"), &w.expert);
    let begin = known
        .clock
        .minute(r, format_args!("{path}.begin"), &w.begin);
    let table = match w.table.is_empty() {
        true => None,
        false => {
            let found = event.tables.iter().position(|t| t.name == w.table);
            if found.is_none() {
                r.fail(
                    format_args!("{path}.table"),
                    ("there is no such table", "没有这张桌"),
                    ("expected a table's name", "应为桌位名称"),
                );
            }
            Some(found?)
        }
    };
    let (need, expert, begin) = (need?, expert?, begin?);
    if !answers(r, event, expert, format_args!("{path}.expert")) {
        return None;
    }
    if !event.slots.iter().any(|s| s.0 == begin) {
        r.fail(
            format_args!("{path}.begin"),
            ("no slot begins then", "没有时段在此时开始"),
            ("expected the begin of a slot", "应为某一时段的开始"),
        );
        return None;
    }
    Some(Fixed {
        need,
        expert,
        begin,
        table,
    })
}

fn rules(r: &mut Reader, w: v1::EventRules) -> EventRules {
    let mut out = EventRules::default();
    let at = |field: &str| format!("event.rules.{field}");
    if let Some(k) = r.one_based(at("experts_per_need"), w.experts_per_need) {
        out.experts_per_need = k;
    }
    if let Some(k) = r.one_based(at("max_meetings_per_expert"), w.max_meetings_per_expert) {
        out.meetings_per_expert = k;
    }
    let least = r.natural(
        at("min_meetings_per_expert"),
        Some(w.min_meetings_per_expert),
    );
    out.least_per_expert = least.unwrap_or(0);
    out.most_across = r.one_based(at("max_across_events"), w.max_across_events);
    out.least_score = r.share(at("least_score"), w.least_score).unwrap_or(0.0);
    if let Some(n) = w.no_show {
        out.no_show = r.share(at("no_show"), n).unwrap_or(0.0);
    }
    out.seed = u64::from(w.seed);
    out.objective = match v1::ListObjective::try_from(w.objective) {
        Ok(v1::ListObjective::Unspecified | v1::ListObjective::CoverFirst) => Objective::CoverFirst,
        Ok(v1::ListObjective::Total) => Objective::Total,
        Ok(v1::ListObjective::MaxMin) => Objective::MaxMin,
        Ok(v1::ListObjective::Stable) => Objective::Stable,
        Ok(v1::ListObjective::Nash) => Objective::Nash,
        Ok(v1::ListObjective::ExposureFair) => Objective::ExposureFair { cost: EXPOSURE },
        Err(_) => {
            r.fail(
                at("objective"),
                (
                    format!("{} is no value of this enum", w.objective),
                    format!("{} 不是该枚举的值", w.objective),
                ),
                ("expected a LIST_OBJECTIVE_…", "应为 LIST_OBJECTIVE_…"),
            );
            Objective::CoverFirst
        }
    };
    out
}
