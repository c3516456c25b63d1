//! The rules a record keeps before it is stored.

use super::{AmountRange, Detail, Record};
use crate::{Bilingual, find_citizen_id, refused_field};
use serde::{Deserialize, Serialize};
use std::{collections::HashSet, fmt};
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// One broken rule: which field, what is wrong, what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Path of the field in the record's JSON form (`budget.min`, `passages[3].text`).
    pub field: String,
    /// What is wrong.
    pub problem: Bilingual,
    /// What would be accepted.
    pub expected: Bilingual,
}

impl Violation {
    /// Joins a field with what is wrong and what would do.
    pub fn new(
        field: impl Into<String>,
        problem: impl Into<Bilingual>,
        expected: impl Into<Bilingual>,
    ) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
            expected: expected.into(),
        }
    }

    /// The whole of it, for people.
    pub fn message(&self) -> Bilingual {
        let zh = format!("{}：{}；{}", self.field, self.problem.zh, self.expected.zh);
        Bilingual::new(self.to_string(), zh)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.field, self.problem, self.expected)
    }
}

/// How large a record may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckLimits {
    /// Characters in one text field.
    pub text: usize,
    /// Characters in a title, a keyword, a name.
    pub line: usize,
    /// Passages.
    pub passages: usize,
    /// Entries in any other list.
    pub list: usize,
    /// Bytes of all texts together.
    pub total: usize,
}

impl Default for CheckLimits {
    fn default() -> Self {
        Self {
            text: 100_000,
            line: 2_000,
            passages: 2_000,
            list: 500,
            total: 2_000_000,
        }
    }
}

/// A record that keeps every rule.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedRecord(Record);

impl CheckedRecord {
    /// The record.
    pub fn get(&self) -> &Record {
        &self.0
    }

    /// Takes the record out.
    pub fn into_inner(self) -> Record {
        self.0
    }
}

struct Checker {
    limits: CheckLimits,
    total: usize,
    found: Vec<Violation>,
}

impl Checker {
    fn fail(&mut self, field: &str, en: String, zh: String, want_en: &str, want_zh: &str) {
        self.found.push(Violation::new(
            field,
            Bilingual::new(en, zh),
            Bilingual::new(want_en, want_zh),
        ));
    }

