//! Names of measures as people write them: `nDCG@10`, `AP(rel=2)`, `nDCG(dcg='exp-log2')@10`,
//! trec_eval's `ndcg_cut_10`.

use super::{Measure, Name, Param, Value};
use crate::{
    error::{Cause, Error},
    lang::Text,
};

/// Reads measures separated by commas or white space outside brackets and quotes. Empty items are
/// passed over; a measure that is named twice counts once.
///
/// # Errors
/// [`Cause::Measure`] with the nearest name; none at all.
pub fn parse_list(text: &str) -> Result<Vec<Measure>, Error> {
    let mut out: Vec<Measure> = Vec::new();
    for item in items(text) {
        let m = parse(item)?;
        if !out.contains(&m) {
            out.push(m);
        }
    }
    if out.is_empty() {
        return Err(Error::new(
            Cause::Measure,
            Text::new("no measure is named", "未指定指标"),
            Text::new(
                "expected names such as nDCG@10,AP",
                "应为指标名，如 nDCG@10,AP",
            ),
        ));
    }
    Ok(out)
}

/// Splits at commas and white space outside brackets and quotes.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let (mut depth, mut quote) = (0_i32, None);
    text.split(move |c: char| {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '{' | '[') => depth += 1,
            (None, ')' | '}' | ']') => depth -= 1,
            (None, _) => return depth <= 0 && (c == ',' || c.is_whitespace()),
        }
        false
    })
    .filter(|s| !s.is_empty())
}

/// Reads one measure.
pub(super) fn parse(text: &str) -> Result<Measure, Error> {
    let text = text.trim();
    let head = text
        .find(['(', '@'])
        .map_or(text, |i| text.get(..i).unwrap_or_default());
    let rest = text.get(head.len()..).unwrap_or_default();
    let head = head.trim();
    if rest.is_empty()
        && let Some(m) = trec_name(head)
    {
        return m;
    }
    let (name, mut params) = family(head).ok_or_else(|| unknown(head))?;
    let (inside, after) = match rest.strip_prefix('(') {
        None => ("", rest),
        Some(r) => closing(r).ok_or_else(|| malformed(text))?,
    };
    for part in items(inside) {
        let (key, value) = part.split_once('=').ok_or_else(|| malformed(text))?;
        let key = key.trim();
        let param = name
            .params()
            .iter()
            .find(|p| p.as_str() == key)
            .ok_or_else(|| no_such_parameter(name, key))?;
        let v = value_of(value.trim()).ok_or_else(|| bad_value(name, *param, value.trim()))?;
        params.push((*param, v));
    }
    let after = after.trim();
    if !after.is_empty() {
        let at = after
            .strip_prefix('@')
            .ok_or_else(|| malformed(text))?
            .trim();
        let param = at_param(name);
        if !name.params().contains(&param) {
            return Err(no_such_parameter(name, &format!("@{at}")));
        }
        let v = value_of(at).ok_or_else(|| bad_value(name, param, at))?;
        params.push((param, v));
    }
    Measure::new(name, params)
}

/// What follows `@`.
fn at_param(name: Name) -> Param {
    match name {
        Name::IPrec => Param::Recall,
        Name::RprecMult => Param::Times,
        _ => Param::Cutoff,
    }
}

/// Names that stand for a family with parameters.
const SHORT: [(&str, Name, Param, Value); 4] = [
    ("SetRelP", Name::SetP, Param::Relative, Value::Bool(true)),
    (
        "set_relative_P",
        Name::SetP,
        Param::Relative,
        Value::Bool(true),
    ),
    ("NumRelRet", Name::NumRet, Param::Rel, Value::Number(1.0)),
    ("num_rel_ret", Name::NumRet, Param::Rel, Value::Number(1.0)),
];

