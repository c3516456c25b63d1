//! Text for people, always in English and Chinese.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The language a person wants to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

/// One message in both languages. `Display` prints the English text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bilingual {
    /// English text.
    pub en: String,
    /// Chinese text.
    pub zh: String,
}

impl Bilingual {
    /// Joins the two wordings of one message.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            zh: zh.into(),
        }
    }

    /// The text in `lang`.
    pub fn get(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// English and Chinese.
impl<En: Into<String>, Zh: Into<String>> From<(En, Zh)> for Bilingual {
    fn from((en, zh): (En, Zh)) -> Self {
        Self::new(en, zh)
    }
}

impl fmt::Display for Bilingual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}