    fn text(&mut self, field: &str, text: &str, limit: usize) {
        self.total += text.len();
        // A text shorter in bytes than the limit in characters is within it.
        if text.len() > limit {
            let n = text.chars().count();
            if n > limit {
                self.fail(
                    field,
                    format!("{n} characters are too many"),
                    format!("{n} 个字符，过长"),
                    &format!("expected at most {limit} characters; split the text into passages"),
                    &format!("至多 {limit} 个字符；请拆分为多段"),
                );
            }
        }
        if let Some(at) = text
            .chars()
            .position(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
        {
            self.fail(
                field,
                format!("a control character stands at position {at}"),
                format!("第 {} 个字符为控制字符", at + 1),
                "expected text without control characters",
                "文本中不得有控制字符",
            );
        }
        if let Some(hit) = find_citizen_id(text) {
            self.fail(
                field,
                format!("a citizen identity number stands at position {}", hit.at),
                format!("第 {} 个字符处为公民身份号码", hit.at + 1),
                "identity numbers are refused: remove it",
                "拒收身份证号，请删除",
            );
        }
    }

    fn line(&mut self, field: &str, text: &str) {
        self.text(field, text, self.limits.line);
    }

    fn list(&mut self, field: &str, len: usize, limit: usize) {
        if len > limit {
            self.fail(
                field,
                format!("{len} entries are too many"),
                format!("{len} 项，过多"),
                &format!("expected at most {limit}"),
                &format!("至多 {limit} 项"),
            );
        }
    }

    fn lines(&mut self, field: &str, texts: &[String]) {
        self.list(field, texts.len(), self.limits.list);
        for (i, t) in texts.iter().enumerate() {
            self.line(&format!("{field}[{i}]"), t);
        }
    }

    fn amount(&mut self, field: &str, range: Option<AmountRange>) {
        let Some(AmountRange { min, max }) = range else {
            return;
        };
        let bad = |v: Option<f64>| v.is_some_and(|v| !v.is_finite() || !(0.0..=1e9).contains(&v));
        if bad(min) || bad(max) {
            self.fail(
                field,
                "the amount is not between 0 and 10⁹ 万元".into(),
                "金额不在 0 至 10⁹ 万元之间".into(),
                "expected 万元, such as 50 or 100-200",
                "应为万元，如 50 或 100-200",
            );
        } else if min.is_none() && max.is_none() {
            self.fail(
                field,
                "the amount has neither bound".into(),
                "金额没有上下限".into(),
                "expected at least one of min and max, 万元",
                "至少填写一个界限（万元）",
            );
        } else if let (Some(a), Some(b)) = (min, max)
            && a > b
        {
            self.fail(
                field,
                format!("the least amount {a} exceeds the greatest {b}"),
                format!("下限 {a} 大于上限 {b}"),
                "expected min ≤ max",
                "应有下限 ≤ 上限",
            );
        }
    }
}

impl Record {
    /// Brings every text to NFC (AIP-210), checks every rule and tells all that are broken, not
    /// only the first.
    ///
    /// # Errors
    /// Every broken rule, in the order of the fields.
    pub fn check(mut self, limits: &CheckLimits) -> Result<CheckedRecord, Vec<Violation>> {
        self.each_text(|t| {
            if is_nfc_quick(t.chars()) != IsNormalized::Yes {
                *t = t.nfc().collect();
            }
        });
        let mut c = Checker {
            limits: *limits,
            total: 0,
            found: Vec::new(),
        };
        c.line("title", &self.title);
        c.list("passages", self.passages.len(), limits.passages);
        for (i, p) in self.passages.iter().enumerate() {
            c.line(&format!("passages[{i}].title"), &p.title);
            c.text(&format!("passages[{i}].text"), &p.text, limits.text);
        }
        c.lines("keywords", &self.keywords);
        c.list("industries", self.industries.len(), limits.list);
        c.list("disciplines", self.disciplines.len(), limits.list);
        if let Some(o) = &self.organisation {
            c.line("organisation", &o.name);
            if o.name.trim().is_empty() {
                c.fail(
                    "organisation",
                    "the name is empty".into(),
                    "名称为空".into(),
                    "expected the organisation's name",
                    "应填写单位名称",
                );
            }
        }
        c.list("links", self.links.len(), limits.list);
        for (i, l) in self.links.iter().enumerate() {
            c.line(&format!("links[{i}].target"), &l.target);
        }
        c.lines("conflicts", &self.conflicts);
        c.lines("released", &self.released);
        for i in self.released_elsewhere() {
            c.fail(
                &format!("released[{i}]"),
                "it stands in none of the record's texts".into(),
                "不是该记录文本中的原文".into(),
                "expected words of the record itself, copied without change",
                "应为该记录文本中的原文，一字不改",
            );
        }
        if let (Some(a), Some(b)) = (self.valid_from, self.valid_until)
            && a > b
        {
            c.fail(
                "valid_until",
                format!("{b} is before valid_from {a}"),
                format!("{b} 早于 valid_from {a}"),
                "expected a day on or after valid_from",
                "应不早于 valid_from",
            );
        }
        c.list("attributes", self.attributes.len(), limits.list);
        for (k, v) in &self.attributes {
            let field = format!("attributes.{k}");
            if let Some(r) = refused_field(k) {
                c.found.push(Violation::new(
                    field.clone(),
                    Bilingual::new("this personal field is refused", "拒收该个人信息字段"),
                    r.reason,
                ));
            }
            c.line(&field, k);
            c.text(&field, v, limits.text);
        }
        self.check_detail(&mut c);
        if c.total > limits.total {
            let (n, max) = (c.total, limits.total);
            c.fail(
                "record",
                format!("all texts together are {n} bytes"),
                format!("全部文本共 {n} 字节"),
                &format!("expected at most {max} bytes"),
                &format!("至多 {max} 字节"),
            );
        }
        if !self.has_text() {
            c.fail(
                "title",
                "the record has no text at all".into(),
                "记录没有任何文本".into(),
                "expected a title or a passage",
                "至少应有标题或一段文本",
            );
        }
        if c.found.is_empty() {
            Ok(CheckedRecord(self))
        } else {
            Err(c.found)
        }
    }

