//! Features: what is known about a pair, each in a stated range.

use queqiao_domain::{Availability, Date, DisciplineCode, Facets, IndustryCode, RegionLevel};
use serde::{Deserialize, Serialize};

/// A feature of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// Cosine of the best pair of passages, [−1, 1].
    DenseBest,
    /// Mean cosine of the record's three passages nearest to what is asked, [−1, 1].
    DenseThree,
    /// Mean over the asking passages of the best cosine for each, [−1, 1].
    DenseCoverage,
    /// Cosine of the two records' mean vectors, [−1, 1].
    DenseProfile,
    /// BM25 over words of the best passage, as a share of the greatest possible for the question,
    /// [0, 1]: comparable across questions.
    Words,
    /// BM25 over character bigrams, likewise, [0, 1].
    Bigrams,
    /// The same over words as a share of the best among the candidates, [0, 1].
    WordsShare,
    /// The same over bigrams as a share of the best among the candidates, [0, 1].
    BigramsShare,
    /// BM25 over words of the whole record, all passages as one text, as a share of the greatest
    /// possible, [0, 1]: who writes of it again and again.
    RecordWords,
    /// The same over bigrams, [0, 1].
    RecordBigrams,
    /// [`Feature::RecordWords`] as a share of the best among the candidates, [0, 1].
    RecordWordsShare,
    /// [`Feature::RecordBigrams`] as a share of the best among the candidates, [0, 1].
    RecordBigramsShare,
    /// How much nearer to the question the three candidates are that are most like it
    /// ([`crate::Neighbours`] of [`Feature::DenseProfile`]), [0, 2]; known of the best only.
    DenseNeighbours,
    /// How many more bigrams of the question these have ([`Feature::RecordBigrams`]), [0, 1]; likewise.
    BigramsNeighbours,
    /// Cosine of its mean vector and the mean of those of the best ([`crate::centre`]), [0, 1]; likewise.
    DenseCentre,
    /// Levels of GB/T 4754 the two share, of 4, best pair, [0, 1].
    Industry,
    /// Levels of GB/T 13745 the two share, of 3, best pair, [0, 1].
    Discipline,
    /// 1 in the same district, ⅔ in the same city, ⅓ in the same province, else 0.
    Region,
    /// 1 when the readiness reaches what is asked, else 0; unknown when scales differ.
    Readiness,
    /// Share of the asked cooperation modes that are offered, [0, 1].
    CooperationMode,
    /// 1 when the price is within the need's budget, else budget ÷ price, [0, 1].
    Budget,
    /// 1 when the expert is free on a day up to the need's deadline, else 0.
    Deadline,
    /// 365 ÷ (365 + days since the record was last written), [0, 1].
    Freshness,
    /// Standing of an expert by title and honours: ¼ intermediate, ½ associate professor or senior engineer,
    /// ¾ professor or researcher, 1 academician. Its weight is at most [`Feature::most`].
    Credentials,
    /// Share of an expert's engagements that are free, [0, 1]: those that were signed take one each.
    Capacity,
    /// Share of the lists it stood on that came to a meeting or a contract, drawn towards one in ten while
    /// there are few, [0, 1]; unknown on fewer than three lists.
    Track,
    /// 10 ÷ (10 + lists it stood on), [0, 1]: who is asked too much has less.
    Uncrowded,
    /// Mean over the words of the asked title of the cosine with the record's nearest word, in which a word counts the
    /// more the fewer of the best say it, and by how much that is more than the best have on average, [0, 1]; known of
    /// the best only, which are read.
    TitleWords,
    /// Share of the figures that are asked for and told which are met, partly met counting half, [0, 1];
    /// known of the best only, which are read.
    Figures,
    /// Share of the clauses that are asked which some clause of the record answers, [0, 1]; likewise.
    Clauses,
}

impl Feature {
    /// How many there are.
    pub const COUNT: usize = 30;

    /// Those that depend on who else is among the best.
    pub const AMONG: [Feature; 3] = [
        Feature::DenseNeighbours,
        Feature::BigramsNeighbours,
        Feature::DenseCentre,
    ];

