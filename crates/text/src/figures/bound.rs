//! Bounds around a quantity: signs and words before it, words after it, ranges and tolerances.

use super::{
    number::{self, chars, half, skip_blanks},
    unit::{self, Unit},
};
use std::sync::LazyLock;

/// Values from `low` to `high`, in the base of a unit; an absent end is open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Interval {
    /// The least value.
    pub low: Option<f64>,
    /// The greatest value.
    pub high: Option<f64>,
}

impl Interval {
    /// It is open on one side, and the other lies within it: at least 90, and 95.
    pub(super) fn takes_in(&self, other: &Interval) -> bool {
        match (self.low, self.high) {
            (Some(low), None) => other.low.is_some_and(|x| x >= low),
            (None, Some(high)) => other.high.is_some_and(|x| x <= high),
            _ => false,
        }
    }
}

/// What was read.
pub(super) struct Found {
    /// Where the bound's words begin.
    pub(super) bound_start: usize,
    /// Where the quantity begins.
    pub(super) start: usize,
    /// Where it ends, words after it included.
    pub(super) end: usize,
    pub(super) interval: Interval,
    pub(super) unit: Unit,
    pub(super) bounded: bool,
    /// How far something may be off (±0.05 mm), and not what it is.
    pub(super) tolerance: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Least,
    Most,
    About,
    Exactly,
}

/// Words and signs before a number, longest first within a beginning.
const BEFORE: &[(&str, Side)] = &[
    ("大于或等于", Side::Least),
    ("大于等于", Side::Least),
    ("不得低于", Side::Least),
    ("不得少于", Side::Least),
    ("不得小于", Side::Least),
    ("不应低于", Side::Least),
    ("不低于", Side::Least),
    ("不小于", Side::Least),
    ("不少于", Side::Least),
    ("不短于", Side::Least),
    ("提高到", Side::Least),
    ("提升到", Side::Least),
    ("提升至", Side::Least),
    ("提高至", Side::Least),
    ("达到", Side::Least),
    ("大于", Side::Least),
    ("高于", Side::Least),
    ("优于", Side::Least),
    ("超过", Side::Least),
    ("至少", Side::Least),
    ("最低", Side::Least),
    ("高达", Side::Least),
    ("可达", Side::Least),
    ("≥", Side::Least),
    ("≧", Side::Least),
    ("⩾", Side::Least),
    (">=", Side::Least),
    ("＞", Side::Least),
    (">", Side::Least),
    ("at least", Side::Least),
    ("no less than", Side::Least),
    ("not less than", Side::Least),
    ("more than", Side::Least),
    ("greater than", Side::Least),
    ("above", Side::Least),
    ("over", Side::Least),
    ("小于或等于", Side::Most),
    ("小于等于", Side::Most),
    ("不得高于", Side::Most),
    ("不得超过", Side::Most),
    ("不得大于", Side::Most),
    ("不高于", Side::Most),
    ("不大于", Side::Most),
    ("不超过", Side::Most),
    ("不多于", Side::Most),
    ("控制在", Side::Most),
    ("降低到", Side::Most),
    ("降低至", Side::Most),
    ("降到", Side::Most),
    ("降至", Side::Most),
    ("小于", Side::Most),
    ("低于", Side::Most),
    ("少于", Side::Most),
    ("短于", Side::Most),
    ("最多", Side::Most),
    ("至多", Side::Most),
    ("≤", Side::Most),
    ("≦", Side::Most),
    ("⩽", Side::Most),
    ("<=", Side::Most),
    ("＜", Side::Most),
    ("<", Side::Most),
    ("at most", Side::Most),
    ("no more than", Side::Most),
    ("not more than", Side::Most),
    ("less than", Side::Most),
    ("below", Side::Most),
    ("under", Side::Most),
    ("within", Side::Most),
    ("up to", Side::Most),
    ("约为", Side::About),
    ("大约", Side::About),
    ("约", Side::About),
    ("≈", Side::About),
    ("about", Side::About),
];

