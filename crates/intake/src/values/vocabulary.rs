//! Words of fixed vocabularies, in the wordings seen in the field.

use super::{Refusal, Splitter, fold, split};
use queqiao_domain::{CooperationMode, IpForm, Language, RegionCode, Travel, Visibility};

/// Words that say on purpose that there is no value: 面议, 不限, 长期, 无 …
pub(crate) fn is_free(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "面议",
        "面谈",
        "不限",
        "待定",
        "未定",
        "待商",
        "待议",
        "另议",
        "商议",
        "协商",
        "待协商",
        "双方协商",
        "协商确定",
        "视情况而定",
        "根据情况",
        "自筹",
        "无",
        "暂无",
        "没有",
        "长期",
        "长期有效",
        "长期需求",
        "永久",
        "全国",
        "均可",
        "都可以",
        "任意",
        "皆可",
        "不涉及",
        "-",
        "--",
        "—",
        "——",
        "/",
        "\\",
        "none",
        "n/a",
        "na",
        "negotiable",
        "open",
        "tbd",
        "any",
    ];
    let t = fold(text)
        .trim()
        .trim_end_matches(['。', '.'])
        .to_lowercase();
    WORDS.contains(&t.as_str())
}

/// Reads yes and no.
pub(crate) fn read_bool(text: &str) -> Result<bool, Refusal> {
    match fold(text).trim().to_lowercase().as_str() {
        "是" | "yes" | "y" | "true" | "t" | "1" | "√" | "✓" | "对" | "退出" => Ok(true),
        "否" | "no" | "n" | "false" | "f" | "0" | "×" | "x" | "不" | "不退出" | "无" => {
            Ok(false)
        }
        _ => Err(Refusal::new(
            ("this is neither yes nor no", "不是“是”或“否”"),
            (
                "expected yes or no (是 / 否, true / false, 1 / 0)",
                "应为“是”或“否”（或 yes/no、true/false、1/0）",
            ),
        )),
    }
}

/// Reads a count with or without its measure word (`3`, `3项`, `5 家`).
pub(crate) fn read_count(text: &str) -> Result<u32, Refusal> {
    let t = fold(text);
    let t = t.trim();
    let end = t.find(|c: char| !c.is_ascii_digit()).unwrap_or(t.len());
    let (digits, rest) = t.split_at(end);
    let rest = rest.trim().to_lowercase();
    let measure = matches!(
        rest.as_str(),
        "" | "个"
            | "项"
            | "家"
            | "场"
            | "次"
            | "人"
            | "位"
            | "家/场"
            | "场/年"
            | "项/年"
            | "km"
            | "公里"
            | "千米"
            | ".0"
    );
    digits.parse().ok().filter(|_| measure).ok_or_else(|| {
        Refusal::new(
            ("this is not a whole number", "不是整数"),
            ("expected a whole number such as 3", "应为整数，如 3"),
        )
    })
}

/// Reads a region, by code or by name, also with signs between its parts or 中国 in front.
pub(crate) fn read_region(text: &str) -> Result<RegionCode, Refusal> {
    let whole = text.parse::<RegionCode>();
    if whole.is_ok() {
        return whole.map_err(Refusal::from);
    }
    let t: String = fold(text)
        .chars()
        .filter(|c| !c.is_whitespace() && !"-/·,，、>|—".contains(*c))
        .collect();
    let t = t
        .strip_prefix("中华人民共和国")
        .or_else(|| t.strip_prefix("中国"))
        .unwrap_or(&t);
    // The message quotes what stands in the cell.
    t.parse().or(whole).map_err(Refusal::from)
}

