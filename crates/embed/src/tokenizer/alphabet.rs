//! Characters to symbols: one table look-up a character does what `normalise`, NFKC and lower-casing
//! do together.
//!
//! NFKC is local to a character unless combining marks or jamo are near, so a table over the Basic
//! Multilingual Plane is exact for every text without them; a text with one takes the slow path,
//! which runs the real normalisation. The tables are those of the `tokenizers` crate (Unicode 9),
//! so that both agree on every character.

use queqiao_text::normalise;
use std::{collections::HashMap, sync::OnceLock};
use unicode_normalization_alignments::{
    IsNormalized, UnicodeNormalization, char::canonical_combining_class,
    char::decompose_compatible, is_nfc_quick,
};

/// Separates runs: every character outside `[a-z0-9]` and U+4E00–U+9FFF.
pub(super) const SEPARATOR: u16 = 0;
/// A Chinese character of no piece.
const UNKNOWN_HAN: u16 = 1;
/// Latin letters and digits follow, then Chinese characters.
const FIRST_LATIN: u16 = 2;
const FIRST_HAN: u16 = FIRST_LATIN + 36;
/// Codes from here on name an expansion (`㎡` is `m`, `2`).
const FIRST_EXPANSION: u16 = 0xf000;
/// The whole text must be normalised properly.
const COMPLEX: u16 = 0xffff;

/// What normalisation makes of one character.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Separator,
    One(char),
    /// Index into the list of expansions.
    Many(u16),
    Complex,
}

struct Forms {
    table: Vec<Form>,
    expansions: Vec<Vec<char>>,
}

fn is_run_char(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9') || is_cjk(c)
}

fn is_cjk(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}')
}

/// The forms of the Basic Multilingual Plane, once per process.
fn forms() -> &'static Forms {
    static FORMS: OnceLock<Forms> = OnceLock::new();
    FORMS.get_or_init(|| {
        let all: String = ('\0'..='\u{ffff}').collect();
        let normal = normalise(&all);
        let mut forms = Forms {
            table: vec![Form::Separator; 0x1_0000],
            expansions: Vec::new(),
        };
        for (c, n) in all.chars().zip(normal.chars()) {
            forms.table[c as usize] = form(n, &mut forms.expansions);
        }
        forms
    })
}

/// The form of a character that `normalise` has seen.
fn form(c: char, expansions: &mut Vec<Vec<char>>) -> Form {
    if is_run_char(c) {
        return Form::One(c);
    }
    if c.is_ascii() {
        return Form::Separator;
    }
    let mut local = true;
    decompose_compatible(c, |d| {
        local &= canonical_combining_class(d) == 0
            && is_nfc_quick(std::iter::once(d)) != IsNormalized::Maybe;
    });
    if !local {
        return Form::Complex;
    }
    let out: Vec<char> = std::iter::once(c)
        .nfkc()
        .flat_map(|(c, _)| c.to_lowercase())
        .collect();
    match out.as_slice() {
        [one] if is_run_char(*one) => Form::One(*one),
        many if many.iter().any(|&c| is_run_char(c)) => {
            let index = expansions.len();
            if index >= usize::from(COMPLEX - FIRST_EXPANSION) {
                return Form::Complex;
            }
            expansions.push(out);
            Form::Many(index as u16)
        }
        _ => Form::Separator,
    }
}

/// The characters of a vocabulary, numbered: frequent ones first, which keeps the trie dense.
#[derive(Debug)]
pub(super) struct Alphabet {
    /// Code of each character of the Basic Multilingual Plane.
    codes: Vec<u16>,
    /// Symbol of each character that normalisation can leave.
    symbols: Vec<u16>,
    /// Symbols of each expansion.
    expansions: Vec<Vec<u16>>,
    /// Number of symbols.
    len: usize,
}

impl Alphabet {
    /// An alphabet over the Chinese characters of the pieces (Latin is always in).
    pub(super) fn new<'a>(pieces: impl Iterator<Item = &'a str>) -> Self {
        let mut counts: HashMap<char, u32> = HashMap::new();
        for c in pieces.flat_map(str::chars).filter(|&c| is_cjk(c)) {
            *counts.entry(c).or_default() += 1;
        }
        let mut chars: Vec<(char, u32)> = counts.into_iter().collect();
        chars.sort_unstable_by_key(|&(c, n)| (std::cmp::Reverse(n), c));
        let mut symbols = vec![SEPARATOR; 0x1_0000];
        symbols[0x4e00..0xa000].fill(UNKNOWN_HAN);
        for (i, c) in ('a'..='z').chain('0'..='9').enumerate() {
            symbols[c as usize] = FIRST_LATIN + i as u16;
        }
        for (i, &(c, _)) in chars.iter().enumerate() {
            symbols[c as usize] = FIRST_HAN + i as u16;
        }
        let symbol = |c: char| symbols.get(c as usize).copied().unwrap_or(SEPARATOR);
        let forms = forms();
        let codes = forms
            .table
            .iter()
            .map(|&f| match f {
                Form::Separator => SEPARATOR,
                Form::One(c) => symbol(c),
                Form::Many(i) => FIRST_EXPANSION + i,
                Form::Complex => COMPLEX,
            })
            .collect();
        let expansions = forms
            .expansions
            .iter()
            .map(|e| e.iter().map(|&c| symbol(c)).collect())
            .collect();
        Alphabet {
            codes,
            expansions,
            symbols,
            len: usize::from(FIRST_HAN) + chars.len(),
        }
    }

    /// Every symbol is below.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Appends the symbols of a piece of the vocabulary; appends nothing and says `false` when it
    /// is empty or holds a character that no normalised text has.
    pub(super) fn append_piece(&self, piece: &str, out: &mut Vec<u16>) -> bool {
        let known = !piece.is_empty() && piece.chars().all(is_run_char);
        if known {
            out.extend(piece.chars().map(|c| self.symbols[c as usize]));
        }
        known
    }

    /// Replaces `out` by the symbols of a text.
    pub(super) fn symbols(&self, text: &str, out: &mut Vec<u16>) {
        out.clear();
        for c in text.chars() {
            let code = self.codes.get(c as usize).copied().unwrap_or(COMPLEX);
            if code < FIRST_EXPANSION {
                out.push(code);
            } else if code == COMPLEX {
                self.symbols_slowly(text, out);
                return;
            } else {
                out.extend_from_slice(&self.expansions[usize::from(code - FIRST_EXPANSION)]);
            }
        }
    }

    fn symbols_slowly(&self, text: &str, out: &mut Vec<u16>) {
        out.clear();
        let normal = normalise(text);
        out.extend(
            normal
                .nfkc()
                .flat_map(|(c, _)| c.to_lowercase())
                .map(|c| self.symbols.get(c as usize).copied().unwrap_or(SEPARATOR)),
        );
    }
}

/// True for the symbol of a Chinese character, false for a Latin one.
pub(super) fn is_han_symbol(symbol: u16) -> bool {
    symbol == UNKNOWN_HAN || symbol >= FIRST_HAN
}
