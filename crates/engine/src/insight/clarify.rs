//! What to ask back: the questions whose answers would change the ranking most.

use super::quality::{DescriptionScore, Part};
use crate::{
    Engine, Error,
    finding::{Asking, Sight, check_deadline},
    matching::Ranked,
    question::Question,
    request::{Ask, MatchRequest},
};
use queqiao_domain::{Bilingual, Field, Filter, Kind, Op, Record, RecordId, TenantId, Value};
use queqiao_ranking::Weights;
use queqiao_text::figures::figures;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The list whose change is measured.
const LIST: usize = 10;
/// Of so many candidates the plausible answers are drawn.
const LOOKED_AT: usize = 40;
/// Answers tried for one question.
const ANSWERS: usize = 4;

/// An answer that somebody might give, drawn from what the best candidates offer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlausibleAnswer {
    /// The answer, as it would be written.
    pub text: String,
    /// How likely it is among the answers tried: by the candidates it speaks for. They add up to 1.
    pub probability: f64,
    /// How much the list of ten would change: 0 not at all, 1 entirely. Average overlap of the two
    /// lists (Fagin, Kumar and Sivakumar 2003), subtracted from 1.
    pub change: f64,
}

/// A question worth asking.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clarification {
    /// What it is about: a part of the description, or `topic`.
    pub about: &'static str,
    /// The question.
    pub question: Bilingual,
    /// Expected change of the list of ten over the answers, 0 to 1.
    pub expected_change: f64,
    /// Answers tried, likeliest first; empty where there is nothing to try, and then the expected
    /// change is 0.
    pub answers: Vec<PlausibleAnswer>,
}

/// How clear a need is, and what would make it clearer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clarity {
    /// How well it is described.
    pub description: DescriptionScore,
    /// Questions, those that would change most first.
    pub questions: Vec<Clarification>,
    /// Stored records that say nearly the same: id, share of the text that is the same.
    pub near_duplicates: Vec<(RecordId, f64)>,
}

/// What an answer does to a question.
enum Said {
    /// It is said, beside all else.
    Words(String),
    /// It is a condition.
    Condition(String, Filter),
}

impl Engine {
    /// How well what is asked is described, and the questions whose answers would change the ranking
    /// most: each is tried with answers that the best candidates suggest.
    ///
    /// # Errors
    /// As [`Engine::find_matches`].
    pub fn clarify(&self, tenant: &TenantId, request: &MatchRequest) -> Result<Clarity, Error> {
        let record = self.asking_record(tenant, request)?;
        let description = DescriptionScore::of(&record);
        let sight = self.sight(tenant);
        let weights = self.weights(request)?;
        let question = self.question(tenant, request, &sight.pipeline)?;
        let asking = Asking {
            tenant,
            sight: &sight,
            request,
            question: &question,
            weights: &weights,
        };
        let (ranked, _) = self.rank(&asking, LOOKED_AT)?;
        let looked_at = &ranked[..ranked.len().min(LOOKED_AT)];
        let trial = Trial {
            engine: self,
            tenant,
            sight: &sight,
            request,
            weights: &weights,
            record: &record,
            before: ids(&ranked),
        };
        let mut questions = Vec::new();
        let topic = Bilingual::new("Which of these is it about?", "与下列哪一项最相关？");
        let topics = self.topics(looked_at, &record)?;
        questions.extend(trial.ask("topic", topic, topics)?);
        let missing = |p: Part| description.parts.iter().any(|x| x.part == p && !x.present);
        for part in Part::ALL.into_iter().filter(|p| missing(*p)) {
            let answers = match part {
                Part::Targets => self.measures(looked_at)?,
                Part::CooperationMode => modes(looked_at),
                Part::Readiness => readiness(looked_at),
                Part::Region => regions(looked_at),
                Part::Field => fields(looked_at),
                _ => Vec::new(),
            };
            questions.extend(trial.ask(part.as_str(), part.question(), answers)?);
        }
        // What is missing and cannot be tried comes in order of its weight.
        questions.sort_by(|a, b| b.expected_change.total_cmp(&a.expected_change));
        Ok(Clarity {
            description,
            questions,
            near_duplicates: self.near_duplicates(tenant, &record, request.sees_sealed)?,
        })
    }

    /// What asks, as a record: a bare text is a need's problem.
    fn asking_record(&self, tenant: &TenantId, request: &MatchRequest) -> Result<Record, Error> {
        Ok(match &request.ask {
            Ask::Record(id) => self.find_record(tenant, id)?.record,
            Ask::Draft(record) => (**record).clone(),
            Ask::Text(text) => {
                // Never stored: any id does.
                let id = RecordId::new("text")
                    .map_err(|e| Error::argument("text", e.message(), ("a text", "应为文字")))?;
                let mut record = Record::new(id, Kind::Need);
                if let queqiao_domain::Detail::Need(n) = &mut record.detail {
                    n.problem.clone_from(text);
                }
                record
            }
        })
    }