/// Words after a quantity.
const AFTER: &[(&str, Side)] = &[
    ("及以上", Side::Least),
    ("或以上", Side::Least),
    ("以上", Side::Least),
    ("or more", Side::Least),
    ("or above", Side::Least),
    ("及以下", Side::Most),
    ("或以下", Side::Most),
    ("以下", Side::Most),
    ("以内", Side::Most),
    ("之内", Side::Most),
    ("or less", Side::Most),
    ("左右", Side::About),
    ("上下", Side::About),
];

/// How far "about" reaches.
const ABOUT: f64 = 0.1;

/// The quantity that begins at a byte, with its bound if one stands before it; `None` where none does.
pub(super) fn read(text: &str, at: usize) -> Option<Found> {
    // A number inside a word, a model's name or a longer number begins nothing.
    let previous = text[..at].chars().next_back().map(half);
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
    let (side, number_at) = match before(text, at) {
        Some((side, after)) => (Some(side), skip_blanks(text, after)),
        None => (None, at),
    };
    if side.is_none() && previous.is_some_and(inside) {
        return None;
    }
    let (mut tolerance_only, mut start) = (false, number_at);
    if text[start..].starts_with('±') {
        tolerance_only = true;
        start = skip_blanks(text, start + '±'.len_utf8());
    }
    // A dash is a sign at the beginning of a value, and before degrees after a word (温度-20℃).
    let mut sign = 1.0;
    let mut sure = true;
    if let Some((_, '-')) = chars(text, start).next() {
        let opens = |c: char| c.is_whitespace() || ",;:(~".contains(c) || matches!(c, '。' | '、');
        sure = side.is_some() || previous.is_none_or(opens);
        if !sure && !previous.is_some_and(crate::is_han) {
            return None;
        }
        sign = -1.0;
        start += text[start..].chars().next()?.len_utf8();
    }
    let first = number::read(text, start)?;
    let mut a = sign * first.value;
    let own = unit::read(text, first.end);
    if !sure && !own.as_ref().is_some_and(|(u, _)| u.is_temperature()) {
        return None;
    }
    // A range: a second number after a dash, with the unit of both behind it.
    let own_end = own.as_ref().map_or(first.end, |u| u.1);
    let range = second(text, own_end);
    if let (Some((_, second)), None) = (&range, &own)
        && first.multiplier == 1.0
    {
        // 5到6亿: the 亿 is of both.
        a *= second.multiplier;
    }
    let range = range.map(|(b, n)| (b, n.end));
    let (interval, unit, mut end, mut bounded) = match range {
        Some((b, b_end)) if side != Some(Side::Least) || b >= a => {
            let other = unit::read(text, b_end);
            match (&own, other) {
                // 10 to 15 μm; 10 μm to 15 μm.
                (None, Some((u, end))) => (span(&u, a, b), u, end, true),
                (Some((first, _)), Some((u, end))) if first.is_comparable(&u) => {
                    let (x, y) = (first.to_base(a), u.to_base(b));
                    (ordered(x, y), u, end, true)
                }
                // 38℃-20150W is no range.
                (Some((u, end)), _) => (exactly(u, a), u.clone(), *end, false),
                (None, None) => return None,
            }
        }
        _ => match (own, tolerance(text, own_end)) {
            (Some((u, end)), _) if tolerance_only => {
                (ordered(-u.to_base(a), u.to_base(a)), u, end, true)
            }
            // 12 mm ± 0.05 mm; 12 ± 0.05 mm.
            (own, Some((t, t_end))) => {
                let (u, end) = match (own, unit::read(text, t_end)) {
                    (Some((u, _)), later) => (u, later.map_or(t_end, |l| l.1)),
                    (None, later) => later?,
                };
                let (mid, width) = (u.to_base(a), (t * u.factor).abs());
                (ordered(mid - width, mid + width), u, end, true)
            }
            (Some((u, end)), None) => (exactly(&u, a), u, end, false),
            (None, None) => return None,
        },
    };
    let mut side = side.unwrap_or(Side::Exactly);
    if let Some((after_side, after)) = after(text, end) {
        end = after;
        if side == Side::Exactly || side == Side::About || after_side == Side::Most {
            side = after_side;
        }
    }
    if unit.text == "年" && side == Side::Exactly && !bounded && (1900.0..2100.0).contains(&a) {
        // A year of the calendar.
        return None;
    }
    let interval = match side {
        Side::Exactly => interval,
        Side::Least => Interval {
            low: interval.low,
            high: None,
        },
        Side::Most => Interval {
            low: None,
            high: interval.high,
        },
        Side::About => {
            // A share of the value as it is written: about 40 ℃ is 36 to 44, whatever that is in kelvin.
            let wide = |x: f64, by: f64| {
                let written = unit.from_base(x);
                unit.to_base(written + by * written.abs())
            };
            Interval {
                low: interval.low.map(|x| wide(x, -ABOUT)),
                high: interval.high.map(|x| wide(x, ABOUT)),
            }
        }
    };
    bounded |= matches!(side, Side::Least | Side::Most);
    Some(Found {
        bound_start: at,
        start: number_at,
        end,
        interval,
        unit,
        bounded,
        tolerance: tolerance_only,
    })
}

