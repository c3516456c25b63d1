//! The page: head, what it says first, its sections.

use super::{Report, sections, shape, svg::escape, versus};
use crate::lang::Lang;
use std::fmt::Write;

const STYLE: &str = include_str!("style.css");

pub(super) fn page(r: &Report<'_>) -> String {
    let lang = match r.lang {
        Lang::En => "en",
        Lang::Zh => "zh-CN",
    };
    let title = escape(r.title);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"queqiao eval\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    out.push_str("<header>\n");
    let over = r.say("Ranking evaluation", "排序评测");
    let _ = writeln!(out, "<p class=\"over\">{over}</p>\n<h1>{title}</h1>");
    out.push_str("<ul class=\"facts\">");
    for (n, en, zh) in [
        (r.qrels.queries().len(), "queries", "个查询"),
        (r.qrels.judgements(), "judgements", "条判断"),
        (r.runs.len(), "runs", "个 run"),
    ] {
        let en = if n == 1 { en.trim_end_matches('s') } else { en };
        let _ = write!(out, "<li><b>{}</b> {}</li>", grouped(n), r.say(en, zh));
    }
    if let Some(n) = r.supply {
        let _ = write!(
            out,
            "<li><b>{}</b> {}</li>",
            grouped(n),
            r.say("documents", "篇文档")
        );
    }
    out.push_str("</ul>\n");
    out.push_str(&versus::lede(r));
    out.push_str("</header>\n");
    for section in [
        sections::figures(r),
        sections::intervals(r),
        versus::comparison(r),
        versus::differences(r),
        shape::shape(r),
        versus::moved(r),
        sections::per_query(r),
        sections::notes(r),
    ] {
        out.push_str(&section);
    }
    let made = r.say("Made by queqiao eval.", "由 queqiao eval 生成。");
    let _ = writeln!(out, "<footer>{made}</footer>\n</main>\n</body>\n</html>");
    out
}

/// Digits in groups of three.
pub(super) fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    out
}

/// A figure to four decimals; whole numbers as they are; a dash where there is none.
pub(super) fn figure(x: f64) -> String {
    if x.is_nan() {
        "–".to_owned()
    } else if x.fract() == 0.0 && x.abs() >= 2.0 {
        format!("{x:.0}").replace('-', "−")
    } else {
        format!("{x:.4}").replace('-', "−")
    }
}

/// A difference with its sign.
pub(super) fn signed(x: f64) -> String {
    if x.is_nan() {
        return "–".to_owned();
    }
    let text = format!("{:.4}", x.abs());
    let zero = text.chars().all(|c| c == '0' || c == '.');
    match (zero, x < 0.0) {
        (true, _) => text,
        (false, true) => format!("−{text}"),
        (false, false) => format!("+{text}"),
    }
}

/// A p: to three decimals, or below what they show.
pub(super) fn probability(p: f64) -> String {
    if p.is_nan() {
        "–".to_owned()
    } else if p < 0.0001 {
        "&lt; 0.0001".to_owned()
    } else if p < 0.01 {
        format!("{p:.4}")
    } else {
        format!("{p:.3}")
    }
}
