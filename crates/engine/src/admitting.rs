//! Who may answer at all: kinds, validity, the caller's filter, and what keeps records from each other.

use crate::{
    Engine,
    conditions::Conditions,
    question::Question,
    request::{Ask, MatchRequest},
};
use queqiao_domain::{Facets, Field, Filter, Kind, Op, Value, Visibility};

/// The kinds that may answer.
pub(crate) fn kinds(request: &MatchRequest, question: &Question) -> Vec<Kind> {
    if request.to.is_empty() {
        let asker = question.facets.as_ref().map_or(Kind::Need, |f| f.kind);
        asker.default_counterparts().to_vec()
    } else {
        request.to.clone()
    }
}

pub(crate) fn kind_filter(kinds: &[Kind]) -> Filter {
    Filter::any_of(Field::Kind, Op::Eq, kinds.iter().copied().map(Value::Kind))
}

/// The caller's filter for the index, which sees all of every record: of those that are sealed, [`admits`] decides
/// where the caller may not see them.
pub(crate) fn seen_filter(request: &MatchRequest) -> Filter {
    match request.sees_sealed || request.filter == Filter::All {
        true => request.filter.clone(),
        false => Filter::Or(vec![
            Filter::compare(
                Field::Visibility,
                Op::Eq,
                Value::Visibility(Visibility::Sealed),
            ),
            request.filter.clone(),
        ]),
    }
}

/// Whether the caller's filter lets a record pass, by what the caller may know of it.
pub(crate) fn admits(request: &MatchRequest, facets: &Facets) -> bool {
    request.sees_sealed
        || facets.visibility != Visibility::Sealed
        || facets.openly_matches(&request.filter)
}

/// What every answer must be, whatever the caller's filter says.
pub(crate) fn base_filter(request: &MatchRequest, question: &Question) -> Filter {
    kind_filter(&kinds(request, question)).and(Filter::compare(
        Field::Valid,
        Op::Eq,
        Value::Date(request.today),
    ))
}

impl Engine {
    pub(crate) fn conditions<'a>(
        &self,
        request: &'a MatchRequest,
        question: &'a Question,
    ) -> Conditions<'a> {
        Conditions {
            asker: question.facets.as_ref(),
            stored: match &request.ask {
                Ask::Record(id) => Some(id),
                _ => None,
            },
            own_organisation: request.own_organisation,
            today: request.today,
            needs_consent: self.options.needs_consent,
            sees_sealed: request.sees_sealed,
        }
    }
}
