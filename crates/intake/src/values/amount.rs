//! Amounts of money as forms state them, in 万元.

use super::{Refusal, fold, is_free};
use queqiao_domain::AmountRange;

/// The unit of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// 元.
    Yuan,
    /// 千元.
    Qian,
    /// 万元.
    Wan,
    /// 亿元.
    Yi,
}

impl Unit {
    fn to_wan(self, n: f64) -> f64 {
        match self {
            Unit::Yuan => n / 10_000.0,
            Unit::Qian => n / 10.0,
            Unit::Wan => n,
            Unit::Yi => n * 10_000.0,
        }
    }

    /// The unit that a note in a header states (`单位：万元`, `必填，元`).
    pub(crate) fn in_words(note: &str) -> Option<Unit> {
        if note.contains("亿") {
            Some(Unit::Yi)
        } else if note.contains('万') || note.contains("10k") {
            Some(Unit::Wan)
        } else if note.contains("千元") {
            Some(Unit::Qian)
        } else if note.contains('元')
            || note.contains("yuan")
            || note.contains("cny")
            || note.contains("rmb")
        {
            Some(Unit::Yuan)
        } else {
            None
        }
    }

    /// The name and the unit of a header that ends with its unit (`预算万元`).
    pub(crate) fn suffix_of(key: &str) -> Option<(&str, Unit)> {
        [
            ("亿元", Unit::Yi),
            ("万元", Unit::Wan),
            ("千元", Unit::Qian),
            ("元", Unit::Yuan),
        ]
        .into_iter()
        .find_map(|(s, u)| Some((key.strip_suffix(s).filter(|k| !k.is_empty())?, u)))
    }
}

/// What a cell for an amount says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Amount {
    /// An amount or a range.
    Range(AmountRange),
    /// Words that name none on purpose (面议, 不限).
    Free,
}

/// Above this a bare number is more likely 元 than 万元.
const AMBIGUOUS: f64 = 100_000.0;

fn refusal(problem: (&str, &str)) -> Refusal {
    Refusal::new(
        problem,
        (
            "expected an amount such as 50, 50-200万, 1.5亿, ≥50万元, 100万元以内, or 面议",
            "应为金额，如 50、50-200万、1.5亿、≥50万元、100万元以内，或“面议”",
        ),
    )
}

/// Reads an amount. A number without a unit of its own has `unit`, else 万元; without either, one
/// that would exceed 10 亿元 is refused, as it was surely meant in 元.
pub(crate) fn read_amount(text: &str, unit: Option<Unit>) -> Result<Amount, Refusal> {
    let folded = fold(text).to_lowercase();
    let mut s: String = folded.chars().filter(|c| !c.is_whitespace()).collect();
    if is_free(&s) {
        return Ok(Amount::Free);
    }
    if [
        "美元", "美金", "usd", "$", "欧元", "eur", "€", "港币", "港元", "hkd", "日元", "英镑",
        "gbp",
    ]
    .iter()
    .any(|w| s.contains(w))
    {
        return Err(refusal(("a foreign currency is not read", "不支持外币")));
    }
    for word in [
        "人民币",
        "rmb",
        "cny",
        "¥",
        "￥",
        "大约",
        "大概",
        "预计",
        "预算",
        "计划",
        "总投资",
        "左右",
        "含税",
        "约",
        "共",
        "()",
    ] {
        s = s.replace(word, "");
    }
    let (s, bound) = take_bound(&s);
    let numbers = tokens(&s).ok_or_else(|| refusal(("this is not an amount", "不是金额")))?;
    let range = match numbers[..] {
        [(a, ua)] => {
            let v = to_wan(a, ua, unit)?;
            match bound {
                Some(Bound::Least) => AmountRange {
                    min: Some(v),
                    max: None,
                },
                Some(Bound::Greatest) => AmountRange {
                    min: None,
                    max: Some(v),
                },
                None => AmountRange {
                    min: Some(v),
                    max: Some(v),
                },
            }
        }
        [(a, ua), (b, ub)] if bound.is_none() => {
            // 50-200万: the unit stands once, for both.
            let (min, max) = (to_wan(a, ua.or(ub), unit)?, to_wan(b, ub, unit)?);
            if min > max {
                return Err(refusal((
                    "the first amount exceeds the second",
                    "前一金额大于后一金额",
                )));
            }
            AmountRange {
                min: Some(min),
                max: Some(max),
            }
        }
        _ => {
            return Err(refusal((
                "this is not one amount or one range",
                "不是单个金额或单个区间",
            )));
        }
    };
    Ok(Amount::Range(range))
}

