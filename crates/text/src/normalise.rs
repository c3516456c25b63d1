//! One character to one character: width, case, traditional to simplified.

use ferrous_opencc::{OpenCC, config::BuiltinConfig};
use std::{ops::RangeInclusive, sync::OnceLock};

/// True for a Chinese character (CJK unified ideographs with extension A and compatibility).
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

/// The characters of which some are traditional.
const TRADITIONAL: RangeInclusive<char> = '\u{3400}'..='\u{9fff}';

/// What each of [`TRADITIONAL`] is simplified to, by its place among them: itself, unless it stands for one simplified
/// character.
fn simplified() -> &'static [char] {
    static MAP: OnceLock<Vec<char>> = OnceLock::new();
    MAP.get_or_init(|| {
        let Ok(opencc) = OpenCC::from_config(BuiltinConfig::T2s) else {
            // The dictionaries are part of the binary: this does not happen. Without them text
            // is still readable, only traditional stays traditional.
            return Vec::new();
        };
        let convert = |c: char| {
            let converted = opencc.convert(c.encode_utf8(&mut [0; 4]));
            let mut chars = converted.chars();
            match (chars.next(), chars.next()) {
                (Some(s), None) => s,
                _ => c,
            }
        };
        // A few conversions chain (薴 → 苧 → 苎): the map goes straight to the end.
        TRADITIONAL.map(|c| convert(convert(c))).collect()
    })
}

/// The normal form used for indexing and embedding: full-width forms become half-width, Latin
/// letters lower case, traditional characters simplified.
///
/// Units and symbols are left alone (`㎡`, `μm`, `²`, `℃` stay as they are), and so are
/// characters whose counterpart is not exactly one character.
///
/// ```
/// assert_eq!(queqiao_text::normalise("ＡＢＣ　機器學習 50㎡"), "abc 机器学习 50㎡");
/// ```
pub fn normalise(text: &str) -> String {
    let map = simplified();
    text.chars().map(|c| normalise_char(map, c)).collect()
}

fn normalise_char(map: &[char], c: char) -> char {
    match c {
        'A'..='Z' => c.to_ascii_lowercase(),
        c if c.is_ascii() => c,
        '\u{ff01}'..='\u{ff5e}' => {
            let half = char::from_u32(c as u32 - 0xfee0).unwrap_or(c);
            half.to_ascii_lowercase()
        }
        // The ideographic and the no-break space.
        '\u{3000}' | '\u{a0}' => ' ',
        c if is_han(c) => {
            let place = u32::from(c).checked_sub(u32::from(*TRADITIONAL.start()));
            let to = place.and_then(|at| map.get(at as usize));
            to.copied().unwrap_or(c)
        }
        c => {
            let mut lower = c.to_lowercase();
            match (lower.next(), lower.next()) {
                (Some(l), None) => l,
                _ => c,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_character_to_one_character() {
        for (text, expected) in [
            ("高韌性立方氮化硼ＣＢＮ", "高韧性立方氮化硼cbn"),
            ("≥９５％，10−15 μm", "≥95%,10−15 μm"),
            ("㎡ ℃ m² 3×10⁵", "㎡ ℃ m² 3×10⁵"),
            ("İΩ", "İω"),
            ("乾燥劑與催化劑", "干燥剂与催化剂"),
            ("", ""),
        ] {
            assert_eq!(normalise(text), expected);
            assert_eq!(normalise(text).chars().count(), text.chars().count());
        }
    }

    #[test]
    fn is_idempotent_on_every_character() {
        for c in ('\0'..='\u{ffff}').chain(['😀', '𠮷']) {
            let once = normalise(&c.to_string());
            assert_eq!(once.chars().count(), 1, "{c:?}");
            assert_eq!(normalise(&once), once, "{c:?}");
        }
    }
}
