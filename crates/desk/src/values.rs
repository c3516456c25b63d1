//! Cells as counts, numbers, times and choices.

use crate::sheet::{Row, Slips};
use queqiao_events::shortlist::Objective;
use queqiao_intake::Cell;

fn expected(en: &str, zh: &str) -> (String, String) {
    (format!("expected {en}"), format!("应为{zh}"))
}

/// The number of a cell: units that people write after it are left out, percent is a share.
pub(crate) fn figure(cell: &Cell) -> Option<f64> {
    if let Cell::Number(n) = cell {
        return Some(*n).filter(|n| n.is_finite());
    }
    let text = cell.text();
    let text = text.trim().trim_end_matches([
        '人', '个', '场', '张', '分', '钟', '桌', '家', '项', '位', '名', '席', '座', '㎡', '亩',
    ]);
    let plain = |t: &str| t.trim().replace([',', '，'], "").parse::<f64>().ok();
    let value = match text.strip_suffix(['%', '％']) {
        Some(p) => plain(p).map(|p| p / 100.0),
        None => plain(text),
    };
    value.filter(|v| v.is_finite())
}

/// A number from `least` up; none where the cell is empty or wrong (then told).
pub(crate) fn number(row: Row<'_>, field: &str, least: f64, slips: &mut Slips) -> Option<f64> {
    let cell = row.cell(field);
    if cell.is_blank() {
        return None;
    }
    match figure(cell).filter(|v| *v >= least) {
        Some(v) => Some(v),
        None => {
            let (en, zh) = if least > f64::MIN {
                (
                    format!("a number from {least} up"),
                    format!("不小于 {least} 的数"),
                )
            } else {
                ("a number".to_owned(), "数值".to_owned())
            };
            let told = ("this is no such number".into(), "不是这样的数".into());
            slips.add(row, field, told, expected(&en, &zh));
            None
        }
    }
}

/// A whole number from `least` up.
pub(crate) fn count(row: Row<'_>, field: &str, least: u32, slips: &mut Slips) -> Option<u32> {
    count_to(row, field, (least, 1_000_000), slips)
}

/// A whole number of a range.
pub(crate) fn count_to(
    row: Row<'_>,
    field: &str,
    (least, most): (u32, u32),
    slips: &mut Slips,
) -> Option<u32> {
    let before = slips.0.len();
    let v = number(row, field, f64::from(least), slips);
    if slips.0.len() > before {
        return None;
    }
    let v = v?;
    if v.fract() != 0.0 || v > f64::from(most) {
        slips.add(
            row,
            field,
            (
                "this is not such a whole number".into(),
                "不是此范围内的整数".into(),
            ),
            expected(
                &format!("a whole number from {least} to {most}"),
                &format!("{least} 至 {most} 的整数"),
            ),
        );
        return None;
    }
    Some(v as u32)
}

/// Words for yes.
pub(crate) fn yes(text: &str) -> bool {
    ["是", "yes", "y", "true", "1", "可", "√", "✓"].contains(&text.trim().to_lowercase().as_str())
}

/// Entries of a list in one cell.
pub(crate) fn list(text: &str) -> Vec<String> {
    text.split(['、', '，', ',', '；', ';', '\n'])
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

/// The objective by its names.
pub(crate) fn objective(text: &str) -> Option<Objective> {
    Some(match text.trim().to_lowercase().as_str() {
        "总分最大" | "total" => Objective::Total,
        "覆盖优先" | "cover" | "cover_first" => Objective::CoverFirst,
        "最差最优" | "max_min" | "maxmin" => Objective::MaxMin,
        "稳定匹配" | "stable" => Objective::Stable,
        "纳什福利" | "nash" => Objective::Nash,
        "曝光均衡" | "fair" | "exposure_fair" => Objective::ExposureFair { cost: 0.05 },
        _ => return None,
    })
}

/// What the objective may be.
pub(crate) fn objectives() -> (String, String) {
    expected(
        "total, cover_first, max_min, stable, nash or fair",
        "总分最大、覆盖优先、最差最优、稳定匹配、纳什福利或曝光均衡",
    )
}
