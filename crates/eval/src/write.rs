//! Runs as TREC lines that every reader cuts where we did.
//!
//! The format separates its columns by white space and knows no quotes. An id that holds white space
//! would shift every column after it, so such an id is percent-encoded, and the second column, which
//! no reader looks at (trec_eval `get_trec_results.c`, pytrec_eval, ir_measures, ranx), names which
//! ids of the line are: `%q` the query's, `%d` the document's, `%qd` both; else it holds `Q0`. Readers
//! that know nothing of this see six columns; ours gives back the ids to the last character. An id
//! without white space stands as it is, whatever percent signs it holds.

use crate::{
    error::{Cause, Error},
    lang::Text,
};
use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// Writes one answer of a run: query, document, rank from 1, score to nine decimals, tag. A tag is a
/// name and no id: what would not stand in a column becomes `_`.
///
/// # Errors
/// Of `out`.
pub fn write_run_line(
    out: &mut impl Write,
    (query, document): (&str, &str),
    rank: usize,
    score: f64,
    tag: &str,
) -> io::Result<()> {
    // A line that begins with # is a comment.
    let q = encoded(query, query.starts_with('#'));
    let d = encoded(document, false);
    let second = match (&q, &d) {
        (Cow::Borrowed(_), Cow::Borrowed(_)) => "Q0",
        (Cow::Owned(_), Cow::Borrowed(_)) => "%q",
        (Cow::Borrowed(_), Cow::Owned(_)) => "%d",
        (Cow::Owned(_), Cow::Owned(_)) => "%qd",
    };
    let tag: String = tag
        .chars()
        .map(|c| if breaks(c) { '_' } else { c })
        .collect();
    writeln!(out, "{q} {second} {d} {rank} {score:.9} {tag}")
}

/// True for a character at which some reader ends a column or a line. Readers in Python split at the
/// separators of ASCII and at Unicode's white space too.
fn breaks(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

fn encoded(id: &str, always: bool) -> Cow<'_, str> {
    if !always && !id.is_empty() && !id.contains(breaks) {
        return Cow::Borrowed(id);
    }
    // Nothing is written as a sign without digits.
    let mut out = String::from(if id.is_empty() { "%" } else { "" });
    for (i, c) in id.chars().enumerate() {
        if c == '%' || breaks(c) || (i == 0 && c == '#') {
            for b in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(out, "%{b:02X}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Which ids of a line are encoded, by its second column: the query's, the document's.
pub(crate) fn encodings(second: &[u8]) -> (bool, bool) {
    match second {
        b"%q" => (true, false),
        b"%d" => (false, true),
        b"%qd" => (true, true),
        _ => (false, false),
    }
}

/// The id that was encoded.
///
/// # Errors
/// A percent sign without two digits after it, bytes that are no text.
pub(crate) fn decoded(written: &str) -> Result<String, Error> {
    if written == "%" {
        return Ok(String::new());
    }
    let bad = || {
        Error::new(
            Cause::Encoding,
            Text::new(
                format!("`{written}` is not percent-encoded, as the second column says it is"),
                format!("“{written}”不是百分号编码，而第二列说它是"),
            ),
            Text::new(
                "write Q0 there, or white space as %20 and % as %25",
                "请在第二列写 Q0，或将空格写作 %20、将 % 写作 %25",
            ),
        )
    };
    let mut parts = written.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2).ok_or_else(bad)?;
        let digits = code.bytes().all(|b| b.is_ascii_hexdigit());
        let byte = u8::from_str_radix(code, 16).ok().filter(|_| digits);
        bytes.push(byte.ok_or_else(bad)?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(query: &str, document: &str) -> String {
        let mut out = Vec::new();
        write_run_line(&mut out, (query, document), 3, 0.5, "a tag").unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_what_would_break_is_encoded() {
        for (query, document, written) in [
            ("q1", "a%20b", "q1 Q0 a%20b 3 0.500000000 a_tag\n"),
            ("q 1", "d%", "q%201 %q d% 3 0.500000000 a_tag\n"),
            (
                "需求",
                "成果\u{3000}7 50%",
                "需求 %d 成果%E3%80%807%2050%25 3 0.500000000 a_tag\n",
            ),
            ("#1\n", "", "%231%0A %qd % 3 0.500000000 a_tag\n"),
        ] {
            assert_eq!(line(query, document), written);
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for bad in ["a%2", "%zz", "a%", "%+1", "%FF", "%2\u{e9}"] {
            assert_eq!(decoded(bad).unwrap_err().cause, Cause::Encoding, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_id_comes_back(query in any::<String>(), document in any::<String>()) {
            let line = line(&query, &document);
            let columns: Vec<&str> = line.split_whitespace().collect();
            prop_assert_eq!(columns.len(), 6);
            prop_assert!(!line.starts_with('#') && line.lines().count() == 1);
            let (q, d) = encodings(columns[1].as_bytes());
            let read = |s: &str, coded| if coded { decoded(s).unwrap() } else { s.to_owned() };
            prop_assert_eq!(read(columns[0], q), query);
            prop_assert_eq!(read(columns[2], d), document);
        }
    }
}
