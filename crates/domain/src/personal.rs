//! Personal data that has no place here, refused by name.
//!
//! Forms in the field carry identity numbers, ethnicity and political affiliation. Nothing is
//! decided on them, so nothing stores them (个人信息保护法 Art. 6: no more than the purpose needs;
//! Art. 28: sensitive data).

use crate::Bilingual;

/// A field the engine refuses, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedField {
    /// Why it is refused.
    pub reason: Bilingual,
}

/// Exact names after normalising, and fragments that refuse any name containing them.
const REFUSED: [(&[&str], &[&str], &str, &str); 7] = [
    (
        &[
            "身份证",
            "证件号",
            "证件号码",
            "id_number",
            "idnumber",
            "id_card",
            "idcard",
            "passport",
            "护照",
            "护照号",
        ],
        &[
            "身份证",
            "护照号",
            "citizen_id",
            "identity_number",
            "national_id",
        ],
        "identity numbers are not needed to match a person; use an id of your own or an ORCID",
        "匹配不需要证件号码；请使用自有编号或 ORCID",
    ),
    (
        &[
            "民族",
            "族别",
            "ethnicity",
            "ethnic_group",
            "race",
            "nationality_group",
        ],
        &["民族成份", "民族成分"],
        "nothing is decided on ethnicity",
        "不依据民族作任何决定",
    ),
    (
        &[
            "政治面貌",
            "党派",
            "党派团体",
            "political_affiliation",
            "party",
            "party_membership",
            "入党时间",
            "是否党员",
        ],
        &["政治面貌", "党派", "political_status"],
        "nothing is decided on political affiliation",
        "不依据政治面貌作任何决定",
    ),
    (
        &["宗教", "宗教信仰", "religion"],
        &["宗教信仰"],
        "nothing is decided on religion",
        "不依据宗教信仰作任何决定",
    ),
    (
        &[
            "健康状况",
            "病史",
            "health",
            "medical_history",
            "婚姻状况",
            "婚否",
            "marital_status",
            "家庭住址",
            "home_address",
        ],
        &["健康状况", "婚姻状况", "家庭住址"],
        "private life is not needed to match a person",
        "匹配不需要私人生活信息",
    ),
    (
        &["银行账号", "银行卡号", "开户行", "bank_account"],
        &["银行账号", "银行卡", "bank_account"],
        "bank details are not needed to match a person",
        "匹配不需要银行信息",
    ),
    (
        &[
            "籍贯",
            "户籍",
            "户口所在地",
            "native_place",
            "血型",
            "生物特征",
            "指纹",
            "fingerprint",
        ],
        &["户口", "生物特征"],
        "origin and biometric data are not needed to match a person",
        "匹配不需要籍贯、户籍或生物特征信息",
    ),
];

/// Says why a field of this name is refused, or `None` when it is not.
pub fn refused_field(name: &str) -> Option<RefusedField> {
    let key: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c == ' ' || c == '-' { '_' } else { c })
        .filter(|c| !matches!(c, '（' | '）' | '(' | ')' | '*' | '：' | ':' | '\u{feff}'))
        .collect();
    let key = key.trim_matches('_');
    REFUSED
        .iter()
        .find(|(exact, fragments, _, _)| {
            exact.contains(&key) || fragments.iter().any(|f| key.contains(f))
        })
        .map(|(_, _, en, zh)| RefusedField {
            reason: Bilingual::new(*en, *zh),
        })
}

/// Where a citizen's identity number stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CitizenIdHit {
    /// Offset in characters.
    pub at: usize,
}

/// Finds an 18-character citizen identity number (GB 11643-1999) whose region, birth date and
/// check character all hold. The number itself is never returned, so that no message repeats it.
pub fn find_citizen_id(text: &str) -> Option<CitizenIdHit> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECK: &[u8; 11] = b"10X98765432";
    let bytes = text.as_bytes();
    let is_code = |b: u8| b.is_ascii_digit() || b == b'X' || b == b'x';
    let mut i = 0;
    while i + 18 <= bytes.len() {
        if !bytes[i].is_ascii_digit() {
            i += 1;
            continue;
        }
        let run = bytes[i..].iter().take_while(|b| is_code(**b)).count();
        if run == 18 && (i == 0 || !bytes[i - 1].is_ascii_alphanumeric()) {
            let code = &bytes[i..i + 18];
            let number = |r: std::ops::Range<usize>| -> u32 {
                code[r]
                    .iter()
                    .fold(0, |n, b| n * 10 + u32::from(b.wrapping_sub(b'0')))
            };
            let digits = code[..17].iter().all(u8::is_ascii_digit);
            let region = (11..=91).contains(&number(0..2));
            let date = (1900..=2100).contains(&number(6..10))
                && (1..=12).contains(&number(10..12))
                && (1..=31).contains(&number(12..14));
            if digits && region && date {
                let sum: u32 = WEIGHTS
                    .iter()
                    .zip(code)
                    .map(|(w, b)| w * u32::from(b - b'0'))
                    .sum();
                if CHECK[(sum % 11) as usize] == code[17].to_ascii_uppercase() {
                    return Some(CitizenIdHit {
                        at: text[..i].chars().count(),
                    });
                }
            }
        }
        i += run;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_by_name() {
        for bad in [
            "身份证号",
            "身份证号码*",
            "民族",
            "政治面貌",
            "Political Affiliation",
            "ID card",
            "家庭住址",
        ] {
            assert!(refused_field(bad).is_some(), "{bad}");
        }
        // 民族医药 is a field of work, 党 may stand in an organisation's name.
        for good in [
            "民族医药方向",
            "title",
            "研究方向",
            "third_party",
            "party_size",
            "health_care_products",
        ] {
            assert!(refused_field(good).is_none(), "{good}");
        }
    }

    #[test]
    fn finds_numbers_with_a_valid_check_character() {
        // The example of GB 11643-1999.
        let hit = find_citizen_id("联系人身份证：11010519491231002X。").unwrap();
        assert_eq!(hit.at, 7);
        assert!(find_citizen_id("110105194912310021").is_none());
        assert!(find_citizen_id("订单 2110105194912310021 号").is_none());
        assert!(find_citizen_id("ISBN 9787111111111").is_none());
        assert!(find_citizen_id("").is_none());
    }
}