    /// Those that take reading the records.
    pub const READ: [Feature; 3] = [Feature::TitleWords, Feature::Figures, Feature::Clauses];

    /// All features, in the order in which a score adds them up.
    pub const ALL: [Feature; Self::COUNT] = [
        Feature::DenseBest,
        Feature::DenseThree,
        Feature::DenseCoverage,
        Feature::DenseProfile,
        Feature::Words,
        Feature::Bigrams,
        Feature::WordsShare,
        Feature::BigramsShare,
        Feature::RecordWords,
        Feature::RecordBigrams,
        Feature::RecordWordsShare,
        Feature::RecordBigramsShare,
        Feature::DenseNeighbours,
        Feature::BigramsNeighbours,
        Feature::DenseCentre,
        Feature::Industry,
        Feature::Discipline,
        Feature::Region,
        Feature::Readiness,
        Feature::CooperationMode,
        Feature::Budget,
        Feature::Deadline,
        Feature::Freshness,
        Feature::Credentials,
        Feature::Capacity,
        Feature::Track,
        Feature::Uncrowded,
        Feature::TitleWords,
        Feature::Figures,
        Feature::Clauses,
    ];

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Feature::DenseBest => "dense_best",
            Feature::DenseThree => "dense_three",
            Feature::DenseCoverage => "dense_coverage",
            Feature::DenseProfile => "dense_profile",
            Feature::Words => "words",
            Feature::Bigrams => "bigrams",
            Feature::WordsShare => "words_share",
            Feature::BigramsShare => "bigrams_share",
            Feature::RecordWords => "record_words",
            Feature::RecordBigrams => "record_bigrams",
            Feature::RecordWordsShare => "record_words_share",
            Feature::RecordBigramsShare => "record_bigrams_share",
            Feature::DenseNeighbours => "dense_neighbours",
            Feature::BigramsNeighbours => "bigrams_neighbours",
            Feature::DenseCentre => "dense_centre",
            Feature::Industry => "industry",
            Feature::Discipline => "discipline",
            Feature::Region => "region",
            Feature::Readiness => "readiness",
            Feature::CooperationMode => "cooperation_mode",
            Feature::Budget => "budget",
            Feature::Deadline => "deadline",
            Feature::Freshness => "freshness",
            Feature::Credentials => "credentials",
            Feature::Capacity => "capacity",
            Feature::Track => "track",
            Feature::Uncrowded => "uncrowded",
            Feature::TitleWords => "title_words",
            Feature::Figures => "figures",
            Feature::Clauses => "clauses",
        }
    }

    /// The greatest weight it may have: a title never outweighs fit.
    pub fn most(self) -> f64 {
        match self {
            Feature::Credentials => 0.1,
            _ => 100.0,
        }
    }

    /// The feature of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == name)
    }

    /// What people call it beside its like: English, Chinese. All that compares meanings is one family, all that
    /// compares words another, every other feature one of its own.
    pub fn family(self) -> (&'static str, &'static str) {
        match self {
            Feature::DenseBest
            | Feature::DenseThree
            | Feature::DenseCoverage
            | Feature::DenseProfile
            | Feature::DenseNeighbours
            | Feature::DenseCentre
            | Feature::TitleWords => ("meaning", "语义"),
            Feature::Words
            | Feature::Bigrams
            | Feature::WordsShare
            | Feature::BigramsShare
            | Feature::RecordWords
            | Feature::RecordBigrams
            | Feature::RecordWordsShare
            | Feature::RecordBigramsShare
            | Feature::BigramsNeighbours => ("words", "用词"),
            Feature::Industry
            | Feature::Discipline
            | Feature::Region
            | Feature::Readiness
            | Feature::CooperationMode
            | Feature::Budget
            | Feature::Deadline
            | Feature::Freshness
            | Feature::Credentials
            | Feature::Capacity
            | Feature::Track
            | Feature::Uncrowded
            | Feature::Figures
            | Feature::Clauses => self.label(),
        }
    }

    /// The name people read: English, Chinese.
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Feature::DenseBest => ("meaning, best passage", "语义（最佳段落）"),
            Feature::DenseThree => ("meaning, best three passages", "语义（最佳三段）"),
            Feature::DenseCoverage => ("meaning, all asked", "语义（逐项覆盖）"),
            Feature::DenseProfile => ("meaning, whole record", "语义（整体）"),
            Feature::Words => ("shared words", "共同词语"),
            Feature::Bigrams => ("shared characters", "共同字词"),
            Feature::WordsShare => ("shared words, beside the best", "共同词语（相对最佳）"),
            Feature::BigramsShare => ("shared characters, beside the best", "共同字词（相对最佳）"),
            Feature::RecordWords => ("shared words, whole record", "共同词语（全部材料）"),
            Feature::RecordBigrams => ("shared characters, whole record", "共同字词（全部材料）"),
            Feature::RecordWordsShare => (
                "shared words of the whole record, beside the best",
                "共同词语（全部材料，相对最佳）",
            ),
            Feature::RecordBigramsShare => (
                "shared characters of the whole record, beside the best",
                "共同字词（全部材料，相对最佳）",
            ),
            Feature::DenseNeighbours => ("meaning, those most like it", "语义（最相近者）"),
            Feature::BigramsNeighbours => (
                "shared characters, those most like it",
                "共同字词（最相近者）",
            ),
            Feature::DenseCentre => ("meaning, the best together", "语义（与最佳整体相近）"),
            Feature::Industry => ("industry", "行业"),
            Feature::Discipline => ("discipline", "学科"),
            Feature::Region => ("region", "地区"),
            Feature::Readiness => ("readiness", "技术就绪度"),
            Feature::CooperationMode => ("cooperation mode", "合作方式"),
            Feature::Budget => ("budget", "资金"),
            Feature::Deadline => ("free before the deadline", "期限内有空"),
            Feature::Freshness => ("written lately", "信息新近程度"),
            Feature::Credentials => ("credentials", "职称与荣誉"),
            Feature::Capacity => ("free capacity", "剩余承接能力"),
            Feature::Track => ("what came of earlier lists", "以往对接成效"),
            Feature::Uncrowded => ("seldom asked", "被推荐次数少"),
            Feature::TitleWords => ("meaning, words of the title", "语义（标题各词）"),
            Feature::Figures => ("figures met", "技术指标"),
            Feature::Clauses => ("clauses answered", "要求覆盖"),
        }
    }
}

