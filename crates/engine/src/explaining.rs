//! Why a record stands where it stands, and what would move it.

use crate::{
    Engine, Error,
    admitting::{admits, kinds},
    figuring::Figuring,
    finding::{Asking, check_deadline},
    matching::{NEIGHBOURS_AMONG, Ranked},
    question::Question,
    quoting::Quoter,
    reading::READ,
    request::{Ask, MatchRequest},
    response::{Ahead, Change, Counterfactual, Excerpt, Explanation},
    telling::Teller,
};
use queqiao_domain::{Bilingual, Facets, Kind, Record, RecordId, Score, TenantId, Visibility};
use queqiao_ranking::{Asker, CENTRE_OF, Feature, Scorer, Signals, Values, features};
use serde_json::Value as Json;

/// So many clauses of a question are left out, one by one, to see what each does.
const MAX_LEFT_OUT: usize = 12;

impl Engine {
    /// The match of one given record, whatever its rank, which is told, with who stands ahead and
    /// what would change the rank. `list` is the length of the list it should be on: then who is
    /// ahead is the last of that list; else it is the record one place above. What would change the
    /// rank is told when `changes_too`: every clause is left out and all is ranked anew.
    ///
    /// # Errors
    /// [`Error::Excluded`] when a condition keeps the record out, with the condition.
    pub fn explain(
        &self,
        tenant: &TenantId,
        request: &MatchRequest,
        candidate: &RecordId,
        list: Option<usize>,
        changes_too: bool,
    ) -> Result<Explanation, Error> {
        let sight = self.sight(tenant);
        let question = self.question(tenant, request, &sight.pipeline)?;
        let stored = self.find_record(tenant, candidate)?;
        let facets = Facets::of(&stored.record);
        if let Some(reason) = self.exclusion(request, &question, &facets) {
            return Err(Error::Excluded {
                id: candidate.clone(),
                reason,
            });
        }
        let weights = self.weights(request)?;
        let asking = Asking {
            tenant,
            sight: &sight,
            request,
            question: &question,
            weights: &weights,
        };
        let (ranked, _) = self.rank(&asking, usize::MAX)?;
        let teller = Teller {
            scorer: Scorer::new(&weights),
            quoter: Some(Quoter::new(&sight.pipeline, &question)?),
            figuring: Figuring::of(&question),
            clauses: true,
            calibration: self.calibration_for(request, &weights),
        };
        let Some(i) = place(&ranked, stored.key.0) else {
            return Err(Error::Excluded {
                id: candidate.clone(),
                reason: Bilingual::new("it shares no term with the question", "与问题没有共同词语"),
            });
        };
        let matched = {
            let stage = self.stages(tenant, &request.ask, std::iter::once(&ranked[i]))?;
            let stage = stage.first().copied().unwrap_or_default();
            teller.tell(i + 1, &ranked[i], (Some(&stored), stage))?
        };
        let asker = question.facets.as_ref();
        let mut changes: Vec<Counterfactual> = match &matched.facets {
            // What a sealed record is like is not told.
            None => Vec::new(),
            Some(_) if !changes_too => Vec::new(),
            Some(has) => asker
                .map(|asker| wishes(asker, has))
                .unwrap_or_default()
                .into_iter()
                .filter_map(|(change, has)| {
                    replaced(&teller.scorer, asker, &ranked, i, change, &has)
                })
                .collect(),
        };
        let asked: Vec<Excerpt> = matched.clauses.iter().map(|c| c.asked.clone()).collect();
        if changes_too && asked.len() > 1 {
            for clause in asked.into_iter().take(MAX_LEFT_OUT) {
                check_deadline(request, "leaving out clauses")?;
                let at = (stored.key.0, i + 1);
                changes.extend(self.without(&asking, clause, at)?);
            }
        }
        changes.sort_by_key(|c| c.rank);
        Ok(Explanation {
            ahead: ahead(&teller.scorer, &ranked, i, list),
            of: ranked.len(),
            matched,
            changes,
        })
    }