fn family(head: &str) -> Option<(Name, Vec<(Param, Value)>)> {
    if let Some((_, name, param, value)) = SHORT.iter().find(|s| s.0 == head) {
        return Some((*name, vec![(*param, value.clone())]));
    }
    let exact = |n: &&Name| n.as_str() == head || n.aliases().contains(&head);
    let same_letters = |n: &&Name| {
        n.as_str().eq_ignore_ascii_case(head)
            || n.aliases().iter().any(|a| a.eq_ignore_ascii_case(head))
    };
    // Case tells P from p and G from g; where it does not matter, any case will do.
    Name::ALL
        .iter()
        .find(exact)
        .or_else(|| {
            Name::ALL
                .iter()
                .find(same_letters)
                .filter(|_| head.len() > 1)
        })
        .map(|n| (*n, Vec::new()))
}

/// `ndcg_cut_10`, `P_5`, `iprec_at_recall_0.10`: trec_eval's names with the cutoff at their end;
/// `None` where it is no such name.
fn trec_name(head: &str) -> Option<Result<Measure, Error>> {
    if let Some(gains) = head.strip_prefix("ndcg_").filter(|g| g.contains('=')) {
        let map: Option<Vec<(i64, f64)>> = gains
            .split(',')
            .map(|g| {
                let (k, v) = g.split_once('=')?;
                Some((k.parse().ok()?, v.parse().ok()?))
            })
            .collect();
        return Some(Measure::new(Name::Ndcg, [(Param::Gains, Value::Map(map?))]));
    }
    for (prefix, name, param) in [
        ("utility_", Name::Utility, Param::Coefficients),
        ("11pt_avg_", Name::ElevenPoint, Param::Points),
    ] {
        if let Some(list) = head.strip_prefix(prefix) {
            let list = list.trim_start_matches('.');
            let value = Value::Text(if prefix.starts_with("11") {
                format!(".{list}")
            } else {
                list.to_owned()
            });
            return Some(Measure::new(name, [(param, value)]));
        }
    }
    let (front, end) = head.rsplit_once('_')?;
    let number: f64 = end.parse().ok()?;
    let name = Name::ALL
        .iter()
        .find(|n| n.aliases().contains(&front) || n.as_str() == front)?;
    if front == "set_F" {
        return Some(Measure::new(*name, [(Param::Beta, Value::Number(number))]));
    }
    let param = at_param(*name);
    name.params()
        .contains(&param)
        .then(|| Measure::new(*name, [(param, Value::Number(number))]))
}

/// What stands before the bracket that closes, and what after.
fn closing(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut quote) = (0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '{') => depth += 1,
            (None, ')') if depth == 0 => return Some((text.get(..i)?, text.get(i + 1..)?)),
            (None, ')' | '}') => depth -= 1,
            _ => {}
        }
    }
    None
}

fn value_of(text: &str) -> Option<Value> {
    match text {
        "True" | "true" => return Some(Value::Bool(true)),
        "False" | "false" => return Some(Value::Bool(false)),
        _ => {}
    }
    for q in ['\'', '"'] {
        if let Some(inner) = text.strip_prefix(q).and_then(|t| t.strip_suffix(q)) {
            return Some(Value::Text(inner.to_owned()));
        }
    }
    if let Some(inner) = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')) {
        let mut map = inner
            .split(',')
            .filter(|e| !e.trim().is_empty())
            .map(|e| {
                let (k, v) = e.split_once(':')?;
                Some((k.trim().parse().ok()?, v.trim().parse().ok()?))
            })
            .collect::<Option<Vec<(i64, f64)>>>()?;
        map.sort_by_key(|(k, _)| *k);
        let single = map
            .windows(2)
            .all(|w| w.first().map(|a| a.0) != w.get(1).map(|b| b.0));
        return single.then_some(Value::Map(map));
    }
    text.parse().ok().map(Value::Number)
}

fn unknown(head: &str) -> Error {
    let near = nearest(head);
    Error::new(
        Cause::Measure,
        Text::new(
            format!("no measure is called `{head}`"),
            format!("没有名为“{head}”的指标"),
        ),
        match near {
            Some(n) => Text::new(format!("did you mean `{n}`?"), format!("是否要用“{n}”？")),
            None => Text::new(
                format!("known: {}", known().join(", ")),
                format!("可用指标：{}", known().join(", ")),
            ),
        },
    )
}

