//! A cell of a table.

use jiff::ToSpan;
use jiff::civil::{Date, date};

/// A cell as the file holds it.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing.
    #[default]
    Empty,
    /// Text; every cell of a csv file is text.
    Text(String),
    /// A number.
    Number(f64),
    /// A day, and a time as the fraction: Excel's serial number in the 1900 system.
    Date(f64),
    /// A truth value.
    Bool(bool),
    /// What a formula that failed left behind (`#N/A`).
    Error(String),
}

impl Cell {
    /// True when there is nothing but white space in the cell.
    pub fn is_blank(&self) -> bool {
        match self {
            Cell::Empty => true,
            Cell::Text(t) => t.trim().is_empty(),
            _ => false,
        }
    }

    /// The day that the cell names: a date, Excel's serial number, or a text such as `2026-11-23`.
    pub fn day(&self) -> Option<Date> {
        match self {
            Cell::Date(s) => serial_date(*s),
            Cell::Number(n) if (20_000.0..80_000.0).contains(n) => serial_date(*n),
            Cell::Text(t) => {
                let first = t.trim().split([' ', 'T']).next().unwrap_or("");
                queqiao_domain::parse_date(first).or_else(|| match first.parse::<f64>() {
                    Ok(n) => Cell::Number(n).day(),
                    Err(_) => None,
                })
            }
            _ => None,
        }
    }

    /// The time of day that the cell names, in minutes: a date with a time, the fraction of a day,
    /// or a text such as `9:30`, `9点30分`, `2026-11-23 9:30`.
    pub fn minute(&self) -> Option<i64> {
        let of = |day: f64| (day.fract() * 1_440.0).round() as i64 % 1_440;
        match self {
            Cell::Date(s) if s.is_finite() => Some(of(*s)),
            Cell::Number(n) if (0.0..1.0).contains(n) || (20_000.0..80_000.0).contains(n) => {
                Some(of(*n))
            }
            Cell::Text(t) => clock(t),
            _ => None,
        }
    }

    /// The text a person sees: whole numbers without a decimal point, days as `2026-11-23`.
    pub fn text(&self) -> String {
        match self {
            Cell::Empty => String::new(),
            Cell::Text(t) => t.clone(),
            Cell::Number(n) => number_text(*n),
            Cell::Date(s) => serial_text(*s),
            Cell::Bool(b) => b.to_string(),
            Cell::Error(e) => e.clone(),
        }
    }
}

/// Minutes of a time of day as people write it; 24:00 is the end of the day.
fn clock(text: &str) -> Option<i64> {
    let t = text.trim().rsplit([' ', 'T']).next()?;
    let t: String = t
        .chars()
        .map(|c| match c {
            '：' | '点' | '时' => ':',
            '\u{ff10}'..='\u{ff19}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
            other => other,
        })
        .filter(|c| *c != '分')
        .collect();
    let (h, rest) = t.split_once(':')?;
    let m = rest.split(':').next().unwrap_or("");
    let m = if m.is_empty() { "0" } else { m };
    let (h, m): (i64, i64) = (h.parse().ok()?, m.parse().ok()?);
    ((0..24).contains(&h) && (0..60).contains(&m) || (h, m) == (24, 0)).then_some(h * 60 + m)
}

/// `440300` for 440300.0; never an exponent.
pub(crate) fn number_text(n: f64) -> String {
    if n == 0.0 {
        // Also minus zero.
        return "0".to_owned();
    }
    format!("{n}")
}

/// The day of an Excel serial number (1900 system: 1 is 1900-01-01, and 60 the 29 February that
/// never was), if it lies in the years 1900 to 9999.
pub(crate) fn serial_date(serial: f64) -> Option<Date> {
    if !(1.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let days = serial.floor() as i64;
    let base = if days < 60 {
        date(1899, 12, 31)
    } else {
        date(1899, 12, 30)
    };
    base.checked_add(days.days()).ok()
}

fn serial_text(serial: f64) -> String {
    let fraction = serial.rem_euclid(1.0);
    let seconds = (fraction * 86_400.0).round() as u64;
    let time = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    match serial_date(serial) {
        Some(d) if seconds == 0 || seconds >= 86_400 => d.to_string(),
        Some(d) => format!("{d} {time}"),
        None if (0.0..1.0).contains(&serial) => time,
        None => number_text(serial),
    }
}

/// The letters of a column, from 0: `A`, `Z`, `AA`, `XFD`.
pub fn letters(mut index: usize) -> String {
    let mut out = Vec::new();
    loop {
        out.push(b'A' + (index % 26) as u8);
        if index < 26 {
            break;
        }
        index = index / 26 - 1;
    }
    out.iter().rev().map(|b| *b as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_read_as_a_person_sees_them() {
        for (cell, text) in [
            (Cell::Number(440_300.0), "440300"),
            (Cell::Number(520.2), "520.2"),
            (Cell::Number(-0.0), "0"),
            (Cell::Number(13_800_000_000.0), "13800000000"),
            (Cell::Date(46_349.0), "2026-11-23"),
            (Cell::Date(46_349.5), "2026-11-23 12:00:00"),
            (Cell::Date(0.25), "06:00:00"),
            (Cell::Date(1.0), "1900-01-01"),
            (Cell::Date(61.0), "1900-03-01"),
            (Cell::Date(f64::NAN), "NaN"),
            (Cell::Bool(true), "true"),
        ] {
            assert_eq!(cell.text(), text);
        }
        assert!(Cell::Text(" \n\u{3000}".into()).is_blank());
        assert_eq!(serial_date(f64::INFINITY), None);
    }

    #[test]
    fn column_letters() {
        for (i, l) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (702, "AAA"),
            (16_383, "XFD"),
        ] {
            assert_eq!(letters(i), l);
        }
    }
}
