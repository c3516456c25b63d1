//! What a description of a need says in its words: where things stand, what for, by when.

/// Words that tell where things stand.
const PRESENT: &[&str] = &[
    "目前",
    "现有",
    "现状",
    "现阶段",
    "当前",
    "已有",
    "已经",
    "我司",
    "公司现",
    "原有",
    "currently",
    "at present",
    "existing",
    "so far",
    "we have",
];
/// Words that tell what it is for and under which conditions.
const USE: &[&str] = &[
    "用于",
    "应用于",
    "适用于",
    "场景",
    "工况",
    "产线",
    "生产线",
    "使用环境",
    "工作环境",
    "应用在",
    "面向",
    "配套",
    "used for",
    "used in",
    "application",
    "production line",
    "operating condition",
    "environment",
];
/// Words that tell by when.
const WHEN: &[&str] = &[
    "个月内",
    "月底前",
    "年内",
    "年底前",
    "期限",
    "周期",
    "之前完成",
    "前完成",
    "完成时间",
    "within",
    "deadline",
    "months",
    "by the end of",
];
/// Words that tell what goes wrong.
const TROUBLE: &[&str] = &[
    "难题", "问题", "瓶颈", "缺陷", "不足", "困难", "无法", "不能", "难以", "易", "失效", "偏低",
    "偏高", "过高", "过低", "解决", "攻克", "突破", "需要", "要求", "希望", "problem", "fail",
    "cannot", "unable", "too high", "too low", "need", "require", "improve",
];

/// What a text says, by its words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cues {
    /// What goes wrong, or what is wanted.
    pub trouble: bool,
    /// Where things stand.
    pub present: bool,
    /// What it is for, under which conditions.
    pub usage: bool,
    /// By when.
    pub when: bool,
}

/// The cues of a text.
pub fn cues(text: &str) -> Cues {
    let text = crate::normalise(text);
    let any = |words: &[&str]| words.iter().any(|w| text.contains(w));
    Cues {
        trouble: any(TROUBLE),
        present: any(PRESENT),
        usage: any(USE),
        when: any(WHEN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_says() {
        let c = cues("目前浆料涂层减薄后掉粉严重，用于锂电池隔膜产线，六个月内完成。");
        assert!(c.present && c.usage && c.when);
        assert!(cues("The coating cannot stand 150 °C.").trouble);
        assert_eq!(cues("提高产品质量"), Cues::default());
        assert_eq!(cues(""), Cues::default());
    }
}