    /// What the best candidates are known for and the question does not say: their keywords.
    fn topics(&self, ranked: &[Ranked], record: &Record) -> Result<Vec<(f64, Said)>, Error> {
        let said: String = record
            .units()
            .iter()
            .map(|u| u.text())
            .collect::<Vec<_>>()
            .join("\n");
        let said = queqiao_text::normalise(&said);
        let mut weight: BTreeMap<String, f64> = BTreeMap::new();
        for r in ranked.iter().filter(|r| open(r)) {
            for word in &r.candidate.facets.keywords {
                if !said.contains(&queqiao_text::normalise(word)) {
                    *weight.entry(word.clone()).or_default() += r.score.get().max(0.0);
                }
            }
        }
        Ok(best(weight)
            .into_iter()
            .map(|(w, p)| (p, Said::Words(w)))
            .collect())
    }

    /// What the best candidates give figures of.
    fn measures(&self, ranked: &[Ranked]) -> Result<Vec<(f64, Said)>, Error> {
        let keys: Vec<_> = ranked
            .iter()
            .filter(|r| open(r))
            .map(|r| queqiao_store::RecordKey(r.candidate.key))
            .collect();
        let mut weight: BTreeMap<String, f64> = BTreeMap::new();
        for (stored, r) in self
            .store
            .get_many(&keys)?
            .into_iter()
            .zip(ranked.iter().filter(|r| open(r)))
        {
            let Some(stored) = stored else { continue };
            for unit in stored.record.units() {
                for f in figures(&unit.text()) {
                    let n = f.name.chars().count();
                    if (2..=12).contains(&n) && !f.unit.is_money() && !f.unit.is_count() {
                        *weight.entry(f.name).or_default() += r.score.get().max(0.0);
                    }
                }
            }
        }
        Ok(best(weight)
            .into_iter()
            .map(|(w, p)| (p, Said::Words(w)))
            .collect())
    }
}

/// Nothing is told of sealed records.
fn open(r: &Ranked) -> bool {
    r.candidate.facets.visibility != queqiao_domain::Visibility::Sealed
}

/// The weightiest, in order of weight and name.
fn best(weight: BTreeMap<String, f64>) -> Vec<(String, f64)> {
    let mut all: Vec<(String, f64)> = weight.into_iter().filter(|w| w.1 > 0.0).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all.truncate(ANSWERS);
    all
}

/// Conditions that candidates meet, by how many do.
fn conditions(
    ranked: &[Ranked],
    of: impl Fn(&Ranked) -> Vec<(String, Filter)>,
) -> Vec<(f64, Said)> {
    let mut weight: BTreeMap<String, f64> = BTreeMap::new();
    let mut filters: HashMap<String, Filter> = HashMap::new();
    for r in ranked.iter().filter(|r| open(r)) {
        for (name, filter) in of(r) {
            *weight.entry(name.clone()).or_default() += 1.0;
            filters.insert(name, filter);
        }
    }
    best(weight)
        .into_iter()
        .filter_map(|(name, p)| Some((p, Said::Condition(name.clone(), filters.remove(&name)?))))
        .collect()
}

fn regions(ranked: &[Ranked]) -> Vec<(f64, Said)> {
    conditions(ranked, |r| {
        let province = r.candidate.facets.region.map(|mut region| {
            while let Some(parent) = region.parent() {
                region = parent;
            }
            region
        });
        let told = province.map(|p| {
            (
                p.full_name(),
                Filter::compare(Field::Region, Op::Has, Value::Region(p)),
            )
        });
        told.into_iter().collect()
    })
}

fn fields(ranked: &[Ranked]) -> Vec<(f64, Said)> {
    let mut weight: BTreeMap<String, f64> = BTreeMap::new();
    for r in ranked.iter().filter(|r| open(r)) {
        let f = &r.candidate.facets;
        for name in f
            .disciplines
            .first()
            .map(|d| d.first_level_name())
            .into_iter()
            .chain(f.industries.first().map(|i| i.name()))
        {
            *weight.entry(name.to_owned()).or_default() += r.score.get().max(0.0);
        }
    }
    best(weight)
        .into_iter()
        .map(|(w, p)| (p, Said::Words(w)))
        .collect()
}

