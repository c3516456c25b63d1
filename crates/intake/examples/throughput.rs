//! How fast files are read and written, and in how much memory.
//!
//! `cargo run --release -p queqiao-intake --example throughput -- [rows] [csv|xlsx|jsonl]` makes that
//! many expert records, exports them, imports the file again, and prints seconds, rows a second and
//! the process's peak memory.
#![allow(clippy::print_stdout)]

use queqiao_domain::{Detail, Kind, Lang, Passage, Record, RecordId};
use queqiao_intake::{ExportOptions, Exporter, ImportOptions, Report, Source};
use std::{error::Error, time::Instant};

fn expert(i: usize) -> Result<Record, Box<dyn Error>> {
    let mut r = Record::new(RecordId::new(format!("E-{i}"))?, Kind::Expert);
    r.title = format!("专家{i}");
    r.region = "440305".parse().ok();
    r.industries = vec!["C3973".parse()?];
    r.attributes.insert("备注".to_owned(), format!("第 {i} 位"));
    r.passages.push(Passage {
        title: format!("论文{i}"),
        text: format!(
            "摘要{i}：提出一种方法，并在第 {} 类材料上验证其有效性。",
            i % 97
        )
        .repeat(3),
    });
    if let Detail::Expert(e) = &mut r.detail {
        e.research = vec!["膜分离".to_owned(), format!("方向{}", i % 1000)];
        e.profile = format!("长期从事第 {i} 号课题的研究，主持多项项目，服务于企业。").repeat(4);
        e.professional_title = "教授".to_owned();
    }
    Ok(r)
}

/// Peak resident memory in MB, where the system tells it.
fn peak() -> String {
    std::fs::read_to_string("/proc/self/status")
        .ok()
        .and_then(|s| {
            let line = s.lines().find(|l| l.starts_with("VmHWM"))?;
            let kb: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
            Some(format!("{} MB", kb / 1024))
        })
        .unwrap_or_else(|| "unknown".to_owned())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let rows: usize = args.next().map_or(Ok(100_000), |a| a.parse())?;
    let format = args.next().unwrap_or_else(|| "csv".to_owned());
    let dir = tempfile::tempdir()?;
    let path = dir.path().join(format!("专家.{format}"));

    let options = ExportOptions {
        lang: Lang::Zh,
        ..ExportOptions::default()
    };
    let start = Instant::now();
    let mut out = Exporter::create(&path, options)?;
    for i in 0..rows {
        out.write(&expert(i)?)?;
    }
    out.finish()?;
    let size = std::fs::metadata(&path)?.len();
    let s = start.elapsed().as_secs_f64();
    println!(
        "export {format}: {rows} rows, {:.1} MB, {s:.2} s, {:.0} rows/s, peak {}",
        size as f64 / 1e6,
        rows as f64 / s,
        peak()
    );

    let start = Instant::now();
    let mut source = Source::open(&path, &ImportOptions::default())?;
    let opened = start.elapsed().as_secs_f64();
    let mut report = Report::new();
    for row in &mut source {
        report.add(&row?);
    }
    report.close(&source);
    let s = start.elapsed().as_secs_f64();
    println!(
        "import {format}: {} records, {} bad, {s:.2} s (opening {opened:.2} s), {:.0} rows/s, peak {}",
        report.records,
        report.bad,
        report.rows as f64 / s,
        peak()
    );
    Ok(())
}
