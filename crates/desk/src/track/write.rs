//! Lists of projects and the roadshow as sheets of a workbook.

use super::{TrackBook, json::stage};
use crate::{
    book::{Book, Done, Look, Page, Rows, Value},
    event::{day, range},
};
use queqiao_events::{event::Event, track::TrackPlan};

/// Rows of the overview.
pub(crate) fn overview(book: &Book, track: &TrackBook, plan: &TrackPlan) -> Rows {
    let all = track.projects.len();
    let listed = all - plan.unlisted.len();
    let p = &track.problem;
    let places: u32 = p
        .tracks
        .iter()
        .chain(&p.enterprises)
        .map(|l| l.places)
        .sum();
    let filled: usize = plan
        .tracks
        .iter()
        .chain(&plan.enterprises)
        .map(Vec::len)
        .sum();
    vec![
        (
            Look::Plain,
            vec![
                book.text("projects on a list", "上榜项目"),
                Value::Text(format!("{listed} / {all}")),
                Value::Text(format!(
                    "{} {}",
                    plan.kept_out.len(),
                    book.say("kept out by a gate", "项次未达门槛")
                )),
            ],
        ),
        (
            Look::Plain,
            vec![
                book.text("places filled", "榜单名额"),
                Value::Text(format!("{filled} / {places}")),
                Value::Text(format!(
                    "{} {:.3} / {:.3}",
                    book.say("fit, of at most", "匹配值 / 理论上限"),
                    plan.lists.total,
                    plan.lists.total_bound
                )),
            ],
        ),
    ]
}

/// The sheets of lists and the roadshow.
pub(crate) fn sheets(book: &mut Book, event: &Event, track: &TrackBook, plan: &TrackPlan) -> Done {
    roadshow(book, event, track, plan)?;
    let name = ("Lists per track", "赛道榜单");
    lists(book, track, &plan.tracks, 0, name)?;
    if !plan.enterprises.is_empty() {
        let name = ("Lists per enterprise", "企业榜单");
        lists(book, track, &plan.enterprises, plan.tracks.len(), name)?;
    }
    unlisted(book, track, plan)
}

fn roadshow(book: &mut Book, event: &Event, track: &TrackBook, plan: &TrackPlan) -> Done {
    let mut last = usize::MAX;
    let rows: Rows = stage(event, plan)
        .into_iter()
        .enumerate()
        .map(|(i, (t, p, slot))| {
            let look = match (t != last, slot) {
                (_, None) => Look::Warn,
                (true, _) => Look::Group,
                _ => Look::Plain,
            };
            last = t;
            let project = &track.projects[p];
            let cells = vec![
                Value::Count(i + 1),
                slot.map_or(String::new(), |s| day(event, s)).into(),
                slot.map_or_else(
                    || book.text("no slot left", "无剩余时段"),
                    |s| range(event, s).into(),
                ),
                track.lists[t].name.as_str().into(),
                project.id.as_str().into(),
                project.name.as_str().into(),
                project.organisation.as_str().into(),
            ];
            (look, cells)
        })
        .collect();
    let note = book
        .say(
            "The order on the stage, track after track: the best opens, the second best closes, two of one organisation do not follow each other.",
            "路演顺序，逐赛道进行：最佳项目开场，次佳压轴，同一单位不相邻。",
        )
        .to_owned();
    book.table(
        ("Roadshow", "路演日程"),
        &note,
        &[
            ("no.", "序", 5.0),
            ("day", "日期", 12.0),
            ("time", "时间", 14.0),
            ("track", "赛道", 18.0),
            ("project", "项目编号", 12.0),
            ("title", "项目名称", 38.0),
            ("organisation", "单位", 26.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn lists(
    book: &mut Book,
    track: &TrackBook,
    lists: &[Vec<(usize, f64)>],
    from: usize,
    name: (&str, &str),
) -> Done {
    let mut rows = Rows::new();
    for (l, list) in lists.iter().enumerate() {
        for (k, (p, fit)) in list.iter().enumerate() {
            let project = &track.projects[*p];
            let readiness = track.problem.projects[*p].readiness;
            let look = if k == 0 { Look::Group } else { Look::Plain };
            rows.push((
                look,
                vec![
                    track.lists[from + l].name.as_str().into(),
                    Value::Count(k + 1),
                    project.id.as_str().into(),
                    project.name.as_str().into(),
                    project.organisation.as_str().into(),
                    readiness.map_or(String::new(), |r| r.to_string()).into(),
                    Value::Number(*fit),
                ],
            ));
        }
    }
    let note = book
        .say(
            "Each list, the best first; no project stands on more lists than it may.",
            "各榜单按匹配值从高到低；每个项目不超过上榜次数。",
        )
        .to_owned();
    book.table(
        name,
        &note,
        &[
            ("list", "榜单", 22.0),
            ("no.", "序", 5.0),
            ("project", "项目编号", 12.0),
            ("title", "项目名称", 38.0),
            ("organisation", "单位", 26.0),
            ("readiness", "就绪度", 10.0),
            ("fit", "匹配值", 9.0),
        ],
        &rows,
        Page::Landscape,
    )
}

fn unlisted(book: &mut Book, track: &TrackBook, plan: &TrackPlan) -> Done {
    let mut rows: Rows = plan
        .kept_out
        .iter()
        .map(|k| {
            let p = &track.projects[k.project];
            let cells = vec![
                k.list.as_str().into(),
                p.id.as_str().into(),
                p.name.as_str().into(),
                k.text.get(book.lang).into(),
            ];
            (Look::Plain, cells)
        })
        .collect();
    for p in &plan.unlisted {
        let gated = plan.kept_out.iter().any(|k| k.project == *p);
        if gated {
            continue;
        }
        let p = &track.projects[*p];
        rows.push((
            Look::Plain,
            vec![
                "—".into(),
                p.id.as_str().into(),
                p.name.as_str().into(),
                book.text("others fit every list better", "各榜单均有匹配度更高的项目"),
            ],
        ));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let note = book
        .say(
            "What a gate kept out of a list, with the figures, and projects on no list.",
            "未达门槛的项目及其指标，以及未上榜项目。",
        )
        .to_owned();
    book.table(
        ("Not listed", "未上榜"),
        &note,
        &[
            ("list", "榜单", 22.0),
            ("project", "项目编号", 12.0),
            ("title", "项目名称", 38.0),
            ("why", "原因", 48.0),
        ],
        &rows,
        Page::Landscape,
    )
}
