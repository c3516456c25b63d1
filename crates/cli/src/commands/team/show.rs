//! A team in a terminal.

use crate::output::{Console, shorten};
use queqiao_desk::{ConsortiumJson, TeamBook, TeamJson};
use queqiao_domain::Lang;
use queqiao_engine::teams::TeamPlan;

fn proof(console: &Console, proven: bool, bound: f64) -> String {
    match (proven, console.lang) {
        (true, Lang::En) => "proven to be the greatest".to_owned(),
        (true, Lang::Zh) => "已证明最优".to_owned(),
        (false, Lang::En) => format!("of at most {bound:.3}"),
        (false, Lang::Zh) => format!("理论上限 {bound:.3}"),
    }
}

fn notes(console: &Console, book: &TeamBook) {
    for n in &book.notes {
        console.line(format!("  ! {}", console.text(n)));
    }
}

pub(super) fn team(console: &Console, book: &TeamBook, plan: &TeamPlan, json: &TeamJson) {
    let mut table = console.table(match console.lang {
        Lang::En => ["name", "organisation", "lead", "worth", "covers", "instead"],
        Lang::Zh => ["姓名", "单位", "团长", "边际贡献", "承担需求", "替换人选"],
    });
    for m in &json.members {
        let instead: Vec<&str> = m.alternates.iter().map(|a| a.0.as_str()).collect();
        table.add_row([
            m.name.clone(),
            m.organisation.clone(),
            if m.lead { "✓" } else { "" }.to_owned(),
            format!("{:.3}", m.worth),
            m.covers.join(", "),
            instead.join(", "),
        ]);
    }
    console.line(table.to_string());
    let proof = proof(console, plan.proven, plan.bound);
    console.line(match console.lang {
        Lang::En => format!(
            "cover {:.3} of {:.3}; value {:.3}, {proof}; cost {:.2}; {} societies; {:.3} left when the worst drops out",
            plan.cover, plan.cover_of, plan.value, plan.cost, plan.societies, plan.worst_drop
        ),
        Lang::Zh => format!(
            "覆盖度 {:.3}/{:.3}；目标值 {:.3}，{proof}；费用 {:.2} 万元；学会 {} 个；最不利成员缺席后覆盖度 {:.3}",
            plan.cover, plan.cover_of, plan.value, plan.cost, plan.societies, plan.worst_drop
        ),
    });
    let gaps: Vec<String> = plan
        .coverage
        .iter()
        .filter(|c| c.gap)
        .map(|c| {
            let id = &book.problem.tasks[c.task].id;
            format!("{id} {}", shorten(&book.needs[c.task].title, 30))
        })
        .collect();
    if !gaps.is_empty() {
        let head = console.say("gaps", "缺口");
        console.line(format!("{head}: {}", gaps.join("; ")));
    }
    notes(console, book);
}

pub(super) fn consortium(console: &Console, book: &TeamBook, json: &ConsortiumJson) {
    let mut table = console.table(match console.lang {
        Lang::En => ["member", "organisation", "leads", "worth", "overlap"],
        Lang::Zh => ["成员", "单位", "牵头任务", "边际贡献", "能力重叠"],
    });
    for m in &json.members {
        table.add_row([
            m.name.clone(),
            m.organisation.clone(),
            m.leads.join(", "),
            format!("{:.3}", m.worth),
            format!("{:.0} %", 100.0 * m.overlap),
        ]);
    }
    console.line(table.to_string());
    let proof = proof(console, json.proven, json.bound);
    console.line(format!(
        "{} {:.3}, {proof}",
        console.say("value", "目标值"),
        json.value
    ));
    notes(console, book);
}