/// Reads where an expert goes: regions and, with a unit, a distance.
pub(crate) fn read_regions(entries: &[String]) -> Result<Travel, Refusal> {
    let mut out = Travel::default();
    for e in entries {
        let t = fold(e).to_lowercase();
        let km = ["km", "公里", "千米"].iter().find_map(|u| {
            t.trim()
                .trim_end_matches(['内', '以'])
                .strip_suffix(u)
                .map(str::to_owned)
        });
        match km.and_then(|n| n.trim().parse::<u32>().ok()) {
            Some(n) => out.km = Some(n),
            None => {
                let r = read_region(e)?;
                if !out.regions.contains(&r) {
                    out.regions.push(r);
                }
            }
        }
    }
    Ok(out)
}

/// Reads 中文 / English.
pub(crate) fn read_language(text: &str) -> Result<Language, Refusal> {
    match fold(text).trim().to_lowercase().as_str() {
        "zh" | "zh-cn" | "zh_cn" | "cn" | "中文" | "汉语" | "中" | "chinese" => {
            Ok(Language::Zh)
        }
        "en" | "en-us" | "en_us" | "英文" | "英语" | "英" | "english" => Ok(Language::En),
        _ => Err(Refusal::new(
            ("this language is not known here", "无法识别的语言"),
            (
                "expected zh (中文) or en (英文)",
                "应为 zh（中文）或 en（英文）",
            ),
        )),
    }
}

/// Reads who may see a record.
pub(crate) fn read_visibility(text: &str) -> Result<Visibility, Refusal> {
    match fold(text).trim().to_lowercase().as_str() {
        "open" | "公开" | "完全公开" | "是" | "yes" | "public" => Ok(Visibility::Open),
        "platform" | "平台" | "平台内" | "平台可见" | "部分公开" | "内部" | "否" | "no" => {
            Ok(Visibility::Platform)
        }
        "sealed" | "密封" | "保密" | "不公开" => Ok(Visibility::Sealed),
        _ => Err(Refusal::new(
            ("this is no degree of visibility", "无法识别的可见范围"),
            (
                "expected open (公开), platform (平台内) or sealed (密封)",
                "应为：公开（open）、平台内（platform）、密封（sealed）",
            ),
        )),
    }
}

/// Reads cooperation modes: `技术开发、技术转让`, `合作开发或技术入股`, `其他：…` aside.
/// The second part is true when words stood there that name no mode on purpose.
pub(crate) fn cooperation_modes(text: &str) -> Result<(Vec<CooperationMode>, bool), Refusal> {
    let mut out = Vec::new();
    let mut free = false;
    for entry in split(text, Splitter::Words) {
        let bare: String = without_parentheses(&entry);
        let whole = bare.trim();
        if is_free(whole)
            || whole.starts_with("其他")
            || whole.starts_with("其它")
            || whole == "other"
        {
            free = true;
            continue;
        }
        let modes = match whole.parse::<CooperationMode>() {
            Ok(m) => vec![m],
            // Perhaps several, joined by a word; the message quotes the whole.
            Err(e) => whole
                .split(['/', '或', '和', '及', '与', '+', '＋', ' '])
                .filter(|p| !p.trim().is_empty())
                .map(|p| p.parse().map_err(|_| Refusal::from(e.clone())))
                .collect::<Result<_, _>>()?,
        };
        for mode in modes {
            if !out.contains(&mode) {
                out.push(mode);
            }
        }
    }
    Ok((out, free))
}

/// Reads forms of intellectual property; counts after them (`发明专利3项`) are allowed.
pub(crate) fn ip_forms(text: &str) -> Result<Vec<IpForm>, Refusal> {
    let mut out = Vec::new();
    for entry in split(text, Splitter::Words) {
        let bare = without_parentheses(&entry);
        let bare = bare
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_digit() || "项件个篇 ".contains(c))
            .trim();
        let form = entry
            .parse::<IpForm>()
            .or_else(|e| bare.parse().map_err(|_| e))
            .map_err(Refusal::from)?;
        if !out.contains(&form) {
            out.push(form);
        }
    }
    Ok(out)
}