    /// The rank of the record of `key` without a clause of the question, when it is another.
    fn without(
        &self,
        asking: &Asking<'_>,
        clause: Excerpt,
        (key, rank): (u64, usize),
    ) -> Result<Option<Counterfactual>, Error> {
        let pipeline = &asking.sight.pipeline;
        let cut_record = |record: &Record| match cut_record(record, &clause) {
            Some(record) => Question::from_record(pipeline, &record).map(Some),
            None => Ok(None),
        };
        let question = match &asking.request.ask {
            Ask::Text(text) => {
                let text = cut(text, &clause);
                match text.chars().any(char::is_alphanumeric) {
                    true => Some(Question::from_text(pipeline, &text)?),
                    false => None,
                }
            }
            Ask::Draft(record) => cut_record(record)?,
            Ask::Record(id) => cut_record(&self.find_record(asking.tenant, id)?.record)?,
        };
        let Some(question) = question else {
            return Ok(None);
        };
        let without = Asking {
            question: &question,
            ..*asking
        };
        let (ranked, _) = self.rank(&without, usize::MAX)?;
        Ok(place(&ranked, key)
            .filter(|i| i + 1 != rank)
            .map(|i| Counterfactual {
                change: Change::WithoutClause(clause),
                rank: i + 1,
                score: ranked[i].score,
            }))
    }

    /// Why a record cannot be among the answers, if it cannot.
    fn exclusion(
        &self,
        request: &MatchRequest,
        question: &Question,
        facets: &Facets,
    ) -> Option<Bilingual> {
        let hidden = !request.sees_sealed && facets.visibility == Visibility::Sealed;
        if !kinds(request, question).contains(&facets.kind) {
            return Some(Bilingual::new(
                format!("{} is not among the kinds asked for", facets.kind),
                format!("所求类别不含{}", facets.kind.zh()),
            ));
        }
        if !facets.is_valid_on(request.today) {
            return Some(Bilingual::new(
                format!("it is not valid on {}", request.today),
                format!("在 {} 不在有效期内", request.today),
            ));
        }
        if !admits(request, facets) || !hidden && !request.filter.matches(facets) {
            return Some(Bilingual::new("the filter keeps it out", "不符合筛选条件"));
        }
        self.conditions(request, question)
            .excludes(facets)
            .map(|e| match hidden {
                // Which rule it is would tell of what it hides.
                true => Bilingual::new(
                    "a rule of the sealed record or its owner keeps it out",
                    "密封记录或其归属方的规则使其不能匹配",
                ),
                false => e.reason(),
            })
    }
}

fn place(ranked: &[Ranked], key: u64) -> Option<usize> {
    ranked.iter().position(|r| r.candidate.key == key)
}

/// What the record could be or tell instead, as far as it would be nearer to what is asked.
fn wishes(asker: &Facets, has: &Facets) -> Vec<(Change, Facets)> {
    let mut out = Vec::new();
    let mut wish = |feature: Feature, value: String, change: &dyn Fn(&mut Facets)| {
        let mut with = has.clone();
        change(&mut with);
        if with != *has {
            out.push((Change::Record { feature, value }, with));
        }
    };
    if let Some(region) = asker.region {
        wish(Feature::Region, region.to_string(), &|f| {
            f.region = Some(region)
        });
    }
    if let Some(code) = asker
        .industries
        .first()
        .filter(|c| !has.industries.contains(c))
    {
        wish(Feature::Industry, code.to_string(), &|f| {
            f.industries.push(*code)
        });
    }
    if let Some(code) = asker
        .disciplines
        .first()
        .filter(|c| !has.disciplines.contains(c))
    {
        wish(Feature::Discipline, code.to_string(), &|f| {
            f.disciplines.push(*code)
        });
    }
    if let Some(readiness) = asker.readiness
        && (asker.kind, has.kind) == (Kind::Need, Kind::Achievement)
        && has
            .readiness
            .is_none_or(|r| r.reaches(readiness) != Some(true))
    {
        wish(Feature::Readiness, readiness.to_string(), &|f| {
            f.readiness = Some(readiness)
        });
    }
    let missing: Vec<_> = asker
        .cooperation_modes
        .iter()
        .filter(|m| !has.cooperation_modes.contains(m))
        .copied()
        .collect();
    if !missing.is_empty() && matches!(has.kind, Kind::Need | Kind::Achievement) {
        let names: Vec<&str> = missing.iter().map(|m| m.as_str()).collect();
        wish(Feature::CooperationMode, names.join(","), &|f| {
            f.cooperation_modes.extend(&missing);
        });
    }
    out
}

