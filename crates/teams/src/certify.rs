//! Why there is no team, and what would make one.

use crate::problem::{TeamPrices, ValidTeam};
use queqiao_domain::Bilingual;
use queqiao_solve::{
    Certificate, Change, Clash, Programme, Relaxation, Sense, Stop, Tag, Variable,
};
use std::collections::BTreeMap;

/// A constraint as people know it.
pub(crate) struct Told {
    clash: Clash,
    price: f64,
    /// Words for giving way by an amount.
    gives: Box<dyn Fn(f64) -> Bilingual>,
}

fn told(
    constraint: &str,
    about: Vec<String>,
    text: Bilingual,
    price: f64,
    gives: impl Fn(f64) -> Bilingual + 'static,
) -> Told {
    Told {
        clash: Clash {
            constraint: constraint.to_owned(),
            about,
            text,
        },
        price,
        gives: Box::new(gives),
    }
}

fn bi(en: impl Into<String>, zh: impl Into<String>) -> Bilingual {
    Bilingual::new(en, zh)
}

/// A figure without a tail of zeros.
fn figure(v: f64) -> String {
    let s = format!("{v:.2}");
    s.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl ValidTeam {
    /// Lays every constraint into a programme, one tag each.
    pub(crate) fn constraints(
        &self,
        programme: &mut Programme,
        worth: impl Fn(usize) -> f64,
    ) -> (Vec<Variable>, Vec<Told>) {
        self.priced_constraints(programme, worth, &TeamPrices::default())
    }

    fn priced_constraints(
        &self,
        programme: &mut Programme,
        worth: impl Fn(usize) -> f64,
        prices: &TeamPrices,
    ) -> (Vec<Variable>, Vec<Told>) {
        let p = &self.problem;
        let all: Vec<usize> = (0..p.candidates.len()).collect();
        let x: Vec<Variable> = all.iter().map(|j| programme.choice(worth(*j))).collect();
        let mut list: Vec<Told> = Vec::new();
        let terms = |who: &[usize]| who.iter().map(|j| (x[*j], 1.0)).collect::<Vec<_>>();
        let mut add = |programme: &mut Programme, t: Told, terms, sense, bound| {
            programme.row(list.len() as Tag, terms, sense, bound);
            list.push(t);
        };
        let size = p.size;
        add(
            programme,
            told(
                "size",
                vec![],
                bi(
                    format!("at most {size} member(s)"),
                    format!("成员不超过 {size} 人"),
                ),
                prices.seat,
                move |by| {
                    let to = f64::from(size) + by.ceil();
                    bi(
                        format!("allow {to} members"),
                        format!("将人数上限提高到 {to}"),
                    )
                },
            ),
            terms(&all),
            Sense::AtMost,
            f64::from(size),
        );
        if let Some(budget) = p.budget {
            add(
                programme,
                told(
                    "budget",
                    vec![],
                    bi(
                        format!("a budget of {} (10,000 yuan)", figure(budget)),
                        format!("预算 {} 万元", figure(budget)),
                    ),
                    prices.money,
                    move |by| {
                        let to = figure(((budget + by) * 100.0).ceil() / 100.0);
                        bi(
                            format!("raise the budget to {to} (10,000 yuan)"),
                            format!("将预算提高到 {to} 万元"),
                        )
                    },
                ),
                all.iter()
                    .map(|j| (x[*j], p.candidates[*j].cost))
                    .filter(|t| t.1 > 0.0)
                    .collect(),
                Sense::AtMost,
                budget,
            );
        }
        let leads: Vec<usize> = all
            .iter()
            .copied()
            .filter(|j| p.candidates[*j].lead)
            .collect();
        if p.least_leads > 0 {
            let n = p.least_leads;
            add(
                programme,
                told(
                    "lead",
                    vec![],
                    bi(
                        format!("at least {n} who may lead"),
                        format!("至少 {n} 名可任团长者"),
                    ),
                    prices.lead,
                    move |by| {
                        let to = (f64::from(n) - by.ceil()).max(0.0);
                        bi(
                            format!("ask for {to} lead(s)"),
                            format!("团长人选要求降为 {to}"),
                        )
                    },
                ),
                terms(&leads),
                Sense::AtLeast,
                f64::from(n),
            );
        }
        self.society_rows(programme, &x, prices, &mut add);
        if let Some(cap) = p.per_institution {
            for i in 0..self.institutions {
                let who: Vec<usize> = all
                    .iter()
                    .copied()
                    .filter(|j| p.candidates[*j].institution == Some(i))
                    .collect();
                if who.len() <= cap as usize {
                    continue;
                }
                let ids: Vec<String> = who.iter().map(|j| p.candidates[*j].id.clone()).collect();
                let shown = ids.iter().take(4).cloned().collect::<Vec<_>>().join(", ");
                let again = shown.clone();
                add(
                    programme,
                    told(
                        "institution",
                        ids,
                        bi(
                            format!("at most {cap} of one institution ({shown} …)"),
                            format!("同一单位不超过 {cap} 人（{shown} 等）"),
                        ),
                        prices.institution,
                        move |by| {
                            let to = f64::from(cap) + by.ceil();
                            bi(
                                format!("allow {to} of the institution of {again} …"),
                                format!("{again} 等所在单位放宽到 {to} 人"),
                            )
                        },
                    ),
                    terms(&who),
                    Sense::AtMost,
                    f64::from(cap),
                );
            }
        }
        for j in &p.must {
            let id = p.candidates[*j].id.clone();
            let name = id.clone();
            add(
                programme,
                told(
                    "must",
                    vec![id.clone()],
                    bi(format!("{id} is set"), format!("指定 {id} 入团")),
                    prices.named,
                    move |_| bi(format!("let {name} go"), format!("不再指定 {name}")),
                ),
                terms(&[*j]),
                Sense::AtLeast,
                1.0,
            );
        }
        for j in &p.must_not {
            let id = p.candidates[*j].id.clone();
            let name = id.clone();
            add(
                programme,
                told(
                    "must_not",
                    vec![id.clone()],
                    bi(format!("{id} is ruled out"), format!("{id} 不得入团")),
                    prices.named,
                    move |_| bi(format!("let {name} in"), format!("允许 {name} 入团")),
                ),
                terms(&[*j]),
                Sense::AtMost,
                0.0,
            );
        }
        for (r, rule) in p.rules.iter().enumerate() {
            let who: Vec<usize> = all
                .iter()
                .copied()
                .filter(|j| p.candidates[*j].kept_out_by.contains(&r))
                .collect();
            if who.is_empty() {
                continue;
            }
            let text = rule.text.clone();
            add(
                programme,
                told(
                    &rule.name,
                    who.iter().map(|j| p.candidates[*j].id.clone()).collect(),
                    bi(
                        format!("{} (keeps out {})", text.en, who.len()),
                        format!("{}（排除 {} 人）", text.zh, who.len()),
                    ),
                    prices.exception,
                    move |by| {
                        let by = by.ceil();
                        bi(
                            format!("make {by} exception(s) from: {}", text.en),
                            format!("对以下规则破例 {by} 人：{}", text.zh),
                        )
                    },
                ),
                terms(&who),
                Sense::AtMost,
                0.0,
            );
        }
        for q in &p.quotas {
            let ids: Vec<String> = q.who.iter().map(|j| p.candidates[*j].id.clone()).collect();
            for (sense, bound) in [
                (Sense::AtLeast, Some(q.least).filter(|l| *l > 0)),
                (Sense::AtMost, q.most),
            ] {
                let Some(bound) = bound else { continue };
                let (words, zh) = match sense {
                    Sense::AtLeast => ("at least", "至少"),
                    _ => ("at most", "至多"),
                };
                let text = q.text.clone();
                add(
                    programme,
                    told(
                        "quota",
                        ids.clone(),
                        bi(
                            format!("{}: {words} {bound}", text.en),
                            format!("{}：{zh} {bound} 人", text.zh),
                        ),
                        prices.exception,
                        move |by| {
                            let by = by.ceil();
                            bi(
                                format!("let {} give way by {by}", text.en),
                                format!("{} 放宽 {by} 人", text.zh),
                            )
                        },
                    ),
                    terms(&q.who),
                    sense,
                    f64::from(bound),
                );
            }
        }
        let mut loads: BTreeMap<usize, (u32, Vec<(Variable, f64)>)> = BTreeMap::new();
        for (t, who) in &self.floors {
            let task = &p.tasks[*t];
            let covered: Vec<Variable> = who
                .iter()
                .map(|j| {
                    let Some(load) = p.candidates[*j].load else {
                        return x[*j];
                    };
                    // Where loads bind, being on the team is not enough: the need must be taken on.
                    let z = programme.choice(0.0);
                    programme.row(None, vec![(z, 1.0), (x[*j], -1.0)], Sense::AtMost, 0.0);
                    loads
                        .entry(*j)
                        .or_insert((load, Vec::new()))
                        .1
                        .push((z, 1.0));
                    z
                })
                .collect();
            let (id, floor) = (task.id.clone(), task.floor.unwrap_or(0.0));
            let name = id.clone();
            add(
                programme,
                told(
                    "floor",
                    vec![id.clone()],
                    bi(
                        format!("{id} must be covered to {}", figure(floor)),
                        format!("{id} 的覆盖度须达到 {}", figure(floor)),
                    ),
                    prices.floor,
                    move |_| {
                        bi(
                            format!("leave {name} below its floor"),
                            format!("允许 {name} 低于最低覆盖度"),
                        )
                    },
                ),
                covered.iter().map(|z| (*z, 1.0)).collect(),
                Sense::AtLeast,
                1.0,
            );
        }
        for (j, (load, terms)) in loads {
            let id = p.candidates[j].id.clone();
            let name = id.clone();
            add(
                programme,
                told(
                    "load",
                    vec![id.clone()],
                    bi(
                        format!("{id} takes on at most {load} need(s)"),
                        format!("{id} 至多承担 {load} 项"),
                    ),
                    prices.exception,
                    move |by| {
                        let to = f64::from(load) + by.ceil();
                        bi(
                            format!("let {name} take on {to}"),
                            format!("允许 {name} 承担 {to} 项"),
                        )
                    },
                ),
                terms,
                Sense::AtMost,
                f64::from(load),
            );
        }
        (x, list)
    }

    fn society_rows(
        &self,
        programme: &mut Programme,
        x: &[Variable],
        prices: &TeamPrices,
        add: &mut impl FnMut(&mut Programme, Told, Vec<(Variable, f64)>, Sense, f64),
    ) {
        let p = &self.problem;
        let n = p.least_societies;
        if n == 0 {
            return;
        }
        let mut present = Vec::new();
        for s in 0..self.societies {
            let who: Vec<usize> = (0..p.candidates.len())
                .filter(|j| p.candidates[*j].societies.contains(&s))
                .collect();
            if who.is_empty() {
                continue;
            }
            // A society is present only when somebody of it is.
            let y = programme.choice(0.0);
            let mut row: Vec<(Variable, f64)> = who.iter().map(|j| (x[*j], -1.0)).collect();
            row.push((y, 1.0));
            programme.row(None, row, Sense::AtMost, 0.0);
            present.push((y, 1.0));
        }
        add(
            programme,
            told(
                "societies",
                vec![],
                bi(
                    format!("at least {n} societies"),
                    format!("至少来自 {n} 个学会"),
                ),
                prices.society,
                move |by| {
                    let to = (f64::from(n) - by.ceil()).max(0.0);
                    bi(
                        format!("ask for {to} societies"),
                        format!("学会数要求降为 {to}"),
                    )
                },
            ),
            present,
            Sense::AtLeast,
            f64::from(n),
        );
    }

    /// A proof that no team keeps every constraint; `None` when one does, or time ran out.
    pub(crate) fn certificate(&self, prices: &TeamPrices, stop: &Stop) -> Option<Certificate> {
        let mut programme = Programme::new();
        let (_, list) = self.priced_constraints(&mut programme, |_| 0.0, prices);
        let tags = programme.collision(stop)?;
        let price = |t: &Tag| (*t, list[*t].price);
        let every: Vec<(Tag, f64)> = (0..list.len()).map(|t| price(&t)).collect();
        // The cheapest of all, then what each constraint of the collision would have to give alone.
        let mut asked = vec![every];
        asked.extend(tags.iter().map(|t| vec![price(t)]));
        let relaxations = asked
            .iter()
            .filter_map(|prices| programme.relax(prices, stop))
            .map(|r| Relaxation {
                cost: r.price,
                changes: r
                    .by
                    .iter()
                    .map(|(t, by)| Change {
                        constraint: list[*t].clash.constraint.clone(),
                        about: list[*t].clash.about.clone(),
                        by: *by,
                        text: (list[*t].gives)(*by - 1e-6),
                    })
                    .collect(),
            })
            .collect();
        let mut certificate = Certificate {
            collision: tags.iter().map(|t| list[*t].clash.clone()).collect(),
            minimal: true,
            relaxations,
        };
        certificate.rank();
        Some(certificate)
    }
}
