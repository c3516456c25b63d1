//! `queqiao demo`: the main job from end to end on the sample that ships with the program.
//!
//! The sample is invented. It goes through the same import as any spreadsheet, into a temporary
//! data folder; the questions go over gRPC to a real service on a free port.

use super::{
    import::{Outcome, import},
    matching::print_match,
    open, serve,
};
use crate::{
    args::{Cli, DataArgs, DemoArgs, FolderArgs},
    failure::{Failure, chain},
    output::{Console, shorten},
};
use queqiao_domain::{Kind, RecordId, Score, TenantId};
use queqiao_engine::{
    Excerpt, Feature, FigureMatch, Match, Part, Quote, Verdict, embed::ModelStore,
};
use queqiao_intake::{BadRowsWriter, ImportOptions, Source};
use queqiao_proto::v1::{
    self as wire, match_request::Ask, match_service_client::MatchServiceClient,
};
use std::{path::Path, sync::Arc};

/// The sample's files: name, kind, contents.
const SAMPLE: [(&str, Kind, &str); 9] = [
    (
        "needs-gba.csv",
        Kind::Need,
        include_str!("../../sample/needs-gba.csv"),
    ),
    (
        "needs-tj.csv",
        Kind::Need,
        include_str!("../../sample/needs-tj.csv"),
    ),
    (
        "experts-gba.csv",
        Kind::Expert,
        include_str!("../../sample/experts-gba.csv"),
    ),
    (
        "experts-tj.csv",
        Kind::Expert,
        include_str!("../../sample/experts-tj.csv"),
    ),
    (
        "achievements-gba.csv",
        Kind::Achievement,
        include_str!("../../sample/achievements-gba.csv"),
    ),
    (
        "achievements-tj.csv",
        Kind::Achievement,
        include_str!("../../sample/achievements-tj.csv"),
    ),
    (
        "societies.csv",
        Kind::Society,
        include_str!("../../sample/societies.csv"),
    ),
    (
        "institutions-gba.csv",
        Kind::Institution,
        include_str!("../../sample/institutions-gba.csv"),
    ),
    (
        "institutions-tj.csv",
        Kind::Institution,
        include_str!("../../sample/institutions-tj.csv"),
    ),
];

/// What the demo asks: the record that asks, what it wants, and why it is worth looking at.
const QUESTIONS: [(&str, Kind, &[Kind], &str, &str); 4] = [
    (
        "GBA-N13",
        Kind::Need,
        &[Kind::Expert, Kind::Achievement],
        "an enterprise asks in everyday words",
        "企业用日常说法提需求",
    ),
    (
        "TJ-N02",
        Kind::Need,
        &[Kind::Expert, Kind::Society],
        "leaking pipelines: who knows why they fail?",
        "管道漏油：谁懂其中的机理？",
    ),
    (
        "GBA-N08",
        Kind::Need,
        &[Kind::Expert],
        "a Chinese need, an expert who publishes in English",
        "中文需求，英文论文的专家",
    ),
    (
        "TJ-E10",
        Kind::Expert,
        &[Kind::Need],
        "the other way round: an expert looks for enterprises",
        "反过来：让科学家找到企业家",
    ),
];

pub(crate) fn run(cli: &Cli, args: &DemoArgs, console: &Console) -> Result<(), Failure> {
    let io = |e: std::io::Error| {
        Failure::failed(
            format!("the temporary folder: {e}"),
            format!("临时目录：{e}"),
        )
    };
    let folder = tempfile::tempdir().map_err(io)?;
    let data = DataArgs {
        folder: FolderArgs {
            path: folder.path().join("data"),
        },
        tenant: TenantId::default(),
    };
    let engine = Arc::new(open::engine_or_new(
        cli,
        &data.folder,
        args.model.as_deref(),
    )?);
    let mut outcome = Outcome::default();
    for (name, kind, contents) in SAMPLE {
        let path = folder.path().join(name);
        std::fs::write(&path, contents).map_err(io)?;
        load(&path, kind, &engine, &data, &mut outcome)?;
    }
    if outcome.report.bad > 0 {
        return Err(Failure::failed(
            format!("{} rows of the sample were refused", outcome.report.bad),
            format!("样例中有 {} 行被拒收", outcome.report.bad),
        ));
    }
    let kinds: Vec<String> = outcome
        .report
        .by_kind
        .iter()
        .map(|(k, n)| format!("{n} {}", console.say(k.collection(), k.zh())))
        .collect();
    console.line(format!(
        "{} {}",
        console.say("invented sample loaded:", "已载入虚构样例："),
        kinds.join(", ")
    ));

    let runtime = serve::runtime()?;
    runtime.block_on(async {
        let (started, address) = tokio::sync::oneshot::channel();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let mut config = queqiao_server::ServerConfig {
            models: ModelStore::find(&open::model_folders(cli)).ok(),
            ..Default::default()
        };
        config.listen.set_port(0);
        let service = tokio::spawn(serve::serve(
            config,
            Arc::clone(&engine),
            async {
                let _ = stopped.await;
            },
            |a| {
                let _ = started.send(a);
            },
        ));
        let Ok(address) = address.await else {
            return service.await.map_err(failed)?;
        };
        console.line(format!("{} {address} (gRPC)\n", console.say("serving on", "服务地址")));
        let channel = tonic::transport::Endpoint::from_shared(format!("http://{address}"))
            .map_err(failed)?
            .connect()
            .await
            .map_err(failed)?;
        let mut client = MatchServiceClient::new(channel);
        for (id, kind, to, en, zh) in QUESTIONS {
            let asked = engine
                .get(&data.tenant, Some(kind), &RecordId::new(id).map_err(failed)?, false)?
                .record;
            console.line(format!("■ {}", console.say(en, zh)));
            console.line(format!("  {} {id}: {}", console.say(kind.as_str(), kind.zh()), shorten(&asked.title, 80)));
            let answer = client
                .r#match(wire::MatchRequest {
                    parent: format!("tenants/{}", data.tenant),
                    ask: Some(Ask::Record(format!("tenants/{}/{}/{id}", data.tenant, kind.collection()))),
                    kinds: to.iter().map(|k| wire_kind(*k).into()).collect(),
                    k: 3,
                    ..wire::MatchRequest::default()
                })
                .await
                .map_err(failed)?
                .into_inner();
            for m in answer.matches {
                print_match(console, &plain(m)?, false);
            }
            console.line("");
        }
        if args.keep {
            console.line(console.say("serving until Ctrl-C", "持续服务，按 Ctrl-C 结束"));
            serve::stop_signal().await;
        } else {
            console.line(console.say(
                "Your own records: queqiao import needs.xlsx experts.csv && queqiao match --need ID",
                "导入自己的数据：queqiao import 需求.xlsx 专家.csv && queqiao match --need 编号",
            ));
        }
        drop(client);
        let _ = stop.send(());
        service.await.map_err(failed)?
    })
}