/// What retrieval says of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Signals {
    /// Best pair of passages, if vectors were compared.
    pub dense_best: Option<f64>,
    /// Mean of the record's three nearest passages.
    pub dense_three: Option<f64>,
    /// Mean of the best per asking passage.
    pub dense_coverage: Option<f64>,
    /// Means of both records.
    pub dense_profile: Option<f64>,
    /// Normalised BM25 over words, if terms were compared.
    pub words: Option<f64>,
    /// Normalised BM25 over bigrams.
    pub bigrams: Option<f64>,
    /// The best `words` among the candidates.
    pub best_words: f64,
    /// The best `bigrams` among the candidates.
    pub best_bigrams: f64,
    /// Normalised BM25 over words of the whole record.
    pub record_words: Option<f64>,
    /// Normalised BM25 over bigrams of the whole record.
    pub record_bigrams: Option<f64>,
    /// The best `record_words` among the candidates.
    pub best_record_words: f64,
    /// The best `record_bigrams` among the candidates.
    pub best_record_bigrams: f64,
    /// What came of it so far, if that was read.
    pub activity: Option<Activity>,
}

/// How much a record has been on lists that were kept, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Activity {
    /// Lists it stood on.
    pub listed: u32,
    /// Of these, those that came to a meeting or a contract.
    pub came: u32,
    /// Contracts.
    pub signed: u32,
}

/// On fewer lists nothing is said of what comes of them.
const LEAST_LISTS: u32 = 3;
/// What comes of a list, and the weight of that beside what is known.
const PRIOR: (f64, f64) = (0.1, 5.0);
/// Lists after which a record counts half as seldom asked.
const CROWDED: f64 = 10.0;

/// Days after which a record counts half as fresh.
const HALF_FRESH: f64 = 365.0;