fn exactly(unit: &Unit, value: f64) -> Interval {
    let x = unit.to_base(value);
    ordered(x, x)
}

fn span(unit: &Unit, a: f64, b: f64) -> Interval {
    ordered(unit.to_base(a), unit.to_base(b))
}

fn ordered(a: f64, b: f64) -> Interval {
    Interval {
        low: Some(a.min(b)),
        high: Some(a.max(b)),
    }
}

/// The longest word of a table with which a text begins, and its length.
fn starts<'a>(
    words: impl Iterator<Item = &'a (&'a str, Side)>,
    text: &str,
) -> Option<(Side, usize)> {
    words
        .filter(|(w, _)| {
            let begins = text.as_bytes().get(..w.len());
            begins.is_some_and(|b| b.eq_ignore_ascii_case(w.as_bytes()))
        })
        .max_by_key(|(w, _)| w.len())
        .map(|(w, s)| (*s, w.len()))
}

/// What may begin at a character: one is looked for at every place of a text, and few begin anything.
#[derive(Default)]
struct Begins {
    /// A number, or its sign.
    number: bool,
    /// Places in [`BEFORE`] of the words that may.
    words: Vec<usize>,
}

/// For each remainder of the first character, so that characters of one remainder share what may begin.
static BEGINS: LazyLock<Vec<Begins>> = LazyLock::new(|| {
    let mut begins: Vec<Begins> = std::iter::repeat_with(Begins::default)
        .take(REMAINDERS)
        .collect();
    for c in ('0'..='9').chain(['-', '±']) {
        begins[c as usize % REMAINDERS].number = true;
    }
    for (at, (word, _)) in BEFORE.iter().enumerate() {
        let first = word.chars().next().unwrap_or_default();
        let mut either = vec![first.to_ascii_lowercase(), first.to_ascii_uppercase()];
        either.dedup();
        for c in either {
            begins[c as usize % REMAINDERS].words.push(at);
        }
    }
    begins
});

const REMAINDERS: usize = 1_024;

fn begins(c: char) -> &'static Begins {
    &BEGINS[c as usize % REMAINDERS]
}

/// False where no quantity begins with this character, nor the words before one.
pub(super) fn may_begin(c: char) -> bool {
    begins(half(c)).number || !begins(c).words.is_empty()
}

fn before(text: &str, at: usize) -> Option<(Side, usize)> {
    let first = text[at..].chars().next()?;
    let words = begins(first).words.iter().map(|at| &BEFORE[*at]);
    let (side, n) = starts(words, &text[at..])?;
    // `over` of `recover` begins no bound.
    let word = text[at..].starts_with(|c: char| c.is_ascii_alphabetic());
    let inside = text[..at].ends_with(|c: char| c.is_ascii_alphabetic());
    if word && inside {
        return None;
    }
    let mut end = skip_blanks(text, at + n);
    // 达到了, 不低于为, "≥ 约": at most one word more.
    for more in ["了", "为", "约"] {
        if text[end..].starts_with(more) {
            end += more.len();
        }
    }
    Some((side, end))
}

fn after(text: &str, end: usize) -> Option<(Side, usize)> {
    let at = skip_blanks(text, end);
    starts(AFTER.iter(), &text[at..]).map(|(side, n)| (side, at + n))
}

