//! The figures a question asks for, and what a record says of them.

use crate::{
    piece::Piece,
    question::Question,
    response::{Excerpt, FigureMatch},
};
use queqiao_text::figures::{Comparison, Figure, Verdict, compare, figures};

/// Of a question with more, the first so many are compared.
const MAX_FIGURES: usize = 32;
/// Bytes between the name of a figure and the figure, at most, that are shown with it.
const NEAR: usize = 60;

/// A question's figures, read once for all its matches.
pub(crate) struct Figuring {
    asked: Vec<(Excerpt, Figure)>,
}

impl Figuring {
    /// What the question asks for in figures. Every figure among the targets counts; elsewhere in a
    /// need many figures tell of the company, so there a bound must be stated, and money and counts
    /// are left out.
    pub(crate) fn of(question: &Question) -> Self {
        let mut asked = Vec::new();
        for (path, text) in &question.fields {
            let target = path.starts_with("targets");
            let wanted = |f: &Figure| {
                !f.name.is_empty()
                    && !f.superseded
                    && (target || f.bounded && !f.unit.is_money() && !f.unit.is_count())
            };
            for f in figures(text).into_iter().filter(wanted) {
                asked.push((shown(path, text, 0, &f), f));
            }
        }
        asked.truncate(MAX_FIGURES);
        Self { asked }
    }

    /// Whether it asks for none.
    pub(crate) fn is_empty(&self) -> bool {
        self.asked.is_empty()
    }

    /// What a record, given by its pieces, says of each, in the order of the question; none where nothing is asked.
    pub(crate) fn judge(&self, pieces: &[Piece<'_>]) -> Vec<FigureMatch> {
        if self.asked.is_empty() {
            return Vec::new();
        }
        let offered: Vec<(Excerpt, Figure)> = pieces
            .iter()
            .flat_map(|p| {
                // A heading that is repeated was read with the piece before.
                let head = p.head.iter().filter(|_| !p.goes_on);
                head.chain(&p.body)
            })
            .flat_map(|field| {
                figures(field.text)
                    .into_iter()
                    .filter(|f| !f.wished)
                    .map(|f| (shown(&field.path, field.text, field.start, &f), f))
            })
            .collect();
        self.asked
            .iter()
            .map(|(asked, figure)| {
                let comparable = offered
                    .iter()
                    .filter_map(|(p, f)| Some((p, compare(figure, f)?)));
                let best =
                    comparable.fold(
                        None,
                        |best: Option<(&Excerpt, Comparison)>, next| match best {
                            Some(b) if !better(&next.1, &b.1) => Some(b),
                            _ => Some(next),
                        },
                    );
                FigureMatch {
                    asked: asked.clone(),
                    offered: best.map(|b| b.0.clone()),
                    verdict: best.map(|b| b.1.verdict),
                    margin: best.and_then(|b| b.1.margin),
                }
            })
            .collect()
    }
}

/// Whether one comparison tells more than another: surer of the name, then the better verdict.
fn better(a: &Comparison, b: &Comparison) -> bool {
    let rank = |v: Verdict| match v {
        Verdict::Met => 0,
        Verdict::Partial => 1,
        Verdict::Short => 2,
    };
    a.shared > b.shared || a.shared == b.shared && rank(a.verdict) < rank(b.verdict)
}

/// A figure as a person wants to see it: with its name and bound where they stand close before it.
fn shown(path: &str, text: &str, begins: usize, figure: &Figure) -> Excerpt {
    let mut from = figure.span.start;
    if let Some(at) = text[..from].rfind(&figure.name)
        && !figure.name.is_empty()
        && from - at <= NEAR + figure.name.len()
    {
        from = at;
    }
    let start = begins + text[..from].chars().count();
    let shown = &text[from..figure.span.end];
    Excerpt {
        path: path.to_owned(),
        text: shown.to_owned(),
        start,
        end: start + shown.chars().count(),
    }
}
