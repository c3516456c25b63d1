//! Which of the two languages a text is in.

use crate::is_han;
use queqiao_domain::Language;

/// The main language of a text: Chinese when Chinese characters are at least a quarter of the
/// letters (a Chinese sentence full of English terms is Chinese), English when it has letters at
/// all, else `None`.
pub fn detect_language(text: &str) -> Option<Language> {
    let (mut han, mut latin) = (0usize, 0usize);
    for c in text.chars() {
        if is_han(c) {
            han += 1;
        } else if c.is_alphabetic() {
            latin += 1;
        }
    }
    if han + latin == 0 {
        None
    } else if han * 4 >= han + latin {
        Some(Language::Zh)
    } else {
        Some(Language::En)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_the_two_apart() {
        assert_eq!(
            detect_language("基于YOLOv5的光伏组件热斑检测"),
            Some(Language::Zh)
        );
        assert_eq!(
            detect_language("Graph neural networks (图神经网络)"),
            Some(Language::En)
        );
        assert_eq!(detect_language("≥ 95 %"), None);
    }
}