/// The rank with other facets, when it is a better one: what the texts say stays as it is.
fn replaced(
    scorer: &Scorer,
    asker: Option<&Facets>,
    ranked: &[Ranked],
    i: usize,
    change: Change,
    has: &Facets,
) -> Option<Counterfactual> {
    let r = &ranked[i];
    let with = features(
        Asker {
            facets: asker,
            today: None,
        },
        &Signals::default(),
        has,
    );
    let values: Values = std::array::from_fn(|f| match Feature::ALL[f] {
        Feature::Industry
        | Feature::Discipline
        | Feature::Region
        | Feature::Readiness
        | Feature::CooperationMode => with[f],
        _ => r.values[f],
    });
    let score = scorer.score(&values);
    if joins_the_best(scorer, ranked, i, &values) {
        return None;
    }
    let before =
        |o: &Ranked| o.score > score || o.score == score && o.candidate.id < r.candidate.id;
    let ahead = ranked
        .iter()
        .enumerate()
        .filter(|(j, o)| *j != i && before(o));
    let rank = ahead.count() + 1;
    (rank < i + 1).then_some(Counterfactual {
        change,
        rank,
        score,
    })
}

/// Whether the `i`th would come, with other values, among the best that are compared with each other, among those of
/// them that make up their centre, or among those that are read: then there is more to be known of it, and less of
/// another, and what rank that gives is not known without looking.
fn joins_the_best(scorer: &Scorer, ranked: &[Ranked], i: usize, values: &Values) -> bool {
    // Whoever is looked at closer stands among these, wherever that brought them.
    let first = &ranked[..ranked.len().min(NEIGHBOURS_AMONG)];
    // `most` are looked at closer, in the order that all have without what is `unknown` then; it tells what is `told`.
    let enters = |most: usize, unknown: &[Feature], told: &[Feature]| {
        let tells = |r: &Ranked| told.iter().any(|f| r.values[*f as usize].is_some());
        if ranked.len() <= most || !first.iter().any(tells) {
            return false;
        }
        let before = |values: &Values| {
            let mut values = *values;
            for f in unknown {
                values[*f as usize] = None;
            }
            scorer.score(&values)
        };
        let mut all: Vec<Score> = first.iter().map(|r| before(&r.values)).collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let least = all[most - 1];
        let stood = i < first.len() && before(&ranked[i].values) >= least;
        !stood && before(values) >= least
    };
    let mut closer = Feature::AMONG.to_vec();
    closer.extend(Feature::READ);
    enters(NEIGHBOURS_AMONG, &closer, &Feature::AMONG)
        || scorer.weighs(Feature::DenseCentre)
            && enters(CENTRE_OF, &closer, &[Feature::DenseCentre])
        || enters(READ, &Feature::READ, &Feature::READ)
}

/// Who stands ahead, and by what.
fn ahead(scorer: &Scorer, ranked: &[Ranked], i: usize, list: Option<usize>) -> Option<Ahead> {
    let at = match list {
        Some(k) if i < k => return None,
        Some(k) => k.checked_sub(1)?,
        None => i.checked_sub(1)?,
    };
    let other = ranked.get(at)?;
    let facets = &other.candidate.facets;
    let sealed = facets.visibility == Visibility::Sealed;
    Some(Ahead {
        rank: at + 1,
        id: other.candidate.id.clone(),
        kind: facets.kind,
        title: if sealed {
            String::new()
        } else {
            facets.title.clone()
        },
        score: other.score,
        parts: scorer.parts(&other.values),
    })
}

/// A text without a clause of it.
fn cut(text: &str, clause: &Excerpt) -> String {
    let kept = text.chars().enumerate();
    kept.filter(|(i, _)| !(clause.start..clause.end).contains(i))
        .map(|(_, c)| c)
        .collect()
}