#[derive(Clone, Copy)]
enum Bound {
    Least,
    Greatest,
}

/// Takes the words for a bound out of the text.
fn take_bound(s: &str) -> (String, Option<Bound>) {
    use Bound::{Greatest, Least};
    // A word stands before those it contains: 不低于 before 低于.
    const WORDS: &[(&str, Bound)] = &[
        ("大于等于", Least),
        ("小于等于", Greatest),
        ("不低于", Least),
        ("不少于", Least),
        ("不小于", Least),
        ("及以上", Least),
        ("不超过", Greatest),
        ("不高于", Greatest),
        ("不多于", Greatest),
        ("不大于", Greatest),
        ("及以下", Greatest),
        ("至少", Least),
        ("最低", Least),
        ("最少", Least),
        ("大于", Least),
        ("超过", Least),
        ("高于", Least),
        ("以上", Least),
        ("至多", Greatest),
        ("最高", Greatest),
        ("最多", Greatest),
        ("上限", Greatest),
        ("小于", Greatest),
        ("低于", Greatest),
        ("以内", Greatest),
        ("之内", Greatest),
        ("以下", Greatest),
        (">=", Least),
        ("<=", Greatest),
        ("≥", Least),
        ("≤", Greatest),
        (">", Least),
        ("<", Greatest),
        ("起", Least),
    ];
    match WORDS.iter().find(|(w, _)| s.contains(w)) {
        Some((w, bound)) => (s.replacen(w, "", 1), Some(*bound)),
        None => (s.to_owned(), None),
    }
}

fn to_wan(n: f64, own: Option<Unit>, header: Option<Unit>) -> Result<f64, Refusal> {
    match own.or(header) {
        Some(u) => Ok(u.to_wan(n)),
        None if n >= AMBIGUOUS => Err(refusal((
            "it is unclear whether this is 元 or 万元: write the unit",
            "单位不明（元还是万元），请写明单位",
        ))),
        None => Ok(n),
    }
}