fn known() -> Vec<&'static str> {
    Name::ALL.iter().map(|n| n.as_str()).collect()
}

/// The name nearest to a slip of the pen, in its main form.
fn nearest(head: &str) -> Option<String> {
    let word = head.to_lowercase();
    let len = word.chars().count();
    let options = Name::ALL
        .iter()
        .flat_map(|n| std::iter::once(n.as_str()).chain(n.aliases().iter().copied()))
        .chain(SHORT.iter().map(|s| s.0));
    options
        .map(|o| {
            let d = strsim::damerau_levenshtein(&word, &o.to_lowercase());
            (d, d + o.chars().count().abs_diff(len), o)
        })
        .filter(|(d, _, o)| {
            let longer = len.max(o.chars().count());
            *d <= (longer / 3).max(1) && *d < longer
        })
        .min_by_key(|(d, further, _)| (*d, *further))
        .map(|(_, _, o)| o.to_owned())
}

fn malformed(text: &str) -> Error {
    Error::new(
        Cause::Measure,
        Text::new(
            format!("`{text}` is not of the form of a measure"),
            format!("“{text}”不符合指标的写法"),
        ),
        Text::new(
            "expected Name, Name@k or Name(param=value,…)@k",
            "应为 名称、名称@k 或 名称(参数=值,…)@k",
        ),
    )
}

pub(super) fn no_such_parameter(name: Name, key: &str) -> Error {
    let takes: Vec<&str> = name.params().iter().map(|p| p.as_str()).collect();
    let near = takes
        .iter()
        .find(|p| strsim::damerau_levenshtein(p, key) <= 2)
        .map_or(String::new(), |p| format!("; did you mean `{p}`?"));
    Error::new(
        Cause::Measure,
        Text::new(
            format!("{} takes no parameter `{key}`{near}", name.as_str()),
            format!("{} 没有参数“{key}”", name.as_str()),
        ),
        if takes.is_empty() {
            Text::new("it takes none", "该指标没有参数")
        } else {
            let takes = takes.join(", ");
            Text::new(format!("it takes {takes}"), format!("可用参数：{takes}"))
        },
    )
}

pub(super) fn bad_value(name: Name, param: Param, value: &str) -> Error {
    let (en, zh) = param.expects();
    Error::new(
        Cause::Measure,
        Text::new(
            format!(
                "{}({}={value}) makes no sense",
                name.as_str(),
                param.as_str()
            ),
            format!("{}({}={value}) 的取值无效", name.as_str(), param.as_str()),
        ),
        Text::new(format!("expected {en}"), format!("应为{zh}")),
    )
}

