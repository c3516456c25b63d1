//! The team problem of stored needs.

use crate::{
    args::{Cli, TeamComposeArgs},
    commands::{needs, open},
    failure::Failure,
};
use queqiao_desk::{TeamBook, TeamMember, TeamNeed};
use queqiao_domain::{Bilingual, Date, Detail, Record, RecordId, RegionCode, Relation, parse_date};
use queqiao_engine::{
    TeamRequest,
    teams::{ConsortiumParams, TeamParams},
};

/// Needs of one team at most.
const NEEDS: usize = 500;

pub(super) fn book(cli: &Cli, args: &TeamComposeArgs) -> Result<TeamBook, Failure> {
    let request = TeamRequest {
        needs: args
            .needs
            .iter()
            .map(|text| weighed(text))
            .collect::<Result<_, _>>()?,
        lead_ranks: args.lead_rank.clone(),
        visit: args.visit.as_deref().map(visit).transpose()?,
        region: args.region.as_deref().map(region).transpose()?,
        must: ids("--must", &args.must)?,
        must_not: ids("--must-not", &args.must_not)?,
        sees_sealed: true,
    };
    let engine = open::engine(cli, &args.data.folder, args.model.as_deref())?;
    let request = match &args.needs_where {
        Some(filter) => TeamRequest {
            needs: needs::passing(&engine, &args.data.tenant, filter, NEEDS)?
                .into_iter()
                .map(|need| (need.id, 1.0))
                .collect(),
            ..request
        },
        None => request,
    };
    let found = engine.team_for(&args.data.tenant, &request, open::today())?;
    let organisation = |r: &Record| {
        r.organisation
            .as_ref()
            .map_or(String::new(), |o| o.name.clone())
    };
    let mut problem = found.problem;
    problem.size = 8;
    problem.least_leads = u32::from(!args.lead_rank.is_empty());
    let mut notes = Vec::new();
    if args.budget.is_some() {
        notes.push(Bilingual::new(
            "stored experts carry no cost: the budget binds nothing",
            "库中专家没有费用信息：预算不起约束作用",
        ));
    }
    Ok(TeamBook {
        name: String::new(),
        problem,
        scored: true,
        params: TeamParams::default(),
        consortium: ConsortiumParams::default(),
        needs: found
            .needs
            .iter()
            .map(|r| TeamNeed {
                title: r.title.clone(),
                text: String::new(),
                organisation: organisation(r),
            })
            .collect(),
        members: found
            .experts
            .iter()
            .map(|r| TeamMember {
                name: r.title.clone(),
                organisation: organisation(r),
                title: match &r.detail {
                    Detail::Expert(e) => e.professional_title.clone(),
                    _ => String::new(),
                },
                societies: r
                    .links
                    .iter()
                    .filter(|l| l.relation == Relation::MemberOf)
                    .map(|l| l.target.clone())
                    .collect(),
                text: String::new(),
            })
            .collect(),
        notes,
    })
}

fn id(option: &str, text: &str) -> Result<RecordId, Failure> {
    RecordId::new(text.trim())
        .map_err(|e| Failure::input(format!("{option}: {e}"), format!("{option}：{e}")))
}

fn ids(option: &str, list: &[String]) -> Result<Vec<RecordId>, Failure> {
    list.iter().map(|t| id(option, t)).collect()
}

/// `N1`, or `N1*3` for a weight of 3.
fn weighed(text: &str) -> Result<(RecordId, f64), Failure> {
    let (name, weight) = match text.split_once('*') {
        None => (text, 1.0),
        Some((name, w)) => match w.trim().parse::<f64>() {
            Ok(w) if w.is_finite() && w > 0.0 => (name, w),
            _ => {
                return Err(Failure::input(
                    format!(
                        "--needs {text}: the weight is no number above 0; expected such as N1*3"
                    ),
                    format!("--needs {text}：权重应为大于 0 的数，如 N1*3"),
                ));
            }
        },
    };
    Ok((id("--needs", name)?, weight))
}

fn visit(text: &str) -> Result<(Date, Date), Failure> {
    let (a, b) = text.split_once(['~', '～']).unwrap_or((text, text));
    parse_date(a.trim())
        .zip(parse_date(b.trim()))
        .filter(|(a, b)| a <= b)
        .ok_or_else(|| {
            Failure::input(
                format!("--visit {text}: expected 2026-12-01 or 2026-12-01~2026-12-03"),
                format!("--visit {text}：应为 2026-12-01 或 2026-12-01~2026-12-03"),
            )
        })
}

fn region(text: &str) -> Result<RegionCode, Failure> {
    text.parse().map_err(|e: queqiao_domain::CodeError| {
        Failure::input(
            format!("--region: {}; {}", e.problem.en, e.expected.en),
            format!("--region：{}；{}", e.problem.zh, e.expected.zh),
        )
    })
}