/// A record without a clause of one of its fields; none where nothing to ask with would be left.
fn cut_record(record: &Record, clause: &Excerpt) -> Option<Record> {
    let mut json = serde_json::to_value(record).ok()?;
    let mut at = &mut json;
    for step in clause.path.split(['.', '[']) {
        at = match step.strip_suffix(']') {
            Some(index) => at.get_mut(index.parse::<usize>().ok()?)?,
            None => at.get_mut(step)?,
        };
    }
    let text = cut(at.as_str()?, clause);
    *at = Json::String(text);
    let record: Record = serde_json::from_value(json).ok()?;
    let asks = |t: &str| t.chars().any(char::is_alphanumeric);
    let left = record
        .units()
        .iter()
        .any(|u| u.parts.iter().any(|p| asks(p.text)));
    left.then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use queqiao_ranking::Weights;
    use queqiao_retrieval::Candidate;
    use std::sync::Arc;

    /// Of `n`, the `i`th worth 1 − i / 1,000 by its vectors.
    fn ranked(n: usize, also: &dyn Fn(usize) -> Vec<(Feature, f64)>) -> Vec<Ranked> {
        let one = |i: usize| {
            let id = RecordId::new(format!("r{i:04}")).unwrap();
            let mut values: Values = [None; Feature::COUNT];
            values[Feature::DenseProfile as usize] = Some(1.0 - i as f64 / 1_000.0);
            for (f, v) in also(i) {
                values[f as usize] = Some(v);
            }
            Ranked {
                candidate: Candidate {
                    key: i as u64,
                    facets: Arc::new(Facets::of(&Record::new(id.clone(), Kind::Expert))),
                    id,
                    passages: 1,
                    dense: Default::default(),
                    lexical: Default::default(),
                },
                read: None,
                score: scorer(&[]).score(&values),
                values,
            }
        };
        (0..n).map(one).collect()
    }

    fn scorer(also: &[Feature]) -> Scorer {
        let mut weights = Weights::default();
        weights.weights.clear();
        weights.weights.insert(Feature::DenseProfile, 1.0);
        for f in also {
            weights.weights.insert(*f, 1.0);
        }
        Scorer::new(&weights)
    }

    #[test]
    fn nobody_is_told_a_rank_among_those_who_are_looked_at_closer() {
        let lifts = [Feature::DenseNeighbours];
        let compared = |i: usize| match i < NEIGHBOURS_AMONG {
            // The last of the best is lifted far: what counts is where it stands without that.
            true => vec![(Feature::DenseNeighbours, if i == 99 { 0.5 } else { 0.0 })],
            false => vec![],
        };
        let all = ranked(150, &compared);
        let joins = |scorer: &Scorer, all: &[Ranked], i: usize, worth: f64| {
            let mut values = all[i].values;
            values[Feature::DenseProfile as usize] = Some(worth);
            joins_the_best(scorer, all, i, &values)
        };
        assert!(joins(&scorer(&lifts), &all, 120, 0.902));
        assert!(!joins(&scorer(&lifts), &all, 120, 0.9));
        // Who is among them may rise as it likes, and so may all where none is compared.
        assert!(!joins(&scorer(&lifts), &all, 60, 0.99));
        assert!(!joins(&scorer(&[]), &ranked(150, &|_| vec![]), 120, 0.99));

        // The centre is made of the best thirty, where it counts; what was read since changes nothing in that, and
        // neither does how near to it they are.
        let centre = [
            Feature::DenseNeighbours,
            Feature::DenseCentre,
            Feature::Figures,
        ];
        let all = ranked(150, &|i| {
            let mut also = compared(i);
            if i < NEIGHBOURS_AMONG {
                also.push((Feature::DenseCentre, 0.8 - i as f64 / 200.0));
            }
            if i < 20 {
                also.push((Feature::Figures, 0.5));
            }
            also
        });
        assert!(joins(&scorer(&centre), &all, 60, 0.972));
        assert!(!joins(&scorer(&centre), &all, 60, 0.97));
        assert!(!joins(&scorer(&centre), &all, 20, 0.999));

        // Thirty are read.
        let read = |i: usize| match i < READ {
            true => vec![(Feature::Figures, 0.1)],
            false => vec![],
        };
        let all = ranked(150, &read);
        let figures = scorer(&[Feature::Figures]);
        assert!(joins(&figures, &all, 60, 0.972));
        assert!(!joins(&figures, &all, 60, 0.97));
        assert!(!joins(&figures, &all, 20, 0.999));
        // One that is none of them, though less than their figures would have brought it before the last.
        let words = scorer(&[Feature::Figures, Feature::TitleWords]);
        let all = ranked(150, &|i| {
            let mut also = read(i);
            if i < READ {
                also.push((Feature::TitleWords, 0.2));
            }
            also
        });
        assert!(joins(&words, &all, 40, 0.972));
        assert!(!joins(&words, &all, 40, 0.97));
    }
}
