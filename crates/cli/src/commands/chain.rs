//! `queqiao chain`: supply and demand over an industry chain.

use super::open;
use crate::{
    args::{ChainArgs, Cli, Format},
    failure::Failure,
    output::{Console, shorten},
};
use queqiao_domain::Kind;
use queqiao_engine::{ChainNode, ChainRequest, NodeView};
use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
struct Line {
    id: String,
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    upstream: String,
}

pub(crate) fn run(cli: &Cli, args: &ChainArgs, console: &Console) -> Result<(), Failure> {
    let (nodes, edges) = read(args)?;
    let names: HashMap<String, String> = nodes
        .iter()
        .map(|n| (n.id.clone(), n.name.clone()))
        .collect();
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let request = ChainRequest {
        nodes,
        edges,
        region: args.region,
        least_score: args.least_score,
        fillers: args.fillers,
        today: open::today(),
        deadline: None,
    };
    let view = engine.chain(&args.over.data.tenant, &request)?;
    if args.over.format == Format::Json {
        return console.json(&view);
    }
    let mut table = console.table([
        console.say("gap", "缺口"),
        console.say("node", "环节"),
        console.say("stage", "层级"),
        console.say("asked", "需求"),
        console.say("offered", "供给"),
        console.say("readiness", "就绪度"),
        console.say("best fillers", "最佳补链对象"),
    ]);
    for n in &view.nodes {
        table.add_row(row(console, n, &names));
    }
    console.line(table.to_string());
    let elsewhere: Vec<String> = view
        .elsewhere
        .iter()
        .map(|(k, n)| kind(console, *k, *n))
        .collect();
    if !elsewhere.is_empty() {
        console.line(console.say(
            &format!("in no node: {}", elsewhere.join(", ")),
            &format!("不属于任何环节：{}", elsewhere.join("、")),
        ));
    }
    Ok(())
}

fn kind(console: &Console, kind: Kind, n: usize) -> String {
    format!("{} {n}", console.say(kind.as_str(), kind.zh()))
}

fn row(console: &Console, n: &NodeView, names: &HashMap<String, String>) -> Vec<String> {
    let name = names.get(&n.id).cloned().unwrap_or_default();
    let supply: Vec<String> = n
        .supply
        .iter()
        .map(|(k, count)| kind(console, *k, *count))
        .collect();
    let readiness: Vec<String> = n
        .readiness
        .iter()
        .map(|(level, count)| format!("{level} × {count}"))
        .collect();
    let fillers: Vec<String> = n
        .fillers
        .iter()
        .map(|f| {
            let who = if f.title.is_empty() {
                f.id.as_str()
            } else {
                &f.title
            };
            let place = f
                .region
                .map_or(String::new(), |r| format!(" ({})", r.full_name()));
            format!("{:.2} {}{place}", f.score, shorten(who, 24))
        })
        .collect();
    vec![
        format!("{:.2}", n.gap),
        format!("{} {name}", n.id),
        n.stage.to_string(),
        n.demand.to_string(),
        supply.join("\n"),
        readiness.join("\n"),
        fillers.join("\n"),
    ]
}

type Edges = Vec<(String, String)>;

fn read(args: &ChainArgs) -> Result<(Vec<ChainNode>, Edges), Failure> {
    let shown = args.chain.display().to_string();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(&args.chain)
        .map_err(|e| {
            Failure::input(
                format!("{shown} cannot be read: {e}"),
                format!("无法读取 {shown}：{e}"),
            )
        })?;
    let (mut nodes, mut edges) = (Vec::new(), Vec::new());
    for (i, row) in reader.deserialize().enumerate() {
        let line = i + 2;
        let row: Line = row.map_err(|e| {
            let expected = "id, name[, description, upstream]";
            Failure::input(
                format!("{shown}:{line}: {e}; expected the columns {expected}"),
                format!("{shown}:{line}：{e}；应有列 {expected}"),
            )
        })?;
        let upstream = row
            .upstream
            .split([';', '；'])
            .map(str::trim)
            .filter(|u| !u.is_empty());
        edges.extend(upstream.map(|u| (u.to_owned(), row.id.clone())));
        nodes.push(ChainNode {
            id: row.id,
            name: row.name,
            description: row.description,
        });
    }
    Ok((nodes, edges))
}