fn modes(ranked: &[Ranked]) -> Vec<(f64, Said)> {
    conditions(ranked, |r| {
        let modes = &r.candidate.facets.cooperation_modes;
        let filter =
            |m| Filter::compare(Field::CooperationMode, Op::Has, Value::CooperationMode(m));
        modes
            .iter()
            .map(|m| (m.as_str().to_owned(), filter(*m)))
            .collect()
    })
}

fn readiness(ranked: &[Ranked]) -> Vec<(f64, Said)> {
    conditions(ranked, |r| {
        let told = r.candidate.facets.readiness.map(|x| {
            (
                format!("≥ {x}"),
                Filter::compare(Field::Readiness, Op::Ge, Value::Readiness(x)),
            )
        });
        told.into_iter().collect()
    })
}

fn ids(ranked: &[Ranked]) -> Vec<u64> {
    ranked.iter().take(LIST).map(|r| r.candidate.key).collect()
}

/// 1 − average overlap of two lists of ten; 0 for equal lists, 1 for lists without a common record.
fn change(a: &[u64], b: &[u64]) -> f64 {
    let depth = a.len().max(b.len());
    if depth == 0 {
        return 0.0;
    }
    let overlap: f64 = (1..=depth)
        .map(|d| {
            let (x, y) = (&a[..d.min(a.len())], &b[..d.min(b.len())]);
            x.iter().filter(|k| y.contains(k)).count() as f64 / d as f64
        })
        .sum();
    1.0 - overlap / depth as f64
}

/// Answers, tried.
struct Trial<'a> {
    engine: &'a Engine,
    tenant: &'a TenantId,
    sight: &'a Sight,
    request: &'a MatchRequest,
    weights: &'a Weights,
    record: &'a Record,
    before: Vec<u64>,
}

impl Trial<'_> {
    /// A question with what its answers would change.
    fn ask(
        &self,
        about: &'static str,
        question: Bilingual,
        answers: Vec<(f64, Said)>,
    ) -> Result<Option<Clarification>, Error> {
        if answers.is_empty() && about == "topic" {
            return Ok(None);
        }
        let all: f64 = answers.iter().map(|a| a.0).sum();
        let mut tried = Vec::with_capacity(answers.len());
        for (weight, said) in answers {
            check_deadline(self.request, "trying answers")?;
            let (text, after) = self.ranked(said)?;
            tried.push(PlausibleAnswer {
                text,
                probability: weight / all,
                change: change(&self.before, &after),
            });
        }
        Ok(Some(Clarification {
            about,
            question,
            expected_change: tried
                .iter()
                .fold(0.0, |sum, a| sum + a.probability * a.change),
            answers: tried,
        }))
    }

    /// The list when something is said, or is a condition.
    fn ranked(&self, said: Said) -> Result<(String, Vec<u64>), Error> {
        let pipeline = &self.sight.pipeline;
        let (text, request, question) = match said {
            Said::Words(words) => {
                let question = match &self.request.ask {
                    Ask::Text(text) => Question::from_text(pipeline, &format!("{text}\n{words}"))?,
                    _ => {
                        let mut record = self.record.clone();
                        record.keywords.push(words.clone());
                        Question::from_record(pipeline, &record)?
                    }
                };
                (words, self.request.clone(), question)
            }
            Said::Condition(name, filter) => {
                let question = match &self.request.ask {
                    Ask::Text(text) => Question::from_text(pipeline, text)?,
                    _ => Question::from_record(pipeline, self.record)?,
                };
                let request = MatchRequest {
                    filter: self.request.filter.clone().and(filter),
                    ..self.request.clone()
                };
                (name, request, question)
            }
        };
        let asking = Asking {
            tenant: self.tenant,
            sight: self.sight,
            request: &request,
            question: &question,
            weights: self.weights,
        };
        let (ranked, _) = self.engine.rank(&asking, LIST)?;
        Ok((text, ids(&ranked)))
    }
}

#[cfg(test)]
mod tests {
    use super::change;

    #[test]
    fn how_much_a_list_changes() {
        assert_eq!(change(&[], &[]), 0.0);
        assert_eq!(change(&[1, 2, 3], &[1, 2, 3]), 0.0);
        assert_eq!(change(&[1, 2], &[3, 4]), 1.0);
        assert_eq!(change(&[1, 2], &[]), 1.0);
        // Overlap 0 of 1 and 2 of 2.
        assert_eq!(change(&[1, 2], &[2, 1]), 0.5);
        // A change at the top counts more than one at the end.
        assert!(change(&[1, 2, 3], &[9, 2, 3]) > change(&[1, 2, 3], &[1, 2, 9]));
    }
}
