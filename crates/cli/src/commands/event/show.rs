//! A plan in a terminal.

use crate::output::{Console, shorten};
use queqiao_desk::{EventJson, PanelJson, PlansJson, RoundJson, TrackJson};
use queqiao_domain::{Bilingual, Lang};
use queqiao_engine::solve::Certificate;

/// People left out that are named here; the workbook names all.
const NAMED: usize = 20;

fn percent(a: f64, b: f64) -> f64 {
    if b > 0.0 { 100.0 * a / b } else { 100.0 }
}

/// The ways out of a collision, cheapest first.
pub(crate) fn relaxations(console: &Console, certificate: &Certificate) {
    for r in &certificate.relaxations {
        let changes: Vec<&str> = r.changes.iter().map(|c| console.text(&c.text)).collect();
        let joined = changes.join(console.say(" and ", "，并"));
        console.line(format!("  {:>6.2}  {joined}", r.cost));
    }
}

fn warn(console: &Console, text: &Bilingual) {
    console.line(format!("  ! {}", console.text(text)));
}

pub(super) fn plans(console: &Console, json: &PlansJson) {
    if let Some(m) = &json.meetings {
        meetings(console, &json.event, m);
    }
    if let Some(r) = &json.roundtables {
        rounds(console, r);
    }
    if let Some(p) = &json.panels {
        panels(console, p);
    }
    if let Some(t) = &json.tracks {
        tracks(console, t);
    }
    for n in &json.notes {
        warn(console, n);
    }
}

fn meetings(console: &Console, name: &str, json: &EventJson) {
    let f = &json.figures;
    let name = match name {
        "" => console.say("the event", "活动"),
        named => named,
    };
    console.line(match console.lang {
        Lang::En => format!(
            "{name}: {} of {} needs and {} of {} experts meet; {} meetings held of {} on the lists",
            f.needs_met, f.needs, f.experts_met, f.experts, f.held, f.listed
        ),
        Lang::Zh => format!(
            "{name}：需求 {}/{}、专家 {}/{} 有会面；名单 {} 场，排定 {} 场",
            f.needs_met, f.needs, f.experts_met, f.experts, f.listed, f.held
        ),
    });
    let lists = percent(f.listed_worth, f.listed_bound);
    let held = percent(f.held_worth, f.held_bound);
    console.line(match console.lang {
        Lang::En => format!(
            "lists: worth {:.3} of at most {:.3} ({lists:.2} %); timetable: {:.3} of at most {:.3} ({held:.2} %)",
            f.listed_worth, f.listed_bound, f.held_worth, f.held_bound
        ),
        Lang::Zh => format!(
            "名单匹配值 {:.3}（上限 {:.3}，{lists:.2} %）；日程匹配值 {:.3}（上限 {:.3}，{held:.2} %）",
            f.listed_worth, f.listed_bound, f.held_worth, f.held_bound
        ),
    });
    for c in &json.changes {
        let at = |s: &Option<queqiao_desk::SpotJson>| {
            s.as_ref()
                .map_or("—".to_owned(), |s| format!("{} · {}", s.begin, s.table))
        };
        console.line(format!(
            "  {} – {}: {} → {}  ({})",
            c.need,
            c.expert,
            at(&c.from),
            at(&c.to),
            console.text(&c.why)
        ));
    }
    for m in json.missing.iter().take(NAMED) {
        console.line(format!(
            "  · {} {}: {}",
            m.id,
            shorten(&m.name, 30),
            console.text(&m.text)
        ));
    }
    if json.missing.len() > NAMED {
        console.line(format!("  · … {}", json.missing.len() - NAMED));
    }
    for c in &json.certificates {
        warn(console, &c.describe());
    }
}

fn rounds(console: &Console, json: &RoundJson) {
    let mut table = console.table(match console.lang {
        Lang::En => ["roundtable", "host", "ask", "answer"],
        Lang::Zh => ["圆桌", "主持人", "提问方", "解答方"],
    });
    for t in &json.tables {
        table.add_row([
            t.table.clone(),
            t.hosts.join(", "),
            t.askers.join(", "),
            t.solvers.join(", "),
        ]);
    }
    console.line(table.to_string());
    for g in &json.left_out {
        console.line(format!("  · {} {}: {}", g.id, g.name, console.text(&g.why)));
    }
}

fn panels(console: &Console, json: &PanelJson) {
    let mut table = console.table(match console.lang {
        Lang::En => ["application", "name", "reviewers"],
        Lang::Zh => ["申报编号", "申报单位", "评审专家"],
    });
    for p in &json.panels {
        let who: Vec<&str> = p.reviewers.iter().map(|r| r.0.as_str()).collect();
        table.add_row([p.application.clone(), shorten(&p.name, 30), who.join(", ")]);
    }
    console.line(table.to_string());
    for l in &json.left_out {
        console.line(format!(
            "  · {} {}: {}",
            l.application,
            shorten(&l.name, 30),
            console.text(&l.why)
        ));
    }
    if let Some(c) = &json.certificate {
        warn(console, &c.describe());
    }
}

fn tracks(console: &Console, json: &TrackJson) {
    let mut table = console.table(match console.lang {
        Lang::En => ["list", "places", "projects"],
        Lang::Zh => ["榜单", "名额", "项目"],
    });
    for l in json.tracks.iter().chain(&json.enterprises) {
        let projects: Vec<&str> = l.projects.iter().map(|p| p.0.as_str()).collect();
        table.add_row([l.list.clone(), l.places.to_string(), projects.join(", ")]);
    }
    console.line(table.to_string());
    for k in &json.kept_out {
        console.line(format!(
            "  · {} – {}: {}",
            k.list,
            k.project,
            console.text(&k.why)
        ));
    }
}
