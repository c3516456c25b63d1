//! Numbers as people write them.

/// A number and where it ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number {
    pub(super) value: f64,
    /// The 万 or 亿 in it, or 1.
    pub(super) multiplier: f64,
    pub(super) end: usize,
}

/// The half-width form of a sign or digit.
pub(super) fn half(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '−' | '–' => '-',
        '×' | '✕' => 'x',
        c => c,
    }
}

/// Characters with their places, half-width, from a byte on.
pub(super) fn chars(text: &str, from: usize) -> impl Iterator<Item = (usize, char)> + Clone + '_ {
    text[from..]
        .char_indices()
        .map(move |(i, c)| (from + i, half(c)))
}

/// The place after blanks.
pub(super) fn skip_blanks(text: &str, from: usize) -> usize {
    text[from..]
        .find(|c: char| !matches!(c, ' ' | '\u{3000}' | '\u{a0}' | '\t'))
        .map_or(text.len(), |i| from + i)
}

/// The number that begins at a byte: `1,500`, `１．８`, `3×10⁵`, `2.5e3`, then 万, 亿 and their like.
/// `None` where no digit stands.
pub(super) fn read(text: &str, from: usize) -> Option<Number> {
    let mut digits = String::new();
    let mut end = from;
    let mut it = chars(text, from).peekable();
    while let Some((i, c)) = it.next() {
        let next = it.peek().map(|n| n.1);
        match c {
            '0'..='9' => digits.push(c),
            '.' if !digits.is_empty()
                && !digits.contains('.')
                && next.is_some_and(|n| n.is_ascii_digit()) =>
            {
                digits.push('.');
            }
            // A comma between thousands.
            ',' if thousands(text, i) && !digits.contains('.') && !digits.is_empty() => {}
            _ => break,
        }
        end = it.peek().map_or(text.len(), |n| n.0);
    }
    if digits.is_empty() {
        return None;
    }
    let mut value: f64 = digits.parse().ok()?;
    if let Some((factor, after)) = power(text, end) {
        value *= factor;
        end = after;
    }
    let (factor, after) = multiplier(text, end);
    Some(Number {
        value: value * factor,
        multiplier: factor,
        end: after,
    })
    .filter(|n| n.value.is_finite())
}

/// Whether the comma at a byte stands between thousands: three digits follow, and no fourth.
fn thousands(text: &str, comma: usize) -> bool {
    let mut after = chars(text, comma).skip(1);
    let three = (0..3).all(|_| after.next().is_some_and(|c| c.1.is_ascii_digit()));
    three && !after.next().is_some_and(|c| c.1.is_ascii_digit())
}

/// `×10⁵`, `x10^5`, `*10-3`, `e5`: factor and end.
fn power(text: &str, from: usize) -> Option<(f64, usize)> {
    let mut at = skip_blanks(text, from);
    let mut it = chars(text, at);
    let first = it.next()?.1;
    if matches!(first, 'e' | 'E') {
        let (exponent, end) = exponent(text, it.next()?.0)?;
        // `5e` of `5each` is no power.
        return Some((10f64.powi(exponent), end));
    }
    if !matches!(first, 'x' | 'X' | '*' | '·') {
        return None;
    }
    at = skip_blanks(text, it.next()?.0);
    let rest = &text[at..];
    let digits: String = rest.chars().take(2).map(half).collect();
    if digits != "10" {
        return None;
    }
    at += rest.chars().take(2).map(char::len_utf8).sum::<usize>();
    let after = text[at..].strip_prefix('^').map_or(at, |_| at + 1);
    let (exponent, end) = exponent(text, after)?;
    Some((10f64.powi(exponent), end))
}

/// A small whole number, plain or raised, with its end.
pub(super) fn exponent(text: &str, from: usize) -> Option<(i32, usize)> {
    const RAISED: &str = "⁰¹²³⁴⁵⁶⁷⁸⁹";
    let (mut negative, mut value, mut end, mut any) = (false, 0i32, from, false);
    for (i, c) in chars(text, from) {
        let digit = c
            .to_digit(10)
            .or_else(|| RAISED.chars().position(|r| r == c).map(|p| p as u32));
        match (c, digit) {
            ('-' | '⁻', _) if i == from => negative = true,
            ('+' | '⁺', _) if i == from => {}
            (_, Some(d)) if value < 100 => {
                value = value * 10 + d as i32;
                any = true;
            }
            _ => break,
        }
        end = i + text[i..].chars().next().map_or(1, char::len_utf8);
    }
    (any && value <= 30).then_some((if negative { -value } else { value }, end))
}

/// 万, 亿, 千万 … after a number: factor and end. 千 and 百 alone belong to units (千瓦, 千米) unless
/// 万 or 亿 or 元 follows.
fn multiplier(text: &str, from: usize) -> (f64, usize) {
    let rest = &text[skip_blanks(text, from)..];
    let start = text.len() - rest.len();
    for (word, factor) in [
        ("千亿", 1e11),
        ("百亿", 1e10),
        ("十亿", 1e9),
        ("千万", 1e7),
        ("百万", 1e6),
        ("十万", 1e5),
        ("余万", 1e4),
        ("多万", 1e4),
        ("亿", 1e8),
        ("万", 1e4),
    ] {
        if rest.starts_with(word) {
            return (factor, start + word.len());
        }
    }
    if rest.starts_with("千元") || rest.starts_with("千人") || rest.starts_with("千台") {
        return (1e3, start + '千'.len_utf8());
    }
    (1.0, from)
}
