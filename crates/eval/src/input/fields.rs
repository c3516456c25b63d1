//! Columns of a line, however they are separated.

/// The columns of one line: at most `N` are kept, all are counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a, const N: usize> {
    kept: [&'a [u8]; N],
    /// Columns in the line; beyond `N` they are only known to exist.
    pub(crate) count: usize,
}

impl<'a, const N: usize> Fields<'a, N> {
    /// Splits at runs of white space; where the line has exactly `N - 1` tabs, at the tabs, so that
    /// an id may hold a space.
    pub(crate) fn split(line: &'a [u8]) -> Self {
        match memchr::memchr(b'\t', line) {
            None => Self::by_space(line),
            Some(_) => {
                let line = line.trim_ascii();
                if memchr::memchr_iter(b'\t', line).count() + 1 == N {
                    Self::by_tab(line)
                } else {
                    Self::by_space(line)
                }
            }
        }
    }

    fn by_space(line: &'a [u8]) -> Self {
        let mut kept: [&[u8]; N] = [&[]; N];
        let mut count = 0;
        let mut at = 0;
        while let Some(skip) = line
            .get(at..)
            .and_then(|l| l.iter().position(|b| !is_space(*b)))
        {
            let from = at + skip;
            let to = line
                .get(from..)
                .and_then(|l| l.iter().position(|b| is_space(*b)))
                .map_or(line.len(), |n| from + n);
            match kept.get_mut(count) {
                Some(slot) => *slot = line.get(from..to).unwrap_or_default(),
                // One more is enough to know that there are too many.
                None => {
                    count += 1;
                    break;
                }
            }
            count += 1;
            at = to;
        }
        Fields { kept, count }
    }

    fn by_tab(line: &'a [u8]) -> Self {
        let mut kept: [&[u8]; N] = [&[]; N];
        let mut count = 0;
        for (slot, field) in kept.iter_mut().zip(line.split(|b| *b == b'\t')) {
            *slot = field.trim_ascii();
            count += 1;
        }
        if kept.iter().any(|f| f.is_empty()) {
            return Self::by_space(line);
        }
        Fields { kept, count }
    }

    /// The columns that were kept.
    pub(crate) fn all(&self) -> &[&'a [u8]] {
        self.kept.get(..self.count.min(N)).unwrap_or(&self.kept)
    }

    /// All `N` columns, where the line has at least so many.
    pub(crate) fn full(&self) -> Option<[&'a [u8]; N]> {
        (self.count >= N).then_some(self.kept)
    }
}

fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

/// True for a line that says nothing: blank, or a comment (trec_eval 10, `get_qrels.c` and
/// `get_trec_results.c`).
pub(crate) fn says_nothing(line: &[u8]) -> bool {
    match line.first() {
        None | Some(b'#') => true,
        Some(b) if is_space(*b) => line.iter().all(|b| is_space(*b)),
        Some(_) => false,
    }
}

/// The whole number, or the decimal, that a field spells; `None` where it spells none. `nan` and
/// `inf` are spelled numbers here: callers decide.
pub(crate) fn number(field: &[u8]) -> Option<f64> {
    // Most grades are one digit.
    if let [d @ b'0'..=b'9'] = field {
        return Some(f64::from(d - b'0'));
    }
    fast_float2::parse(field).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<const N: usize>(line: &str) -> (Vec<&str>, usize) {
        let f = Fields::<N>::split(line.as_bytes());
        let kept = f
            .all()
            .iter()
            .map(|f| std::str::from_utf8(f).unwrap())
            .collect();
        (kept, f.count)
    }

    #[test]
    fn separators_may_be_mixed() {
        assert_eq!(
            split::<6>("301\tQ0\tFR94 \t104\t  2.129133\tSTANDARD"),
            (vec!["301", "Q0", "FR94", "104", "2.129133", "STANDARD"], 6)
        );
        assert_eq!(
            split::<4>("  1  0 \t d   2 "),
            (vec!["1", "0", "d", "2"], 4)
        );
        assert_eq!(split::<4>("1 0 d"), (vec!["1", "0", "d"], 3));
        assert_eq!(split::<3>("1 0 d 2 x y"), (vec!["1", "0", "d"], 4));
        assert_eq!(split::<4>(""), (vec![], 0));
    }

    #[test]
    fn between_tabs_an_id_may_hold_a_space() {
        assert_eq!(split::<3>("q 1\td 1\t2"), (vec!["q 1", "d 1", "2"], 3));
        assert_eq!(
            split::<4>("q 1\t0\t需求 7\t2\t"),
            (vec!["q 1", "0", "需求 7", "2"], 4)
        );
    }

    #[test]
    fn numbers() {
        assert_eq!(number(b"3"), Some(3.0));
        assert_eq!(number(b"-1"), Some(-1.0));
        assert_eq!(number(b"1e-3"), Some(0.001));
        assert_eq!(number(b"+2"), Some(2.0));
        assert!(number(b"nan").is_some_and(f64::is_nan));
        for none in ["", "x", "1x", "high", "1,5"] {
            assert_eq!(number(none.as_bytes()), None, "{none}");
        }
    }
}
