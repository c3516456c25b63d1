//! Wording that says nothing about a subject, put into training texts so that the model learns to
//! look past it: scientific abstracts have little of it, needs, patents and biographies much.

use super::rng::Rng;
use crate::tokenizer::{Scratch, Tokenizer};

const TEXT: &str = include_str!("boilerplate.txt");

/// The phrases as token ids, by section.
#[derive(Debug, Default)]
pub(crate) struct Noise {
    sections: Vec<Vec<Vec<u32>>>,
}

impl Noise {
    /// Tokenises the phrases.
    pub(crate) fn new(tokenizer: &Tokenizer) -> Self {
        let mut scratch = Scratch::default();
        let sections = TEXT
            .split("\n\n")
            .map(|section| {
                section
                    .lines()
                    .filter(|line| !line.starts_with('#'))
                    .filter_map(|line| {
                        tokenizer.encode(line, &mut scratch).ok()?;
                        (!scratch.ids.is_empty()).then(|| scratch.ids.clone())
                    })
                    .collect::<Vec<_>>()
            })
            .filter(|section| !section.is_empty())
            .collect();
        Noise { sections }
    }

    /// Appends phrases of one section: up to half as many tokens as the text has, and four.
    pub(crate) fn append(&self, text: &mut Vec<u32>, rng: &mut Rng) {
        if self.sections.is_empty() {
            return;
        }
        let section = &self.sections[rng.below(self.sections.len())];
        let wanted = text.len() + 1 + rng.below(4 + text.len() / 2);
        // A form uses few phrases and some of them often.
        let few: Vec<usize> = (0..1 + rng.below(8))
            .map(|_| rng.below(section.len()))
            .collect();
        while text.len() < wanted {
            text.extend_from_slice(&section[few[rng.below(few.len())]]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_many_and_phrases_short() {
        let sections: Vec<&str> = TEXT.split("\n\n").skip(1).collect(); // past the header
        assert!(sections.len() >= 5);
        for line in sections.iter().flat_map(|s| s.lines()) {
            assert!(!line.is_empty() && line.chars().count() <= 40, "{line}");
        }
    }
}
