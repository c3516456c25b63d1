//! `queqiao match --why`: why a record stands where it stands, and what would move it.

use super::matching::print_match;
use crate::output::{Console, shorten};
use queqiao_engine::{Change, Counterfactual, Explanation, Feature};

/// An explanation as people read it.
pub(crate) fn print(console: &Console, asked: &str, e: &Explanation) {
    console.line(format!("» {asked}"));
    print_match(console, &e.matched, true);
    console.line(console.say(
        &format!("  place {} of {} ranked", e.matched.rank, e.of),
        &format!("  在 {} 个候选中排第 {}", e.of, e.matched.rank),
    ));
    if let Some(a) = &e.ahead {
        let gap = a.score.get() - e.matched.score.get();
        let title = match a.title.is_empty() {
            true => a.id.to_string(),
            false => shorten(&a.title, 60),
        };
        console.line(console.say(
            &format!("  {gap:.4} behind place {}: {title}", a.rank),
            &format!("  比第 {} 名（{title}）低 {gap:.4}", a.rank),
        ));
        let mut gaps: Vec<(Feature, f64)> = a
            .parts
            .iter()
            .zip(&e.matched.parts)
            .map(|(a, m)| (a.feature, a.contribution - m.contribution))
            .collect();
        gaps.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        for (feature, gap) in gaps.into_iter().filter(|g| g.1.abs() >= 5e-4).take(5) {
            let (en, zh) = feature.label();
            console.line(format!("            {:+.4}  {}", -gap, console.say(en, zh)));
        }
    }
    for c in &e.changes {
        console.line(format!("  → {}", change(console, c)));
    }
}

/// One change and the rank after it, in a sentence.
fn change(console: &Console, c: &Counterfactual) -> String {
    let rank = c.rank;
    match &c.change {
        Change::Record { feature, value } => {
            let (en, zh) = feature.label();
            console
                .say(
                    &format!("place {rank} if the record told {en}: {value}"),
                    &format!("若该记录的{zh}为 {value}，则排第 {rank}"),
                )
                .to_owned()
        }
        Change::WithoutClause(asked) => {
            let text = shorten(&asked.text, 60);
            console
                .say(
                    &format!("place {rank} if the question did not ask “{text}”"),
                    &format!("若问题中没有“{text}”，则排第 {rank}"),
                )
                .to_owned()
        }
    }
}