/// The second number of a range: after `-`, `~`, 至 or 到.
fn second(text: &str, end: usize) -> Option<(f64, number::Number)> {
    let at = skip_blanks(text, end);
    let mark = text[at..].chars().next()?;
    let dash = match half(mark) {
        '-' | '~' | '—' | '至' | '到' | '∼' | '～' => at + mark.len_utf8(),
        _ => return None,
    };
    // A double dash is one.
    let dash = match text[dash..].chars().next() {
        Some(c) if c == mark && mark == '—' => dash + c.len_utf8(),
        _ => dash,
    };
    let mut start = skip_blanks(text, dash);
    let mut sign = 1.0;
    if let Some((_, '-')) = chars(text, start).next() {
        sign = -1.0;
        start += text[start..].chars().next()?.len_utf8();
    }
    let n = number::read(text, start)?;
    Some((sign * n.value, n))
}

/// `±0.05` after a number.
fn tolerance(text: &str, end: usize) -> Option<(f64, usize)> {
    let at = skip_blanks(text, end);
    let after = text[at..].strip_prefix('±')?;
    let start = skip_blanks(text, text.len() - after.len());
    number::read(text, start).map(|n| (n.value, n.end))
}

/// What is hoped for, said where a name could stand: 合格率低于70%，希望不低于85%.
const WISHES: &[&str] = &["希望", "期望值", "期望", "要求", "目标值", "目标", "力争"];

/// The words before a wish that a text ends with.
fn before_wish(text: &str) -> Option<&str> {
    let mut text = text.trim_end();
    while let Some(rest) = ["为", "是", "达", "到", "应"]
        .iter()
        .find_map(|w| text.strip_suffix(w))
    {
        text = rest.trim_end();
    }
    WISHES.iter().find_map(|w| text.strip_suffix(w))
}

/// Whether what stands before a figure says that it is hoped for, and not that it is so.
pub(super) fn wished(before: &str) -> bool {
    before_wish(before).is_some()
}

/// Nothing but what stands between the items of a list, or says there that a wish follows.
pub(super) fn goes_on(between: &str) -> bool {
    let blank =
        |c: char| c.is_whitespace() || matches!(c, '、' | ',' | '，' | '/' | '或' | '和' | '及');
    let rest = before_wish(between).unwrap_or(between);
    !between.is_empty() && rest.chars().all(blank)
}

/// What a figure is called: the last words before it, bound words and punctuation left out.
pub(super) fn name(before: &str) -> String {
    let clause = before
        .rsplit(|c: char| {
            matches!(
                half(c),
                ',' | ';' | '。' | '、' | '\n' | '!' | '?' | '(' | ')' | '：' | ':' | '“' | '”'
            )
        })
        .find(|part| part.chars().any(char::is_alphanumeric))
        .unwrap_or("")
        .trim();
    let mut text = clause;
    // 的抗拉强度为, 去除率应, 要求温度: what is left is the name.
    const TAIL: &[&str] = &[
        "应该", "需要", "可以", "应当", "必须", "分别", "为", "是", "应", "需", "在", "达", "可",
        "=", "＝", "的", "到", "至", "由", "从", "了", "is", "of", "be", "must", "should", "to",
        "the",
    ];
    loop {
        let trimmed = text.trim_end();
        let next = TAIL.iter().chain(WISHES).find_map(|t| {
            let cut = trimmed.strip_suffix(t)?;
            let latin = t.is_ascii() && t.len() > 1;
            (!latin || !cut.ends_with(|c: char| c.is_ascii_alphabetic())).then_some(cut)
        });
        match next {
            Some(cut) => text = cut,
            None => {
                text = trimmed;
                break;
            }
        }
    }
    let text = text.rsplit('的').next().unwrap_or(text).trim();
    // The end of a long clause says what is measured; its beginning says of what.
    let words: Vec<char> = text.chars().collect();
    let keep = if words.iter().any(|c| crate::is_han(*c)) {
        12
    } else {
        40
    };
    words[words.len().saturating_sub(keep)..]
        .iter()
        .collect::<String>()
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .trim()
        .to_owned()
}
