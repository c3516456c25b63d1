//! `queqiao import`: spreadsheets in; good rows are stored, bad rows come back to be corrected.

use super::open;
use crate::{
    args::{Cli, Format, ImportArgs},
    failure::Failure,
    output::{Console, shorten},
};
use indicatif::ProgressBar;
use queqiao_domain::{Bilingual, TenantId};
use queqiao_engine::{Engine, Error, Write, WriteBatch, store::StoreError};
use queqiao_intake::{
    BadRowsWriter, ColumnUse, ImportOptions, Issue, Report, RowOutcome, RowResult, Source,
};
use serde::Serialize;

/// Rows stored in one transaction.
const BATCH: usize = 1_000;
/// Issues shown on a terminal; the bad-rows file has them all.
const SHOWN: usize = 20;

/// What an import did.
#[derive(Default, Serialize)]
pub(crate) struct Outcome {
    pub(crate) created: usize,
    pub(crate) updated: usize,
    pub(crate) unchanged: usize,
    /// Files with the rows to correct and import again.
    pub(crate) bad_rows: Vec<String>,
    #[serde(flatten)]
    pub(crate) report: Report,
}

pub(crate) fn run(cli: &Cli, args: &ImportArgs, console: &Console) -> Result<(), Failure> {
    if args.bad_rows.is_some() && args.files.len() > 1 {
        return Err(Failure::input(
            "--bad-rows names one file, and several are imported: leave it out, or import one by one",
            "--bad-rows 只对应一个文件：请去掉该选项，或逐个导入",
        ));
    }
    let options = ImportOptions {
        kind: args.kind,
        sheet: args.sheet.clone(),
        ..ImportOptions::default()
    };
    // Every file is opened before anything is stored: a slip in the second name costs nothing.
    let sources = args
        .files
        .iter()
        .map(|f| Source::open(f, &options))
        .collect::<Result<Vec<_>, _>>()?;
    let engine = match args.dry_run {
        true => None,
        false => Some(open::engine_or_new(
            cli,
            &args.data.folder,
            args.model.as_deref(),
        )?),
    };
    let mut outcome = Outcome::default();
    for source in sources {
        let bad = match &args.bad_rows {
            Some(path) => BadRowsWriter::at(path),
            None => BadRowsWriter::beside(&source),
        };
        let bar = console.progress(source.progress().total, source.file(), source.file());
        let written = import(
            source,
            engine.as_ref(),
            &args.data.tenant,
            bad,
            &mut outcome,
            &bar,
        );
        bar.finish_and_clear();
        written?;
    }
    match args.format {
        Format::Json => console.json(&outcome)?,
        Format::Table => print(console, &outcome),
    }
    match outcome.report.bad {
        0 => Ok(()),
        n => Err(Failure::input(
            format!(
                "{n} row(s) were not imported; correct them in {} and import that file",
                outcome.bad_rows.join(", ")
            ),
            format!(
                "{n} 行未导入；请在 {} 中更正后再次导入该文件",
                outcome.bad_rows.join("、")
            ),
        )),
    }
}

/// Imports one source. Without an engine rows are only checked.
pub(crate) fn import(
    mut source: Source,
    engine: Option<&Engine>,
    tenant: &TenantId,
    mut bad: BadRowsWriter,
    outcome: &mut Outcome,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    let mut waiting: Vec<RowOutcome> = Vec::with_capacity(BATCH);
    loop {
        let next = source.next().transpose()?;
        let end = next.is_none();
        waiting.extend(next);
        if waiting.len() == BATCH || (end && !waiting.is_empty()) {
            if let Some(engine) = engine {
                store(engine, tenant, &mut waiting, outcome)?;
            }
            for row in waiting.drain(..) {
                outcome.report.add(&row);
                bad.write(&row)?;
            }
            bar.set_position(source.progress().done);
        }
        if end {
            break;
        }
    }
    outcome.report.close(&source);
    let written = bad.finish()?;
    outcome
        .bad_rows
        .extend(written.map(|p| p.display().to_string()));
    Ok(())
}