/// Who asks, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
    /// The asking record's facets; none for a bare text.
    pub facets: Option<&'a Facets>,
    /// The day of the question, where deadlines and freshness count.
    pub today: Option<Date>,
}

/// The features of a pair, in the order of [`Feature::ALL`]; `None` is unknown.
pub type Values = [Option<f64>; Feature::COUNT];

/// All features of a pair.
pub fn features(asker: Asker<'_>, signals: &Signals, has: &Facets) -> Values {
    let share = |v: Option<f64>, best: f64| v.map(|v| if best > 0.0 { v / best } else { 0.0 });
    let asks = asker.facets;
    Feature::ALL.map(|f| match f {
        Feature::DenseBest => signals.dense_best,
        Feature::DenseThree => signals.dense_three,
        Feature::DenseCoverage => signals.dense_coverage,
        Feature::DenseProfile => signals.dense_profile,
        Feature::Words => signals.words,
        Feature::Bigrams => signals.bigrams,
        Feature::WordsShare => share(signals.words, signals.best_words),
        Feature::BigramsShare => share(signals.bigrams, signals.best_bigrams),
        Feature::RecordWords => signals.record_words,
        Feature::RecordBigrams => signals.record_bigrams,
        Feature::RecordWordsShare => share(signals.record_words, signals.best_record_words),
        Feature::RecordBigramsShare => share(signals.record_bigrams, signals.best_record_bigrams),
        Feature::Industry => {
            let shared = |a: &Facets| {
                let levels = |x: &IndustryCode, y: &IndustryCode| x.shared_levels(*y);
                best_pair(&a.industries, &has.industries, levels, 4)
            };
            asks.and_then(shared)
        }
        Feature::Discipline => {
            let shared = |a: &Facets| {
                let levels = |x: &DisciplineCode, y: &DisciplineCode| x.shared_levels(*y);
                best_pair(&a.disciplines, &has.disciplines, levels, 3)
            };
            asks.and_then(shared)
        }
        Feature::Region => asks.and_then(|a| {
            Some(match a.region?.shared_level(has.region?) {
                None => 0.0,
                Some(RegionLevel::Province) => 1.0 / 3.0,
                Some(RegionLevel::City) => 2.0 / 3.0,
                Some(RegionLevel::District) => 1.0,
            })
        }),
        Feature::Readiness => asks.and_then(|a| readiness(a, has)),
        Feature::CooperationMode => asks.and_then(|a| {
            let (want, offer) = (&a.cooperation_modes, &has.cooperation_modes);
            if want.is_empty() || offer.is_empty() {
                return None;
            }
            let met = want.iter().filter(|m| offer.contains(m)).count();
            Some(met as f64 / want.len() as f64)
        }),
        Feature::Budget => asks.and_then(|a| budget(a, has)),
        Feature::Deadline => asks.and_then(|a| deadline(a, has, asker.today?)),
        Feature::Freshness => asker.today.and_then(|day| freshness(has, day)),
        Feature::Credentials => has.standing.map(|s| f64::from(s) / 4.0),
        Feature::Capacity => signals.activity.and_then(|a| {
            let most = has.engagements?;
            let free = most.saturating_sub(a.signed);
            Some(f64::from(free) / f64::from(most.max(1)))
        }),
        Feature::Track => signals.activity.and_then(|a| {
            let (share, weight) = PRIOR;
            let lists = f64::from(a.listed);
            let known = (f64::from(a.came) + share * weight) / (lists + weight);
            (a.listed >= LEAST_LISTS).then_some(known)
        }),
        Feature::Uncrowded => signals
            .activity
            .map(|a| CROWDED / (CROWDED + f64::from(a.listed))),
        // Whoever has the other candidates, or the record's text, fills them in.
        Feature::DenseNeighbours
        | Feature::BigramsNeighbours
        | Feature::DenseCentre
        | Feature::TitleWords
        | Feature::Figures
        | Feature::Clauses => None,
    })
}