/// True for the headings under which forms sort industries and which are no industry of
/// GB/T 4754: the eight fields of high technology (国科发火〔2016〕32号), the strategic emerging
/// industries (2018) and their everyday short forms.
pub(crate) fn field_category(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "电子信息",
        "电子信息技术",
        "新一代信息技术",
        "信息技术",
        "新一代信息技术产业",
        "生物与新医药",
        "生物医药",
        "生物与新医药技术",
        "生物",
        "生物产业",
        "医药健康",
        "大健康",
        "生命健康",
        "航空航天",
        "航空航天技术",
        "新材料",
        "新材料技术",
        "新材料产业",
        "高技术服务",
        "高技术服务业",
        "现代服务业",
        "新能源",
        "新能源产业",
        "新能源与节能",
        "新能源及节能技术",
        "节能环保",
        "节能环保产业",
        "资源与环境",
        "资源与环境技术",
        "绿色低碳",
        "先进制造",
        "先进制造与自动化",
        "先进制造技术",
        "智能制造",
        "高端装备",
        "高端装备制造",
        "高端装备制造产业",
        "装备制造",
        "新能源汽车",
        "新能源汽车产业",
        "智能网联汽车",
        "数字创意",
        "数字创意产业",
        "数字经济",
        "人工智能",
        "大数据",
        "云计算",
        "物联网",
        "区块链",
        "集成电路",
        "半导体",
        "机器人",
        "现代农业",
        "海洋经济",
        "海洋装备",
        "相关服务业",
        "化工新材料",
        "轨道交通",
        "其他",
        "其它",
    ];
    let t = text.trim();
    WORDS.contains(&t)
        || t.strip_suffix("产业")
            .or_else(|| t.strip_suffix("领域"))
            .is_some_and(|t| WORDS.contains(&t))
}

fn without_parentheses(s: &str) -> String {
    let mut depth = 0_usize;
    s.chars()
        .filter(|c| match c {
            '(' | '（' => {
                depth += 1;
                false
            }
            ')' | '）' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cooperation_modes_as_people_write_them() {
        let of = |s: &str| {
            cooperation_modes(s).map(|(m, free)| {
                (
                    m.iter().map(|m| m.as_str()).collect::<Vec<_>>().join(" "),
                    free,
                )
            })
        };
        assert_eq!(
            of("技术开发、技术转让"),
            Ok(("development transfer".into(), false))
        );
        assert_eq!(
            of("合作开发（优先），委托开发"),
            Ok(("development".into(), false))
        );
        assert_eq!(of("技术入股/许可"), Ok(("equity license".into(), false)));
        assert_eq!(of("技术咨询；其他：驻厂"), Ok(("consulting".into(), true)));
        assert_eq!(of("不限"), Ok((String::new(), true)));
        assert!(of("技术赠与").is_err());
    }

    #[test]
    fn small_vocabularies() {
        assert_eq!(read_bool(" 是 "), Ok(true));
        assert!(read_bool("也许").is_err());
        assert_eq!(read_count("3项"), Ok(3));
        assert_eq!(read_count("3.0"), Ok(3));
        assert!(
            read_count("3.5").is_err()
                && read_count("三").is_err()
                && read_count("99999999999").is_err()
        );
        assert_eq!(ip_forms("发明专利3项、软著").map(|v| v.len()), Ok(2));
        assert!(ip_forms("诀窍若干").is_err());
        let r = |s: &str| {
            read_region(s)
                .map(|r| r.to_string())
                .map_err(|e| e.problem.en)
        };
        assert_eq!(r("广东省-深圳市"), Ok("440300".into()));
        assert_eq!(r("中国广东深圳"), Ok("440300".into()));
        assert_eq!(
            r("亚特兰-蒂斯"),
            Err("`亚特兰-蒂斯` is no region known to GB/T 2260".into())
        );
        let t = read_regions(&["广东".into(), "200公里以内".into()]);
        assert_eq!(t.map(|t| (t.regions.len(), t.km)), Ok((1, Some(200))));
        assert!(field_category("新材料领域") && !field_category("集成电路制作"));
    }
}
