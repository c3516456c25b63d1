//! What the gate says of this run's figures, for people, machines and the exit code.

use super::accepted::{Accepted, Kept, value};
use crate::{
    args::BenchQualityArgs,
    commands::{compare::probability, eval::right},
    failure::Failure,
    output::Console,
};
use queqiao_eval::{Gate, Gated, Measure, Pair, Verdict, gate};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Permutations of each test.
const PERMUTATIONS: u64 = 100_000;

/// What the gate says, and of what.
pub(super) struct Judged {
    /// Collection and measure of each of the gate's figures.
    of: Vec<(String, String)>,
    measures: Vec<String>,
    gate: Gate,
    /// Why collections could not be compared, in English and Chinese.
    apart: Vec<(String, String)>,
}

impl Judged {
    pub(super) fn of(
        now: &BTreeMap<String, Kept>,
        before: Option<&Accepted>,
        measures: &[Measure],
        args: &BenchQualityArgs,
    ) -> Self {
        let measures: Vec<String> = measures.iter().map(Measure::to_string).collect();
        let mut of = Vec::new();
        let mut values: Vec<(usize, Vec<f64>, Vec<f64>)> = Vec::new();
        let mut apart = Vec::new();
        let was = before.map(|b| &b.collections);
        for (name, kept) in now {
            let Some(old) = was.and_then(|w| w.get(name)) else {
                if before.is_some() {
                    apart.push((
                        format!("{name} was never accepted"),
                        format!("{name} 从未接受过"),
                    ));
                }
                continue;
            };
            if old.fingerprint != kept.fingerprint || old.pool != kept.pool {
                apart.push((
                    format!("{name} is not the collection, or not the pool, that was accepted"),
                    format!("{name} 的数据或候选范围与接受时不同"),
                ));
                continue;
            }
            for (i, m) in measures.iter().enumerate() {
                let (Some(old), Some(new)) = (old.values.get(m), kept.values.get(m)) else {
                    continue;
                };
                let floats = |v: &[i32]| v.iter().copied().map(value).collect();
                of.push((name.clone(), m.clone()));
                values.push((i, floats(old), floats(new)));
            }
        }
        // Nothing is passed by leaving a collection away.
        let gone = |name: &&String| args.only.is_empty() && !now.contains_key(*name);
        for name in was.into_iter().flat_map(BTreeMap::keys).filter(gone) {
            apart.push((
                format!("{name} was accepted and is not there"),
                format!("{name} 曾被接受，现已缺失"),
            ));
        }
        let pairs: Vec<Pair<'_>> = values
            .iter()
            .map(|(measure, before, after)| Pair {
                before,
                after,
                measure: *measure,
            })
            .collect();
        Judged {
            gate: gate(&pairs, args.alpha, PERMUTATIONS),
            of,
            measures,
            apart,
        }
    }

    /// Every figure with its names; collections together are called by none.
    fn rows(&self) -> impl Iterator<Item = (Option<&str>, &str, &Gated)> {
        let each = self.of.iter().zip(&self.gate.each);
        let together = self.measures.iter().zip(&self.gate.together);
        each.map(|((c, m), g)| (Some(c.as_str()), m.as_str(), g))
            .chain(together.map(|(m, g)| (None, m.as_str(), g)))
    }

    pub(super) fn outcome(&self, console: &Console) -> Result<(), Failure> {
        let fell: Vec<String> = self
            .rows()
            .filter(|(_, _, g)| g.verdict == Verdict::Fell)
            .map(|(c, m, g)| {
                let name = c.unwrap_or_else(|| console.say("all together", "合计"));
                format!("{name} {m} {:+.4}", g.after - g.before)
            })
            .collect();
        if fell.is_empty() && self.apart.is_empty() {
            return Ok(());
        }
        let (mut en, mut zh) = (Vec::new(), Vec::new());
        if !fell.is_empty() {
            en.push(format!(
                "fell by more than noise allows: {}",
                fell.join(", ")
            ));
            zh.push(format!("下降超出噪声：{}", fell.join("，")));
        }
        for (e, z) in &self.apart {
            en.push(e.clone());
            zh.push(z.clone());
        }
        en.push("where that is meant, --accept keeps the figures of this run".to_owned());
        zh.push("若有意如此，用 --accept 保留本次结果".to_owned());
        Err(Failure::failed(en.join("; "), zh.join("；")))
    }

