//! One thing changed: somebody cancels, a table is lost, somebody comes late.

use crate::failure::Failure;
use queqiao_engine::events::{conflict::same_name_key, event::Event};

/// The attendee of an id or a name.
pub(super) fn attendee(event: &Event, who: &str) -> Result<usize, Failure> {
    let key = same_name_key(who);
    let by = |get: &dyn Fn(usize) -> bool| (0..event.attendees.len()).filter(|i| get(*i)).collect();
    let ids: Vec<usize> = by(&|i| same_name_key(&event.attendees[i].profile.id) == key);
    let names: Vec<usize> = by(&|i| same_name_key(&event.attendees[i].profile.name) == key);
    match (&ids[..], &names[..]) {
        ([i, ..], _) | ([], [i]) => Ok(*i),
        ([], []) => Err(Failure::input(
            format!("{who} does not attend: expected a participant's id or name"),
            format!("{who} 不在参会之列：应为参会者的编号或姓名"),
        )),
        ([], _) => Err(Failure::input(
            format!("several participants are called {who}: expected the id of one"),
            format!("有多位参会者名为 {who}：应填写其中一位的编号"),
        )),
    }
}

pub(super) fn cancel(event: &mut Event, who: &str) -> Result<(), Failure> {
    let i = attendee(event, who)?;
    event.attendees[i].cancelled = true;
    Ok(())
}

/// Name and minute of `NAME@TIME`.
fn at(event: &Event, option: &str, text: &str) -> Result<(String, Option<i64>), Failure> {
    let Some((name, time)) = text.rsplit_once('@') else {
        return Ok((text.to_owned(), None));
    };
    match event.minute(time) {
        Some(m) => Ok((name.to_owned(), Some(m))),
        None => Err(Failure::input(
            format!(
                "{option} {text}: {time} is no time of the event; expected such as {name}@14:00"
            ),
            format!("{option} {text}：{time} 不是活动内的时间；应为 {name}@14:00 之类"),
        )),
    }
}

pub(super) fn lose_table(event: &mut Event, lost: &str) -> Result<(), Failure> {
    let (name, minute) = at(event, "--lose-table", lost)?;
    let Some(table) = event.tables.iter_mut().find(|t| t.name == name) else {
        return Err(Failure::input(
            format!("--lose-table {lost}: there is no table {name}"),
            format!("--lose-table {lost}：没有桌位 {name}"),
        ));
    };
    table.lost_from = Some(minute.unwrap_or(0));
    Ok(())
}

pub(super) fn late(event: &mut Event, late: &str) -> Result<(), Failure> {
    let (who, minute) = at(event, "--late", late)?;
    let Some(minute) = minute else {
        return Err(Failure::input(
            format!("--late {late}: from when on? expected such as {who}@10:30"),
            format!("--late {late}：缺少到场时间；应为 {who}@10:30 之类"),
        ));
    };
    let i = attendee(event, &who)?;
    // Of the day that the time is on.
    let midnight = minute.div_euclid(1_440) * 1_440;
    event.attendees[i].absent.push((midnight, minute));
    Ok(())
}
