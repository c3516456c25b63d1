//! From scanned running text to paragraphs that are worth learning from.

use queqiao_text::is_han;

/// A paragraph has at least this many characters …
pub(crate) const MIN_CHARS: usize = 60;
/// … and at most this many; longer ones are cut at the end of a sentence.
pub(crate) const MAX_CHARS: usize = 500;

/// Marks of lines that are about the paper, not its subject.
const FRONT_MATTER: [&str; 14] = [
    "基金项目",
    "收稿日期",
    "作者简介",
    "通信作者",
    "通讯作者",
    "关键词",
    "中图分类号",
    "文献标",
    "DOI",
    "doi",
    "E-mail",
    "e-mail",
    "Email",
    "引用格式",
];

/// Headings after which nothing is running text.
const BACK_MATTER: [&str; 5] = ["参考文献", "References", "REFERENCES", "致谢", "附录"];

/// The paragraphs of a running text, at most `limit`, spread over it evenly.
///
/// Left out: headings, captions, front matter, formulas, tables (many digits), references and what
/// follows them, and lines that are mostly not in the text's own language.
pub(crate) fn paragraphs(text: &str, limit: usize) -> Vec<String> {
    let mut all = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if is_back_matter(line) && !all.is_empty() {
            break;
        }
        if is_running_text(line) {
            split_long(line, &mut all);
        }
    }
    thin(all, limit)
}

/// Keeps `limit` items, evenly spread.
pub(crate) fn thin<T>(items: Vec<T>, limit: usize) -> Vec<T> {
    let n = items.len();
    if n <= limit {
        return items;
    }
    items
        .into_iter()
        .enumerate()
        .filter(|(i, _)| (i + 1) * limit / n > i * limit / n)
        .map(|(_, item)| item)
        .collect()
}

fn is_back_matter(line: &str) -> bool {
    let heading = line.trim_start_matches(['#', ' ', '*']);
    heading.chars().count() < 30 && BACK_MATTER.iter().any(|m| heading.starts_with(m))
}

fn is_running_text(line: &str) -> bool {
    if line.starts_with(['#', '|', '<', '!']) || FRONT_MATTER.iter().any(|m| line.contains(m)) {
        return false;
    }
    let (mut chars, mut han, mut digits, mut letters) = (0usize, 0usize, 0usize, 0usize);
    for c in line.chars() {
        chars += 1;
        han += usize::from(is_han(c));
        digits += usize::from(c.is_numeric());
        letters += usize::from(c.is_alphabetic() && !is_han(c));
    }
    // Chinese running text; or English running text, whose words a scan has not glued together.
    let chinese = han * 2 > chars;
    let english = letters * 10 > chars * 7 && glued_share(line) < 0.1;
    chars >= MIN_CHARS && digits * 5 < chars && (chinese || english)
}

/// The share of a Latin text's words that are too long to be words: a scan lost their blanks.
pub(crate) fn glued_share(text: &str) -> f32 {
    let (mut words, mut long) = (0usize, 0usize);
    for word in text
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| !w.is_empty())
    {
        words += 1;
        long += usize::from(word.len() > 20 && word.is_ascii());
    }
    if words == 0 {
        0.0
    } else {
        long as f32 / words as f32
    }
}

fn split_long(line: &str, out: &mut Vec<String>) {
    let mut piece = String::new();
    let mut count = 0;
    for c in line.chars() {
        piece.push(c);
        count += 1;
        let end =
            matches!(c, '。' | '；' | '！' | '？' | ';') || (c == '.' && count > MAX_CHARS / 2);
        if (end && count >= MAX_CHARS * 3 / 5) || count >= MAX_CHARS {
            out.push(std::mem::take(&mut piece));
            count = 0;
        }
    }
    if count >= MIN_CHARS {
        out.push(piece);
    }
}

/// Splits a list of keywords that came as one string.
pub(crate) fn split_keywords(text: &str) -> Vec<String> {
    text.split(['；', ';', '，', ',', '、', '。', '\n', '|'])
        .flat_map(|k| k.split(". "))
        .map(|k| k.trim().trim_end_matches('.').trim())
        .filter(|k| (2..60).contains(&k.chars().count()))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_text_only() {
        let body = "近年来储能电池的热管理受到关注。".repeat(40);
        let text = format!(
            "# 标题\n关键词 储能 电池\n{body}\n图1 结构\n表格 12 34 56 78 90\n# 参考文献\n[1] {body}"
        );
        let p = paragraphs(&text, 10);
        assert!(!p.is_empty());
        for x in &p {
            assert!((MIN_CHARS..=MAX_CHARS).contains(&x.chars().count()), "{x}");
            assert!(!x.contains("[1]") && !x.contains("关键词"));
        }
        assert_eq!(paragraphs(&text, 1).len(), 1);
        assert_eq!(paragraphs("", 5), Vec::<String>::new());
    }

    #[test]
    fn keywords() {
        assert_eq!(
            split_keywords("Knowledge organization；Engine system; Query interface. STKOS."),
            [
                "Knowledge organization",
                "Engine system",
                "Query interface",
                "STKOS"
            ]
        );
        assert_eq!(thin((0..10).collect(), 3), [3, 6, 9]);
    }
}
