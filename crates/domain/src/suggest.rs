//! "Did you mean …": the nearest known word to an unknown one.

use crate::Bilingual;

/// The option nearest to `word`, if one is near enough to be a likely slip of the pen.
///
/// Nearness is Damerau–Levenshtein distance over characters; an option qualifies when at most a
/// third of the longer word differs (at least one character may).
pub fn nearest<'a>(word: &str, options: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let n = word.chars().count();
    options
        .into_iter()
        // A difference in length is a distance already: most options end here.
        .filter(|o| {
            let m = o.chars().count();
            n.abs_diff(m) <= (n.max(m) / 3).max(1)
        })
        .map(|o| (strsim::damerau_levenshtein(&word, &o.to_lowercase()), o))
        .filter(|(d, o)| {
            let longer = n.max(o.chars().count());
            *d <= (longer / 3).max(1) && *d < longer
        })
        .min_by_key(|(d, _)| *d)
        .map(|(_, o)| o)
}

/// `"; did you mean X?"` when an option is near `word`, else nothing: the end of a message.
pub fn did_you_mean<'a>(word: &str, options: impl IntoIterator<Item = &'a str>) -> Bilingual {
    match nearest(word, options) {
        Some(o) => Bilingual::new(
            format!("; did you mean `{o}`?"),
            format!("；是否想写 `{o}`？"),
        ),
        None => Bilingual::new("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_ignores_strangers() {
        let options = ["region", "readiness", "industry"];
        assert_eq!(nearest("regoin", options), Some("region"));
        assert_eq!(nearest("Readines", options), Some("readiness"));
        assert_eq!(nearest("colour", options), None);
        assert_eq!(
            nearest("拟投入资", ["拟投入资金", "合作方式"]),
            Some("拟投入资金")
        );
    }
}