fn load(
    path: &Path,
    kind: Kind,
    engine: &queqiao_engine::Engine,
    data: &DataArgs,
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    let options = ImportOptions {
        kind: Some(kind),
        ..ImportOptions::default()
    };
    let source = Source::open(path, &options)?;
    let bad = BadRowsWriter::beside(&source);
    import(
        source,
        Some(engine),
        &data.tenant,
        bad,
        outcome,
        &indicatif::ProgressBar::hidden(),
    )
}

fn failed(e: impl std::error::Error) -> Failure {
    let why = chain(&e);
    Failure::failed(
        format!("the demo failed: {why}"),
        format!("演示失败：{why}"),
    )
}

fn wire_kind(k: Kind) -> wire::Kind {
    match k {
        Kind::Need => wire::Kind::Need,
        Kind::Enterprise => wire::Kind::Enterprise,
        Kind::Expert => wire::Kind::Expert,
        Kind::Society => wire::Kind::Society,
        Kind::Achievement => wire::Kind::Achievement,
        Kind::Institution => wire::Kind::Institution,
    }
}

/// A match from the wire, as the printing wants it.
fn plain(m: wire::Match) -> Result<Match, Failure> {
    let kind = Kind::ALL
        .into_iter()
        .find(|k| i32::from(wire_kind(*k)) == m.kind)
        .unwrap_or(Kind::Expert);
    let feature = |name: &str| Feature::ALL.into_iter().find(|f| f.as_str() == name);
    Ok(Match {
        rank: m.rank.unsigned_abs() as usize,
        id: RecordId::new(m.id).map_err(failed)?,
        kind,
        title: m.title,
        score: Score::new(m.score),
        probability: m.probability,
        parts: m
            .parts
            .iter()
            .filter_map(|p| {
                Some(Part {
                    feature: feature(&p.feature)?,
                    value: p.value,
                    weight: p.weight,
                    contribution: p.contribution,
                })
            })
            .collect(),
        quote: m.quote.map(|mut q| Quote {
            asked: q.asked.take().map(plain_asked),
            excerpt: plain_quote(q),
        }),
        figures: m.figures.into_iter().filter_map(plain_figure).collect(),
        // The demo does not ask for them.
        clauses: Vec::new(),
        drawn: m.drawn,
        wanted: m.wanted,
        // No record of the demo is sealed.
        disclosed: None,
        facets: None,
    })
}

fn plain_asked(a: wire::Asked) -> Excerpt {
    Excerpt {
        path: a.path,
        text: a.text,
        start: a.start.unsigned_abs() as usize,
        end: a.end.unsigned_abs() as usize,
    }
}

fn plain_quote(q: wire::Quote) -> Excerpt {
    Excerpt {
        path: q.path,
        text: q.text,
        start: q.start.unsigned_abs() as usize,
        end: q.end.unsigned_abs() as usize,
    }
}

fn plain_figure(f: wire::FigureMatch) -> Option<FigureMatch> {
    use wire::FigureVerdict as V;
    Some(FigureMatch {
        verdict: match f.verdict() {
            V::Met => Some(Verdict::Met),
            V::Partial => Some(Verdict::Partial),
            V::Short => Some(Verdict::Short),
            V::Unknown | V::Unspecified => None,
        },
        asked: plain_asked(f.asked?),
        offered: f.offered.map(plain_quote),
        margin: f.margin,
    })
}
