//! Why musts cannot all be held, and what would help.

use super::problem::ValidTimetable;
use queqiao_domain::Bilingual;
use queqiao_solve::{
    Answer, Certificate, Change, Clash, Programme, Relaxation, Sense, Stop, Variable,
};
use std::collections::BTreeMap;

/// Variables up to which musts are taken apart.
const SMALL: usize = 6_000;

struct Told {
    clash: Clash,
    price: f64,
    gives: Bilingual,
}

fn told(
    constraint: &str,
    about: Vec<String>,
    text: (String, String),
    price: f64,
    gives: (String, String),
) -> Told {
    Told {
        clash: Clash {
            constraint: constraint.to_owned(),
            about,
            text: Bilingual::new(text.0, text.1),
        },
        price,
        gives: Bilingual::new(gives.0, gives.1),
    }
}

impl ValidTimetable {
    /// A proof that the musts (and locks) cannot all be held, with the windows, limits and tables
    /// that collide; `None` when they can, when there are too many to tell, or time ran out.
    pub fn certificate(&self, stop: &Stop) -> Option<Certificate> {
        let p = &self.problem;
        let musts: Vec<usize> = (0..p.meetings.len())
            .filter(|m| p.meetings[*m].must || p.meetings[*m].locked.is_some())
            .collect();
        if musts.len() * p.slots.len() > SMALL {
            return None;
        }
        let mut programme = Programme::new();
        let mut list: Vec<Told> = Vec::new();
        // Every slot is a choice; windows are rows of their own, so that they can be given up.
        let x: Vec<Vec<Variable>> = musts
            .iter()
            .map(|_| (0..p.slots.len()).map(|_| programme.choice(0.0)).collect())
            .collect();
        for (k, m) in musts.iter().enumerate() {
            let q = &p.meetings[*m];
            let ids: Vec<String> = q.people().map(|i| p.people[i].id.clone()).collect();
            let name = ids.join(" – ");
            let (terms, lock) = match q.locked {
                Some((slot, _)) => (vec![(x[k][slot], 1.0)], format!(" (slot {})", slot + 1)),
                None => (x[k].iter().map(|v| (*v, 1.0)).collect(), String::new()),
            };
            programme.row(list.len(), terms, Sense::AtLeast, 1.0);
            list.push(told(
                "must",
                ids,
                (
                    format!("{name} must meet{lock}"),
                    format!("{name} 必须会面{lock}"),
                ),
                4.0,
                (
                    format!("let the meeting of {name} go"),
                    format!("取消 {name} 的会面"),
                ),
            ));
            programme.row(
                None,
                x[k].iter().map(|v| (*v, 1.0)).collect(),
                Sense::AtMost,
                1.0,
            );
        }
        let mut of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (k, m) in musts.iter().enumerate() {
            for i in p.meetings[*m].people() {
                of.entry(i).or_default().push(k);
            }
        }
        for (i, ks) in &of {
            let person = &p.people[*i];
            let id = &person.id;
            let at_once = |s: usize| ks.iter().map(|k| (x[*k][s], 1.0)).collect();
            for s in 0..p.slots.len() {
                programme.row(None, at_once(s), Sense::AtMost, 1.0);
            }
            let shut: Vec<usize> = (0..p.slots.len()).filter(|s| !person.open[*s]).collect();
            if !shut.is_empty() {
                let terms = ks
                    .iter()
                    .flat_map(|k| shut.iter().map(|s| (x[*k][*s], 1.0)))
                    .collect();
                programme.row(list.len(), terms, Sense::AtMost, 0.0);
                let open = p.slots.len() - shut.len();
                list.push(told(
                    "window",
                    vec![id.clone()],
                    (
                        format!("{id} is there in {open} of {} slots", p.slots.len()),
                        format!("{id} 只在 {} 个时段中的 {open} 个到场", p.slots.len()),
                    ),
                    2.0,
                    (
                        format!("ask {id} for time outside the window"),
                        format!("请 {id} 在其时间窗之外参会"),
                    ),
                ));
            }
            if let Some(most) = person.most {
                let terms = ks
                    .iter()
                    .flat_map(|k| x[*k].iter().map(|v| (*v, 1.0)))
                    .collect();
                programme.row(list.len(), terms, Sense::AtMost, f64::from(most));
                list.push(told(
                    "capacity",
                    vec![id.clone()],
                    (
                        format!("{id} has at most {most} meeting(s)"),
                        format!("{id} 至多 {most} 场"),
                    ),
                    1.0,
                    (
                        format!("raise the limit of {id}"),
                        format!("提高 {id} 的场次上限"),
                    ),
                ));
            }
        }
        // One table more is one more in every slot: the rows of all slots are one constraint.
        let tables = list.len();
        for s in 0..p.slots.len() {
            let terms = x.iter().map(|row| (row[s], 1.0)).collect();
            programme.row(tables, terms, Sense::AtMost, f64::from(self.tables_in(s)));
        }
        let most = (0..p.slots.len())
            .map(|s| self.tables_in(s))
            .max()
            .unwrap_or(0);
        list.push(told(
            "tables",
            Vec::new(),
            (
                format!("{most} table(s) a slot"),
                format!("每个时段 {most} 张桌"),
            ),
            3.0,
            ("add tables".to_owned(), "增加桌位".to_owned()),
        ));
        if !matches!(programme.maximise(stop), Answer::Impossible) {
            return None;
        }
        let tags = programme.collision(stop)?;
        let every: Vec<(usize, f64)> = list.iter().enumerate().map(|(t, x)| (t, x.price)).collect();
        let mut asked = vec![every];
        asked.extend(tags.iter().map(|t| vec![(*t, list[*t].price)]));
        let mut certificate = Certificate {
            collision: tags.iter().map(|t| list[*t].clash.clone()).collect(),
            minimal: true,
            relaxations: asked
                .iter()
                .filter_map(|a| programme.relax(a, stop))
                .map(|r| Relaxation {
                    cost: r.price,
                    changes: r
                        .by
                        .iter()
                        .map(|(t, by)| {
                            let x = &list[*t];
                            let n = by.ceil();
                            Change {
                                constraint: x.clash.constraint.clone(),
                                about: x.clash.about.clone(),
                                by: *by,
                                text: if x.clash.constraint == "must" {
                                    x.gives.clone()
                                } else {
                                    Bilingual::new(
                                        format!("{} ({n})", x.gives.en),
                                        format!("{}（{n}）", x.gives.zh),
                                    )
                                },
                            }
                        })
                        .collect(),
                })
                .collect(),
        };
        certificate.rank();
        Some(certificate)
    }
}