/// `50万-1.5亿` as its numbers with their units; `None` when anything else stands there.
fn tokens(s: &str) -> Option<Vec<(f64, Option<Unit>)>> {
    let chars: Vec<char> = s.chars().collect();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < chars.len() {
        if !out.is_empty() {
            let start = i;
            while i < chars.len()
                && matches!(
                    chars[i],
                    '-' | '–' | '—' | '−' | '~' | '～' | '〜' | '至' | '到'
                )
            {
                i += 1;
            }
            if i == start {
                return None;
            }
        }
        let mut digits = String::new();
        while let Some(c) = chars.get(i) {
            let thousands = *c == ','
                && !digits.is_empty()
                && chars
                    .get(i + 1..i + 4)
                    .is_some_and(|n| n.iter().all(char::is_ascii_digit))
                && !chars.get(i + 4).is_some_and(char::is_ascii_digit);
            match c {
                '0'..='9' | '.' => digits.push(*c),
                ',' if thousands => {}
                _ => break,
            }
            i += 1;
        }
        let n: f64 = digits.parse().ok().filter(|_| digits.len() <= 20)?;
        let rest: String = chars[i..].iter().take(3).collect();
        let unit = [
            ("百万元", Unit::Wan, 100.0),
            ("千万元", Unit::Wan, 1000.0),
            ("百万", Unit::Wan, 100.0),
            ("千万", Unit::Wan, 1000.0),
            ("万元", Unit::Wan, 1.0),
            ("亿元", Unit::Yi, 1.0),
            ("千元", Unit::Qian, 1.0),
            ("万", Unit::Wan, 1.0),
            ("亿", Unit::Yi, 1.0),
            ("w", Unit::Wan, 1.0),
            ("元", Unit::Yuan, 1.0),
        ]
        .into_iter()
        .find(|(w, _, _)| rest.starts_with(w));
        match unit {
            Some((w, u, times)) => {
                i += w.chars().count();
                out.push((n * times, Some(u)));
            }
            None => out.push((n, None)),
        }
        if out.len() > 2 {
            return None;
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Writes a range so that [`read_amount`] reads the same range under a header in 万元, to the last
/// bit.
pub(crate) fn write_amount(r: AmountRange) -> String {
    match (r.min, r.max) {
        (Some(a), Some(b)) if a == b => format!("{a}"),
        (Some(a), Some(b)) => format!("{a}-{b}"),
        (Some(a), None) => format!("≥{a}"),
        (None, Some(b)) => format!("≤{b}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str, unit: Option<Unit>) -> String {
        match read_amount(text, unit) {
            Ok(Amount::Range(r)) => write_amount(r),
            Ok(Amount::Free) => "free".into(),
            Err(e) => format!("! {}", e.problem.en),
        }
    }

    #[test]
    fn amounts_as_people_write_them() {
        for (text, shown) in [
            ("100", "100"),
            ("100万元", "100"),
            ("５０万", "50"),
            ("50-200万", "50-200"),
            ("50万-200万元", "50-200"),
            ("50～200", "50-200"),
            ("5000万至1.5亿元", "5000-15000"),
            ("1.5亿", "15000"),
            ("500000元", "50"),
            ("1,200,000元", "120"),
            ("约100万元", "100"),
            ("人民币 100 万元左右", "100"),
            ("≥50万元", "≥50"),
            ("不低于50万元", "≥50"),
            ("100万元以上", "≥100"),
            ("100万元及以上", "≥100"),
            ("100万元以内", "≤100"),
            ("不超过300万", "≤300"),
            ("<=20", "≤20"),
            ("3千万", "3000"),
            ("200w", "200"),
            ("面议", "free"),
            ("不限", "free"),
            ("双方协商", "free"),
            ("-", "free"),
        ] {
            assert_eq!(show(text, None), shown, "{text}");
        }
    }

    #[test]
    fn the_header_states_the_unit() {
        assert_eq!(show("500000", Some(Unit::Yuan)), "50");
        assert_eq!(show("2", Some(Unit::Yi)), "20000");
        assert_eq!(show("50万元", Some(Unit::Yuan)), "50");
        assert_eq!(show("5000000", Some(Unit::Wan)), "5000000");
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for (text, problem) in [
            ("很多", "! this is not an amount"),
            ("100万美元", "! a foreign currency is not read"),
            ("500万元，其中研发200万元", "! this is not an amount"),
            (
                "500000",
                "! it is unclear whether this is 元 or 万元: write the unit",
            ),
            ("200-50", "! the first amount exceeds the second"),
            ("1-2-3", "! this is not an amount"),
            ("1.2.3", "! this is not an amount"),
            ("", "! this is not an amount"),
            ("-5", "! this is not an amount"),
        ] {
            assert_eq!(show(text, None), problem, "{text}");
        }
    }

    #[test]
    fn written_amounts_read_the_same() {
        for r in [
            (Some(0.1), Some(0.3)),
            (Some(1e-7), None),
            (None, Some(1e9)),
            (Some(33.333_333_333_333_33), Some(33.333_333_333_333_33)),
        ] {
            let r = AmountRange { min: r.0, max: r.1 };
            assert_eq!(
                read_amount(&write_amount(r), Some(Unit::Wan)),
                Ok(Amount::Range(r))
            );
        }
    }
}
