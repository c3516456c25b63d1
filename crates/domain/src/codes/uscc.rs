//! Unified social credit codes (统一社会信用代码), GB 32100-2015.

use super::{CodeError, code_serde, shown};
use crate::Bilingual;
use std::{fmt, str::FromStr};

const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// An organisation's 18-character code whose check character holds (GB 32100-2015, 4.6:
/// weights 3^(i−1) mod 31).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uscc([u8; 18]);

impl Uscc {
    /// The 18 characters.
    pub fn as_str(&self) -> &str {
        // Only characters of ALPHABET get in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The check character that 17 characters of the alphabet call for.
    fn check_character(body: &[u8]) -> Option<u8> {
        let mut sum = 0;
        let mut weight = 1;
        for c in body {
            sum += ALPHABET.iter().position(|a| a == c)? * weight;
            weight = weight * 3 % 31;
        }
        // 31 − 0 = 31 maps to "0".
        Some(ALPHABET[(31 - sum % 31) % 31])
    }
}

impl FromStr for Uscc {
    type Err = CodeError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let error = |en: String, zh: String| {
            CodeError::new(
                Bilingual::new(en, zh),
                Bilingual::new(
                    "expected 18 characters 0-9 A-Z without I O S V Z whose last is the check character of GB 32100-2015",
                    "应为 18 位统一社会信用代码（数字与大写字母，不含 I O S V Z），末位为 GB 32100-2015 校验码",
                ),
            )
        };
        let upper = s.trim().to_ascii_uppercase();
        let bytes = upper.as_bytes();
        let Ok(code) = <[u8; 18]>::try_from(bytes) else {
            return Err(error(
                format!("`{}` has {} characters", shown(s), upper.chars().count()),
                format!("“{}”有 {} 个字符", shown(s), upper.chars().count()),
            ));
        };
        match Uscc::check_character(&code[..17]) {
            Some(c) if c == code[17] => Ok(Uscc(code)),
            Some(c) => Err(error(
                format!(
                    "`{}`: the check character should be {}",
                    shown(s),
                    c as char
                ),
                format!("“{}”：校验码应为 {}", shown(s), c as char),
            )),
            None => Err(error(
                format!(
                    "`{}` holds a character outside the code's alphabet",
                    shown(s)
                ),
                format!("“{}”含有代码字符集以外的字符", shown(s)),
            )),
        }
    }
}

impl fmt::Display for Uscc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

code_serde!(Uscc);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digit() {
        // The example code of GB 32100-2015 and two published codes of public bodies.
        for ok in [
            "91350100M000100Y43",
            "12100000400010275N",
            "91440300708461136T",
        ] {
            assert!(ok.parse::<Uscc>().is_ok(), "{ok}: {:?}", ok.parse::<Uscc>());
        }
        let e = "91350100M000100Y44".parse::<Uscc>().unwrap_err();
        assert!(e.to_string().contains("should be 3"), "{e}");
        assert!("91350100M000100Y4".parse::<Uscc>().is_err());
        assert!("91350100I000100Y43".parse::<Uscc>().is_err());
        assert!("统一社会信用代码".parse::<Uscc>().is_err());
    }

    #[test]
    fn every_single_slip_is_caught() {
        let good = *b"91350100M000100Y43";
        for i in 0..18 {
            for c in ALPHABET {
                let mut bad = good;
                bad[i] = *c;
                let parsed = std::str::from_utf8(&bad).unwrap().parse::<Uscc>();
                assert_eq!(parsed.is_ok(), bad == good, "{i} {c}");
            }
        }
    }
}
