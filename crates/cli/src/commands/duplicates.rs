//! `queqiao duplicates`: records that say nearly the same.

use super::open;
use crate::{
    args::{Cli, DuplicatesArgs, Format},
    failure::Failure,
    output::{Console, shorten},
};
use queqiao_engine::DuplicateRequest;

pub(crate) fn run(cli: &Cli, args: &DuplicatesArgs, console: &Console) -> Result<(), Failure> {
    let engine = open::engine(cli, &args.over.data.folder, args.over.model.as_deref())?;
    let tenant = &args.over.data.tenant;
    let request = DuplicateRequest {
        sees_sealed: true,
        kind: args.kind,
        least: args.least,
        limit: args.limit,
        deadline: None,
    };
    let found = engine.duplicates(tenant, &request)?;
    if args.over.format == Format::Json {
        return console.json(&serde_json::json!({
            "compared": found.compared,
            "found": found.found,
            "pairs": found.pairs,
            "groups": found.groups(),
        }));
    }
    let title = |id| {
        engine
            .get(tenant, Some(args.kind), id, false)
            .map_or(String::new(), |s| s.record.title)
    };
    let mut table = console.table([
        console.say("alike", "相似度"),
        console.say("first", "前者"),
        console.say("second", "后者"),
        console.say("organisation", "单位"),
    ]);
    for p in &found.pairs {
        table.add_row([
            format!("{:.0} %", p.similarity * 100.0),
            format!("{} {}", p.first, shorten(&title(&p.first), 40)),
            format!("{} {}", p.second, shorten(&title(&p.second), 40)),
            match p.same_organisation {
                Some(true) => console.say("the same", "相同"),
                Some(false) => console.say("another", "不同"),
                None => console.say("unknown", "未知"),
            }
            .to_owned(),
        ]);
    }
    console.line(table.to_string());
    console.line(console.say(
        &format!(
            "{} records compared, {} pairs found",
            found.compared, found.found
        ),
        &format!("比较 {} 条记录，发现 {} 对", found.compared, found.found),
    ));
    Ok(())
}
