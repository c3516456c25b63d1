//! `queqiao export`: the records as they were put in.

use super::open;
use crate::{
    args::{Cli, ExportArgs, Format},
    failure::Failure,
    output::Console,
};
use queqiao_intake::{ExportOptions, Exporter};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Serialize)]
struct Exported {
    file: String,
    records: u64,
    by_kind: BTreeMap<&'static str, u64>,
}

pub(crate) fn run(_: &Cli, args: &ExportArgs, console: &Console) -> Result<(), Failure> {
    // No model is needed to write records out.
    let store = open::store(&args.data.folder)?;
    let mut exporter = Exporter::create(
        &args.file,
        ExportOptions {
            lang: console.lang,
            contact: args.with_contacts,
            ..ExportOptions::default()
        },
    )?;
    let total = store.count(&args.data.tenant, args.kind)?;
    let bar = console.progress(total, "exporting", "导出");
    for stored in store.scan(Some(&args.data.tenant))? {
        let record = stored?.record;
        if args.kind.is_none_or(|k| k == record.kind()) {
            exporter.write(&record)?;
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let done = exporter.finish()?;
    let exported = Exported {
        file: done.path.display().to_string(),
        records: done.records,
        by_kind: done.by_kind.iter().map(|(k, n)| (k.as_str(), *n)).collect(),
    };
    match args.format {
        Format::Json => console.json(&exported),
        Format::Table => {
            console.line(format!(
                "{}: {} {}",
                exported.file,
                exported.records,
                console.say("records", "条记录")
            ));
            Ok(())
        }
    }
}