/// Stores the good rows. Rows that the store refuses become bad rows, the others are stored.
fn store(
    engine: &Engine,
    tenant: &TenantId,
    rows: &mut [RowOutcome],
    outcome: &mut Outcome,
) -> Result<(), Failure> {
    loop {
        let good: Vec<usize> = (0..rows.len())
            .filter(|&i| matches!(rows[i].result, RowResult::Record(_)))
            .collect();
        let writes = good
            .iter()
            .filter_map(|&i| match &rows[i].result {
                RowResult::Record(r) => Some(Write::put(r.get().clone())),
                _ => None,
            })
            .collect::<Vec<_>>();
        if writes.is_empty() {
            return Ok(());
        }
        let batch = WriteBatch {
            writes,
            request_id: None,
        };
        match engine.write(tenant, batch) {
            Ok(report) => {
                outcome.created += report.created;
                outcome.updated += report.updated;
                outcome.unchanged += report.unchanged;
                return Ok(());
            }
            Err(Error::Store(StoreError::Rejected { items, .. })) if !items.is_empty() => {
                for rejection in items {
                    let row = &mut rows[good[rejection.index]];
                    row.result = RowResult::Bad(vec![Issue {
                        place: row.place.clone(),
                        column: None,
                        field: Some("id".to_owned()),
                        value: rejection.id.to_string(),
                        problem: rejection.cause.message(),
                        expected: Bilingual::new("another id", "请更换编号"),
                    }]);
                }
            }
            Err(e) => return Err(e.into()),
        }
    }
}

fn print(console: &Console, outcome: &Outcome) {
    let r = &outcome.report;
    for file in &r.files {
        let mut table = console.table(match console.lang {
            queqiao_domain::Lang::En => ["column", "is read as"],
            queqiao_domain::Lang::Zh => ["列", "读作"],
        });
        let mut rows = 0;
        for sheet in &file.sheets {
            for c in &sheet.columns {
                let used = match &c.used {
                    ColumnUse::Field(f) => f.clone(),
                    ColumnUse::Attribute(a) => format!("attributes.{a}"),
                    ColumnUse::Refused(why) => {
                        format!("{}: {}", console.say("refused", "拒收"), console.text(why))
                    }
                    ColumnUse::Ignored(why) => {
                        format!(
                            "{}: {}",
                            console.say("not read", "未读取"),
                            console.text(why)
                        )
                    }
                };
                let hint = c.did_you_mean.as_ref().map_or(String::new(), |d| {
                    format!(" ({} {d}?)", console.say("did you mean", "是否为"))
                });
                table.add_row([format!("{} {}", c.letter, c.name), used + &hint]);
                rows += 1;
            }
        }
        console.line(format!(
            "{}  ({}{})",
            file.file,
            file.format,
            file.encoding
                .as_ref()
                .map_or(String::new(), |e| format!(", {e}"))
        ));
        if rows > 0 {
            console.line(table.to_string());
        }
        for n in &file.notes {
            let place = n.place.as_ref().map_or(String::new(), |p| {
                format!("{}: ", console.text(&p.describe()))
            });
            console.line(format!("  · {place}{}", console.text(&n.text)));
        }
    }
    if !r.issues.is_empty() {
        let mut table = console.table(match console.lang {
            queqiao_domain::Lang::En => [
                "where",
                "column",
                "value",
                "what is wrong; what would be accepted",
            ],
            queqiao_domain::Lang::Zh => ["位置", "列", "值", "问题；可接受的内容"],
        });
        for i in r.issues.iter().take(SHOWN) {
            let column = i
                .column
                .as_ref()
                .map_or(String::new(), |c| format!("{} {}", c.letter, c.name));
            table.add_row([
                console.text(&i.place.describe()).to_owned(),
                column,
                shorten(&i.value, 40),
                console.text(&i.reason()).to_owned(),
            ]);
        }
        console.line(table.to_string());
        let more = r.issues.len().saturating_sub(SHOWN) as u64 + r.issues_left_out;
        if more > 0 {
            console.line(format!("… {more} {}", console.say("more", "条未列出")));
        }
    }
    let kinds: Vec<String> = r
        .by_kind
        .iter()
        .map(|(k, n)| format!("{} {n}", console.say(k.as_str(), k.zh())))
        .collect();
    console.line(match console.lang {
        queqiao_domain::Lang::En => format!(
            "{} rows: {} new, {} changed, {} the same already, {} repeated in the file, {} bad ({})",
            r.rows, outcome.created, outcome.updated, outcome.unchanged, r.repeated, r.bad, kinds.join(", ")
        ),
        queqiao_domain::Lang::Zh => format!(
            "共 {} 行：新增 {}，更新 {}，未变 {}，文件内重复 {}，错误 {}（{}）",
            r.rows, outcome.created, outcome.updated, outcome.unchanged, r.repeated, r.bad, kinds.join("、")
        ),
    });
}
