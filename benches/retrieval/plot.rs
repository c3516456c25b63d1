//! Curves of a run, drawn from its file: recall against queries per second, a panel per filter.

use anyhow::{Context, Result};
use serde_json::Value;
use std::{fmt::Write, fs, path::Path};

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 40.0;
const LEGEND: f64 = 34.0;
/// Recall below is not drawn.
const LEAST: f64 = 0.8;
/// Told apart by those who see colours differently, too (Okabe and Ito 2008).
const COLOURS: [&str; 8] = [
    "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#444444", "#999933",
];

struct Curve {
    tool: String,
    points: Vec<(f64, f64)>,
}

/// Draws the curves of a run beside its file, as `.svg`.
pub(crate) fn draw(run: &Path) -> Result<()> {
    let said: Value = serde_json::from_str(&fs::read_to_string(run)?)?;
    let cases = said["cases"].as_array().context("no cases in the run")?;
    let names: Vec<String> = {
        let of = cases.iter().filter_map(|c| c["tools"].as_object());
        let mut all: Vec<String> = of.flat_map(|t| t.keys().cloned()).collect();
        // Ours first, so that its colour is the same everywhere.
        all.sort_by_key(|name| (name != "queqiao", name.clone()));
        all.dedup();
        all
    };
    let columns = cases.len().min(2);
    let rows = cases.len().div_ceil(columns.max(1));
    let (w, h) = (
        WIDTH * columns as f64,
        HEIGHT * rows as f64 + LEGEND + LEGEND,
    );
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
         height=\"{h}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let title = format!(
        "{} × {}, {}: recall@10 and queries per second",
        said["vectors"],
        said["dimensions"],
        said["set"].as_str().unwrap_or("clustered"),
    );
    writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"20\" font-size=\"13\" font-weight=\"bold\">{title}</text>"
    )?;
    for (i, name) in names.iter().enumerate() {
        let (x, y) = (
            LEFT + (i % 4) as f64 * (w - LEFT) / 4.0,
            36.0 + (i / 4) as f64 * 16.0,
        );
        writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{}\" r=\"4\" fill=\"{}\"/><text x=\"{}\" y=\"{y}\">{name}</text>",
            y - 4.0,
            colour(i),
            x + 8.0
        )?;
    }
    for (i, case) in cases.iter().enumerate() {
        let x = (i % columns) as f64 * WIDTH;
        let y = LEGEND + LEGEND + (i / columns) as f64 * HEIGHT;
        writeln!(svg, "<g transform=\"translate({x} {y})\">")?;
        panel(&mut svg, case, &names)?;
        writeln!(svg, "</g>")?;
    }
    writeln!(svg, "</svg>")?;
    fs::write(run.with_extension("svg"), svg)?;
    Ok(())
}

fn colour(i: usize) -> &'static str {
    COLOURS[i % COLOURS.len()]
}

fn curves(case: &Value) -> Vec<Curve> {
    let tools = case["tools"].as_object().into_iter().flatten();
    tools
        .map(|(tool, told)| {
            let points = told["curve"].as_array().into_iter().flatten();
            let mut points: Vec<(f64, f64)> = points
                .filter_map(|p| Some((p["recall"].as_f64()?, p["qps"].as_f64()?)))
                .filter(|p| p.0 >= LEAST && p.1 > 0.0)
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
            Curve {
                tool: tool.clone(),
                points,
            }
        })
        .collect()
}

fn panel(svg: &mut String, case: &Value, names: &[String]) -> Result<()> {
    let curves = curves(case);
    let all = || curves.iter().flat_map(|c| c.points.iter().map(|p| p.1));
    let low = all().fold(f64::MAX, f64::min).log10().floor();
    let high = all().fold(f64::MIN, f64::max).log10().ceil();
    let (low, high) = if low < high { (low, high) } else { (0.0, 1.0) };
    // The last percents are what matters: an axis of the logarithm of what is missing.
    let place = |recall: f64| -((1.0 - recall).max(0.001)).log10();
    let x = |recall: f64| {
        let (from, to) = (place(LEAST), place(1.0));
        LEFT + (place(recall) - from) / (to - from) * (WIDTH - LEFT - RIGHT)
    };
    let y = |qps: f64| {
        let share = (qps.log10() - low) / (high - low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    };
    let filter = match case["filter"].as_str().unwrap_or("all") {
        "all" => "no filter".to_owned(),
        some => format!("{some} pass the filter"),
    };
    writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"bold\">{filter}</text>",
        TOP - 8.0
    )?;
    for recall in [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999] {
        let at = x(recall);
        writeln!(
            svg,
            "<path d=\"M{at:.1} {TOP}V{}\" stroke=\"#ddd\"/><text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\">{recall}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 15.0
        )?;
    }
    for power in low as i32..=high as i32 {
        let at = y(10f64.powi(power));
        let label = match power {
            p if p >= 6 => format!("{} M", 10i64.pow(p as u32 - 6)),
            p if p >= 3 => format!("{} k", 10i64.pow(p as u32 - 3)),
            p => format!("{}", 10f64.powi(p)),
        };
        writeln!(
            svg,
            "<path d=\"M{LEFT} {at:.1}H{}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        )?;
    }
    writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">recall@10</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 8.0
    )?;
    for curve in &curves {
        let i = names.iter().position(|n| *n == curve.tool).unwrap_or(0);
        let path: Vec<String> = curve
            .points
            .iter()
            .map(|p| format!("{:.1} {:.1}", x(p.0), y(p.1)))
            .collect();
        if path.is_empty() {
            continue;
        }
        let width = if curve.tool == "queqiao" { 2.5 } else { 1.5 };
        writeln!(
            svg,
            "<path d=\"M{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{width}\"/>",
            path.join("L"),
            colour(i)
        )?;
        for p in &curve.points {
            writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{}\"/>",
                x(p.0),
                y(p.1),
                colour(i)
            )?;
        }
    }
    Ok(())
}