    pub(super) fn document(
        &self,
        now: &BTreeMap<String, Kept>,
        before: Option<&Accepted>,
        args: &BenchQualityArgs,
    ) -> Value {
        let collections: serde_json::Map<String, Value> = now
            .iter()
            .map(|(name, k)| {
                let v = json!({ "pool": k.pool, "queries": k.queries, "measures": k.means });
                (name.clone(), v)
            })
            .collect();
        json!({
            "accepted": before.map(|b| json!({
                "date": b.date, "commit": b.commit, "model": b.model,
            })),
            "alpha": args.alpha,
            "collections": collections,
            "gate": self.rows().map(|(c, m, g)| json!({
                "collection": c,
                "measure": m,
                "before": g.before,
                "after": g.after,
                "difference": g.after - g.before,
                "low": g.t.interval.low,
                "high": g.t.interval.high,
                "p": g.p,
                "p_holm": g.p_holm,
                "verdict": g.verdict,
            })).collect::<Vec<_>>(),
            "apart": self.apart.iter().map(|a| &a.0).collect::<Vec<_>>(),
            "holds": self.gate.holds() && self.apart.is_empty(),
        })
    }

    pub(super) fn table(
        &self,
        now: &BTreeMap<String, Kept>,
        before: Option<&Accepted>,
        console: &Console,
    ) -> String {
        let mut table = console.table([
            console.say("collection", "测试集"),
            console.say("queries", "查询"),
            console.say("measure", "指标"),
            console.say("accepted", "已接受"),
            console.say("now", "本次"),
            console.say("difference", "差值"),
            "p",
            "Holm",
            "",
        ]);
        let verdict = |v: Verdict| match v {
            Verdict::Same => console.say("same", "未变"),
            Verdict::Noise => console.say("noise", "噪声"),
            Verdict::Rose => console.say("ROSE", "上升"),
            Verdict::Fell => console.say("FELL", "下降"),
        };
        for (name, k) in now {
            for m in &self.measures {
                let gated = (self.rows()).find(|(c, x, _)| *c == Some(name) && x == m);
                let queries = k.queries.to_string();
                let Some((_, _, g)) = gated else {
                    let mean = k.means.get(m).copied().unwrap_or(f64::NAN);
                    let mean = format!("{mean:.4}");
                    table.add_row([name, &queries, m, "–", &mean, "–", "–", "–", ""]);
                    continue;
                };
                let cells = cells(g, verdict(g.verdict));
                table.add_row([name.clone(), queries, m.clone()].into_iter().chain(cells));
            }
        }
        let queries: usize = now.values().map(|k| k.queries).sum();
        for (_, m, g) in self.rows().filter(|(c, _, _)| c.is_none()) {
            let name = console.say("all together", "合计").to_owned();
            let head = [name, queries.to_string(), m.to_owned()];
            table.add_row(head.into_iter().chain(cells(g, verdict(g.verdict))));
        }
        right(&mut table, 3);
        let accepted = before.map_or(String::new(), |b| {
            let (date, commit, model) = (&b.date, &b.commit, &b.model);
            console
                .say(
                    &format!("accepted on {date} at commit {commit}, with {model}\n"),
                    &format!("接受于 {date}，提交 {commit}，模型 {model}\n"),
                )
                .to_owned()
        });
        format!("{table}\n{accepted}")
    }
}

fn cells(g: &Gated, verdict: &str) -> [String; 6] {
    [
        format!("{:.4}", g.before),
        format!("{:.4}", g.after),
        format!("{:+.4}", g.after - g.before),
        probability(g.p),
        probability(g.p_holm),
        verdict.to_owned(),
    ]
}