    fn check_detail(&self, c: &mut Checker) {
        let text = c.limits.text;
        match &self.detail {
            Detail::Need(d) => {
                c.text("background", &d.background, text);
                c.text("problem", &d.problem, text);
                c.lines("targets", &d.targets);
                c.amount("budget", d.budget);
                no_repeats(c, "cooperation_modes", &d.cooperation_modes);
            }
            Detail::Enterprise(d) => {
                c.text("business", &d.business, text);
                c.lines("products", &d.products);
                c.line("scale", &d.scale);
            }
            Detail::Expert(d) => {
                c.lines("research", &d.research);
                c.text("profile", &d.profile, text);
                c.line("professional_title", &d.professional_title);
                c.lines("honours", &d.honours);
                c.lines("services", &d.services);
                check_consent(c, d.consent.as_ref());
                c.list("availability", d.availability.len(), c.limits.list);
                for (i, a) in d.availability.iter().enumerate() {
                    if a.from > a.until {
                        c.fail(
                            &format!("availability[{i}]"),
                            format!("it ends on {} before it begins on {}", a.until, a.from),
                            format!("结束日 {} 早于开始日 {}", a.until, a.from),
                            "expected from ≤ until",
                            "应有 from ≤ until",
                        );
                    }
                }
            }
            Detail::Society(d) => {
                c.text("scope", &d.scope, text);
                c.lines("services", &d.services);
                c.line("group", &d.group);
            }
            Detail::Achievement(d) => {
                c.text("abstract", &d.summary, text);
                c.line("holder", &d.holder);
                c.lines("indices", &d.indices);
                c.text("application", &d.application, text);
                c.amount("price", d.price);
                no_repeats(c, "cooperation_modes", &d.cooperation_modes);
            }
            Detail::Institution(d) => {
                c.text("profile", &d.profile, text);
                c.lines("services", &d.services);
            }
        }
        if let Some(k) = self.contact() {
            for (f, t) in [
                ("contact.name", &k.name),
                ("contact.phone", &k.phone),
                ("contact.email", &k.email),
                ("contact.address", &k.address),
            ] {
                c.line(f, t);
            }
        }
    }
}

fn check_consent(c: &mut Checker, consent: Option<&super::Consent>) {
    let Some(consent) = consent else {
        return;
    };
    c.line("consent.purpose", &consent.purpose);
    if consent.purpose.trim().is_empty() {
        c.fail(
            "consent.purpose",
            "the consent names no purpose".into(),
            "同意未写明处理目的".into(),
            "expected what the data may be used for, as it was agreed to",
            "应写明经本人同意的处理目的",
        );
    }
    if let (Some(given), Some(until)) = (consent.given, consent.until)
        && given > until
    {
        c.fail(
            "consent.until",
            format!("{until} is before it was given, {given}"),
            format!("{until} 早于同意日期 {given}"),
            "expected a day on or after consent.given",
            "应不早于 consent.given",
        );
    }
}

fn no_repeats<T: std::hash::Hash + Eq>(c: &mut Checker, field: &str, items: &[T]) {
    let distinct: HashSet<&T> = items.iter().collect();
    if distinct.len() < items.len() {
        c.fail(
            field,
            "an entry is given twice".into(),
            "有重复项".into(),
            "expected each entry once",
            "每项只填一次",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Need, RecordId};

    fn need() -> Record {
        let mut r = Record::new(RecordId::new("n").unwrap(), Kind::Need);
        r.title = "需要一种粘结剂".into();
        r
    }

    fn fields(r: Record) -> Vec<String> {
        match r.check(&CheckLimits::default()) {
            Ok(_) => vec![],
            Err(v) => v.into_iter().map(|v| v.field).collect(),
        }
    }

    #[test]
    fn stored_text_is_nfc() {
        let mut r = need();
        r.title = "cafe\u{301} ㎡".into();
        r.keywords = vec!["e\u{301}".into()];
        r.set_contact(Some(crate::Contact {
            name: "Ange\u{301}".into(),
            ..Default::default()
        }));
        let r = r.check(&CheckLimits::default()).unwrap().into_inner();
        assert_eq!((r.title.as_str(), r.keywords[0].as_str()), ("café ㎡", "é"));
        assert_eq!(r.contact().unwrap().name, "Angé");
    }

    #[test]
    fn a_plain_record_passes() {
        assert_eq!(fields(need()), Vec::<String>::new());
    }

    #[test]
    fn every_broken_rule_is_told() {
        let mut r = need();
        r.attributes.insert("民族".into(), "汉".into());
        r.valid_from = super::super::parse_date("2026-02-01");
        r.valid_until = super::super::parse_date("2026-01-01");
        r.keywords = vec!["x".repeat(2001)];
        r.detail = Detail::Need(Need {
            problem: "联系 11010519491231002X".into(),
            budget: Some(AmountRange {
                min: Some(2.0),
                max: Some(1.0),
            }),
            ..Need::default()
        });
        assert_eq!(
            fields(r),
            [
                "keywords[0]",
                "valid_until",
                "attributes.民族",
                "problem",
                "budget"
            ]
        );
    }

    #[test]
    fn amounts_are_finite() {
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e12] {
            let mut r = need();
            r.detail = Detail::Need(Need {
                budget: Some(AmountRange {
                    min: Some(bad),
                    max: None,
                }),
                ..Need::default()
            });
            assert_eq!(fields(r), ["budget"], "{bad}");
        }
    }

    #[test]
    fn an_empty_record_is_refused() {
        assert_eq!(
            fields(Record::new(RecordId::new("n").unwrap(), Kind::Need)),
            ["title"]
        );
    }

    #[test]
    fn contact_is_never_printed() {
        let c = crate::Contact {
            phone: "13800000000".into(),
            ..Default::default()
        };
        assert!(!format!("{c:?}").contains("138"));
    }
}