/// A need asks for a least readiness, an achievement has one, whichever of the two asks.
fn readiness(a: &Facets, b: &Facets) -> Option<f64> {
    use queqiao_domain::Kind::{Achievement, Need};
    let (asked, has) = match (a.kind, b.kind) {
        (Need, Achievement) => (a.readiness?, b.readiness?),
        (Achievement, Need) => (b.readiness?, a.readiness?),
        _ => return None,
    };
    has.reaches(asked).map(|r| f64::from(u8::from(r)))
}

/// A need has a budget and an achievement a price, whichever of the two asks.
fn budget(a: &Facets, b: &Facets) -> Option<f64> {
    use queqiao_domain::Kind::{Achievement, Need};
    let (budget, price) = match (a.kind, b.kind) {
        (Need, Achievement) => (a.budget?, b.price?),
        (Achievement, Need) => (b.budget?, a.price?),
        _ => return None,
    };
    let (most, least) = (budget.max.or(budget.min)?, price.min.or(price.max)?);
    Some(match least <= most {
        true => 1.0,
        false => most / least,
    })
}

/// A need has a deadline and an expert days that are free, whichever of the two asks.
fn deadline(a: &Facets, b: &Facets, today: Date) -> Option<f64> {
    use queqiao_domain::Kind::{Expert, Need};
    let (until, free) = match (a.kind, b.kind) {
        (Need, Expert) => (a.deadline?, &b.availability),
        (Expert, Need) => (b.deadline?, &a.availability),
        _ => return None,
    };
    let in_time = |w: &Availability| w.from <= until && w.until >= today;
    (!free.is_empty()).then(|| f64::from(u8::from(free.iter().any(in_time))))
}

/// A record of today has 1, one of a year ago ½. What is written after the question's day is of that day.
fn freshness(has: &Facets, today: Date) -> Option<f64> {
    let days = (today - has.changed?).get_days();
    Some(HALF_FRESH / (HALF_FRESH + f64::from(days.max(0))))
}