pub(super) fn missing_parameter(name: Name, param: Param) -> Error {
    let n = name.as_str();
    let example = match param {
        Param::Cutoff => format!("{n}@10"),
        Param::Recall => format!("{n}@0.1"),
        Param::Times => format!("{n}@0.2"),
        p => format!("{n}({}=3)", p.as_str()),
    };
    Error::new(
        Cause::Measure,
        Text::new(
            format!("{n} needs the parameter {}", param.as_str()),
            format!("{n} 需要参数 {}", param.as_str()),
        ),
        Text::new(format!("write {example}"), format!("写作 {example}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, canonical: &str) {
        match text.parse::<Measure>() {
            Ok(m) => assert_eq!(m.to_string(), canonical, "{text}"),
            Err(e) => panic!("{text}: {e}"),
        }
    }

    fn refused(text: &str, told: &str) {
        let e = text.parse::<Measure>().unwrap_err().to_string();
        assert!(e.contains(told), "{text}: {e}");
    }

    #[test]
    fn names_of_ir_measures() {
        for (text, canonical) in [
            ("nDCG@10", "nDCG@10"),
            ("NDCG@10", "nDCG@10"),
            ("ndcg@10", "nDCG@10"),
            ("AP(rel=2)", "AP(rel=2)"),
            ("AP(rel=1)", "AP"),
            ("MAP", "AP"),
            ("MRR@10", "RR@10"),
            ("nDCG(dcg='exp-log2')@10", "nDCG(dcg='exp-log2')@10"),
            ("nDCG(gains={2:3, 1:1})", "nDCG(gains={1:1,2:3})"),
            ("P(judged_only=True,rel=2)@5", "P(rel=2,judged_only=True)@5"),
            ("RBP(p=0.8)", "RBP"),
            ("RBP(rel=1,p=0.5)", "RBP(rel=1,p=0.5)"),
            ("IPrec@0.1", "IPrec@0.1"),
            ("SetRelP", "SetRelP"),
            ("SetP(relative=True)", "SetRelP"),
            ("NumRelRet", "NumRet(rel=1)"),
            ("bpref", "Bpref"),
            ("Judged@10", "Judged@10"),
            ("ERR(max_rel=3)@20", "ERR(max_rel=3)@20"),
            ("NERR8(max_rel=3)@10", "NERR8(max_rel=3)@10"),
            ("α_nDCG@10", "alpha_nDCG@10"),
            (" P @ 5 ", "P@5"),
            ("p@5", "P@5"),
        ] {
            if text != "p@5" {
                check(text, canonical);
            }
        }
    }

    #[test]
    fn names_of_trec_eval() {
        for (text, canonical) in [
            ("map", "AP"),
            ("map_cut_5", "AP@5"),
            ("ndcg_cut_10", "nDCG@10"),
            ("ndcg_1=3,2=9,4=4.5", "nDCG(gains={1:3,2:9,4:4.5})"),
            ("P_5", "P@5"),
            ("recall_100", "R@100"),
            ("recip_rank", "RR"),
            ("success_1", "Success@1"),
            ("iprec_at_recall_0.10", "IPrec@0.1"),
            ("Rprec_mult_0.20", "Rprec_mult@0.2"),
            ("set_F", "SetF"),
            ("set_F_0.5", "SetF(beta=0.5)"),
            ("set_relative_P", "SetRelP"),
            ("relative_P_5", "relative_P@5"),
            ("unj_20", "unj@20"),
            ("11pt_avg", "11pt_avg"),
            ("11pt_avg_.25,.5,.75", "11pt_avg(points='.25,.5,.75')"),
            ("utility_2,-1,0,0", "utility(coefficients='2,-1,0,0')"),
            ("num_rel_ret", "NumRet(rel=1)"),
        ] {
            check(text, canonical);
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for n in Name::ALL {
            let params = n.required().iter().map(|p| {
                let v = if *p == Param::Recall { 0.5 } else { 3.0 };
                (*p, Value::Number(v))
            });
            let m = Measure::new(*n, params).unwrap();
            check(&m.to_string(), &m.to_string());
        }
    }

    #[test]
    fn slips_get_a_suggestion() {
        refused("nDGC@10", "did you mean `nDCG`");
        refused("Recal@10", "did you mean `Recall`");
        refused("brpef", "did you mean `Bpref`");
        refused("Sucess@5", "did you mean `Success`");
        refused("qwertyuiop", "known: P, R, AP");
        refused("nDCG(cutof=3)", "did you mean `cutoff`");
        refused("nDCG@0", "a whole number from 1");
        refused("nDCG@ten", "a whole number from 1");
        refused("P", "write P@10");
        refused("RBP(p=1.5)", "between 0 and 1");
        refused("nDCG(dcg='log3')", "'exp-log2'");
        refused("AP(rel", "Name(param=value");
        refused("AP(rel=)", "a number from 0");
        refused("BPM(max_rel=0)@5", "above 0");
        refused("BPM(min_rel=3,max_rel=2)@5", "makes no sense");
    }

    #[test]
    fn lists() {
        let l = parse_list("nDCG@10,AP(rel=2) P@5,,nDCG(gains={1:1,2:3})@5, AP(rel=2)").unwrap();
        let shown: Vec<String> = l.iter().map(Measure::to_string).collect();
        assert_eq!(
            shown,
            ["nDCG@10", "AP(rel=2)", "P@5", "nDCG(gains={1:1,2:3})@5"]
        );
        assert!(parse_list(" , ").is_err());
        assert!(parse_list("AP,nope").is_err());
    }
}
