//! What is wrong with one row, told so that it can be mended in the spreadsheet.

use queqiao_domain::{Bilingual, find_citizen_id};
use serde::Serialize;

/// Where a row stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Place {
    /// The file, as it was named when opened.
    pub file: String,
    /// The sheet of a workbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row as a spreadsheet program numbers it, from 1, blank rows counted. For jsonl the
    /// line, for a json array the place in the array.
    pub row: u64,
    /// The line of a text file on which the row begins, from 1; differs from `row` where cells
    /// hold line breaks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

impl Place {
    /// The place in words.
    pub fn describe(&self) -> Bilingual {
        let (mut en, mut zh) = (self.file.clone(), self.file.clone());
        if let Some(s) = &self.sheet {
            en += &format!(", sheet {s}");
            zh += &format!("，工作表“{s}”");
        }
        en += &format!(", row {}", self.row);
        zh += &format!("，第 {} 行", self.row);
        if let Some(l) = self.line.filter(|l| *l != self.row) {
            en += &format!(" (line {l})");
            zh += &format!("（文本第 {l} 行）");
        }
        Bilingual::new(en, zh)
    }
}

/// A column by its name and its letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Column {
    /// The name as it stands in the header.
    pub name: String,
    /// `A`, `B` … `AA`; empty for jsonl.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub letter: String,
}

/// One thing wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// The row.
    pub place: Place,
    /// The column, where one column is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<Column>,
    /// The record's field (`budget`, `passages[3].text`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The beginning of the value; masked when it is a contact or looks like an identity number.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What is wrong.
    pub problem: Bilingual,
    /// What would be accepted.
    pub expected: Bilingual,
}

impl Issue {
    /// What is wrong and what would be accepted, without the place: the text of a bad row's error
    /// cell.
    pub fn reason(&self) -> Bilingual {
        let named = |sep: &str| match &self.column {
            Some(c) => format!(
                "{}{sep}",
                c.name.split_whitespace().collect::<Vec<_>>().join(" ")
            ),
            None => String::new(),
        };
        Bilingual::new(
            format!("{}{}; {}", named(": "), self.problem.en, self.expected.en),
            format!("{}{}；{}", named("："), self.problem.zh, self.expected.zh),
        )
    }

    /// The whole issue in one sentence: place, column, value, what is wrong, what would do.
    pub fn describe(&self) -> Bilingual {
        let at = self.place.describe();
        let (mut en, mut zh) = (at.en, at.zh);
        if let Some(c) = &self.column {
            let name = c.name.split_whitespace().collect::<Vec<_>>().join(" ");
            let letter = if c.letter.is_empty() {
                String::new()
            } else {
                format!("{} ", c.letter)
            };
            en += &format!(", column {letter}{name}");
            zh += &format!("，{letter}列“{name}”");
        }
        if !self.value.is_empty() {
            en += &format!(", value `{}`", self.value);
            zh += &format!("，值“{}”", self.value);
        }
        en += &format!(": {}; {}", self.problem.en, self.expected.en);
        zh += &format!("：{}；{}", self.problem.zh, self.expected.zh);
        Bilingual::new(en, zh)
    }
}

/// The beginning of a value, fit for a message: one line, at most 60 characters, nothing of a
/// sealed value, and of a long run of digits (an identity number, a bank card) only its length.
pub fn shown_value(value: &str, sealed: bool) -> String {
    let value = value.trim();
    if value.is_empty() {
        return String::new();
    }
    if sealed {
        return "***".to_owned();
    }
    // Enough to judge the part that is shown, whatever the length of the whole.
    let head: String = value.chars().take(200).collect();
    let mut out = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        if run.len() >= 15 {
            out.push_str(&"*".repeat(run.len().min(18)));
        } else {
            out.push_str(run);
        }
        run.clear();
    };
    for c in head.chars() {
        if c.is_ascii_digit() || (matches!(c, 'x' | 'X') && run.len() >= 15) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    flush(&mut run, &mut out);
    if find_citizen_id(&out).is_some() {
        return "***".to_owned();
    }
    let mut short: String = out.chars().take(60).collect();
    if short.len() < out.len() || head.len() < value.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_values_tell_no_secret() {
        for (value, sealed, shown) in [
            ("  abc\ndef ", false, "abc def"),
            ("13800000000", true, "***"),
            ("13800000000", false, "13800000000"),
            (
                "证号 11010519491231002X。",
                false,
                "证号 ******************。",
            ),
            ("110105194912310021", false, "******************"),
            ("", true, ""),
        ] {
            assert_eq!(shown_value(value, sealed), shown, "{value}");
        }
        let long = shown_value(&"长".repeat(1_000_000), false);
        assert_eq!(long.chars().count(), 61);
    }

    #[test]
    fn an_issue_says_all_in_one_sentence() {
        let issue = Issue {
            place: Place {
                file: "需求.xlsx".into(),
                sheet: Some("Sheet1".into()),
                row: 12,
                line: None,
            },
            column: Some(Column {
                name: "拟投入资金\n（万元）".into(),
                letter: "D".into(),
            }),
            field: Some("budget".into()),
            value: "很多".into(),
            problem: Bilingual::new("not an amount", "不是金额"),
            expected: Bilingual::new("expected 100-200", "应为 100-200"),
        };
        assert_eq!(
            issue.describe().en,
            "需求.xlsx, sheet Sheet1, row 12, column D 拟投入资金 （万元）, value `很多`: not an amount; expected 100-200"
        );
        assert_eq!(
            issue.describe().zh,
            "需求.xlsx，工作表“Sheet1”，第 12 行，D 列“拟投入资金 （万元）”，值“很多”：不是金额；应为 100-200"
        );
    }
}