fn best_pair<T>(a: &[T], b: &[T], shared: impl Fn(&T, &T) -> usize, levels: usize) -> Option<f64> {
    a.iter()
        .flat_map(|x| b.iter().map(|y| shared(x, y)).collect::<Vec<_>>())
        .max()
        .map(|n| n as f64 / levels as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use queqiao_domain::{Detail, Kind, Need, Record, RecordId};

    fn facets(kind: Kind, region: &str, industry: &str) -> Facets {
        let mut r = Record::new(RecordId::new("x").unwrap(), kind);
        r.region = region.parse().ok();
        r.industries = industry.parse().into_iter().collect();
        if let Detail::Need(n) = &mut r.detail {
            *n = Need {
                least_readiness: "TRL 6".parse().ok(),
                ..Need::default()
            };
        }
        if let Detail::Achievement(a) = &mut r.detail {
            a.readiness = "TRL 5".parse().ok();
        }
        Facets::of(&r)
    }

    #[test]
    fn known_and_unknown() {
        let need = facets(Kind::Need, "440305", "C3973");
        let has = facets(Kind::Achievement, "440300", "C3976");
        let asker = Asker {
            facets: Some(&need),
            today: None,
        };
        let get = |s: &Signals, h: &Facets, f: Feature| features(asker, s, h)[f as usize];
        let s = Signals {
            words: Some(0.2),
            best_words: 0.4,
            ..Signals::default()
        };
        assert_eq!(get(&s, &has, Feature::Words), Some(0.2));
        assert_eq!(get(&s, &has, Feature::WordsShare), Some(0.5));
        assert_eq!(get(&s, &has, Feature::DenseBest), None);
        assert_eq!(get(&s, &has, Feature::Industry), Some(0.75));
        assert_eq!(get(&s, &has, Feature::Region), Some(2.0 / 3.0));
        assert_eq!(get(&s, &has, Feature::Readiness), Some(0.0));
        assert_eq!(get(&s, &has, Feature::CooperationMode), None);
        assert_eq!(
            get(&s, &facets(Kind::Expert, "", ""), Feature::Region),
            None
        );
        let bare = features(Asker::default(), &s, &has);
        let known: Vec<Feature> = Feature::ALL
            .into_iter()
            .filter(|f| bare[*f as usize].is_some())
            .collect();
        assert_eq!(known, [Feature::Words, Feature::WordsShare]);
        assert!(
            Feature::ALL
                .iter()
                .enumerate()
                .all(|(i, f)| *f as usize == i)
        );
    }

    #[test]
    fn budget_time_standing_and_what_came_of_it() {
        let mut need = facets(Kind::Need, "", "");
        need.deadline = queqiao_domain::parse_date("2026-06-30");
        let money = |min, max| Some(queqiao_domain::AmountRange { min, max });
        let mut has = facets(Kind::Achievement, "", "");
        let value = |f: Feature, a: &Facets, h: &Facets, activity| {
            let asker = Asker {
                facets: Some(a),
                today: queqiao_domain::parse_date("2026-06-01"),
            };
            let signals = Signals {
                activity,
                ..Signals::default()
            };
            features(asker, &signals, h)[f as usize]
        };
        let cases = [
            (
                money(None, Some(100.0)),
                money(Some(80.0), Some(120.0)),
                Some(1.0),
            ),
            (
                money(Some(50.0), Some(100.0)),
                money(Some(200.0), None),
                Some(0.5),
            ),
            (money(Some(50.0), None), money(None, Some(50.0)), Some(1.0)),
            (money(None, Some(0.0)), money(Some(0.0), None), Some(1.0)),
            (None, money(Some(1.0), None), None),
        ];
        for (budget, price, expected) in cases {
            (need.budget, has.price) = (budget, price);
            assert_eq!(value(Feature::Budget, &need, &has, None), expected);
            assert_eq!(value(Feature::Budget, &has, &need, None), expected);
        }

        let mut expert = facets(Kind::Expert, "", "");
        assert_eq!(value(Feature::Deadline, &need, &expert, None), None);
        for (from, until, expected) in [
            ("2026-06-30", "2026-07-31", 1.0),
            ("2026-07-01", "2026-07-31", 0.0),
            ("2026-05-01", "2026-06-01", 1.0),
            ("2026-05-01", "2026-05-31", 0.0),
        ] {
            let day = |s| queqiao_domain::parse_date(s).unwrap();
            expert.availability = vec![Availability {
                from: day(from),
                until: day(until),
            }];
            assert_eq!(
                value(Feature::Deadline, &need, &expert, None),
                Some(expected)
            );
            assert_eq!(
                value(Feature::Deadline, &expert, &need, None),
                Some(expected)
            );
        }

        assert_eq!(value(Feature::Freshness, &need, &expert, None), None);
        for (changed, expected) in [
            ("2026-06-01", 1.0),
            ("2025-06-01", 0.5),
            ("2026-07-01", 1.0),
            ("2026-05-31", 365.0 / 366.0),
        ] {
            expert.changed = queqiao_domain::parse_date(changed);
            assert_eq!(
                value(Feature::Freshness, &need, &expert, None),
                Some(expected)
            );
        }

        assert_eq!(value(Feature::Credentials, &need, &expert, None), None);
        expert.standing = Some(3);
        assert_eq!(
            value(Feature::Credentials, &need, &expert, None),
            Some(0.75)
        );
        let done = |listed, came, signed| {
            Some(Activity {
                listed,
                came,
                signed,
            })
        };
        expert.engagements = Some(4);
        for (activity, capacity, track, uncrowded) in [
            (None, None, None, None),
            (done(0, 0, 0), Some(1.0), None, Some(1.0)),
            (done(10, 2, 1), Some(0.75), Some(2.5 / 15.0), Some(0.5)),
            (done(30, 9, 9), Some(0.0), Some(9.5 / 35.0), Some(0.25)),
        ] {
            assert_eq!(value(Feature::Capacity, &need, &expert, activity), capacity);
            assert_eq!(value(Feature::Track, &need, &expert, activity), track);
            assert_eq!(
                value(Feature::Uncrowded, &need, &expert, activity),
                uncrowded
            );
        }
        expert.engagements = Some(0);
        assert_eq!(
            value(Feature::Capacity, &need, &expert, done(1, 0, 0)),
            Some(0.0)
        );
    }
}
