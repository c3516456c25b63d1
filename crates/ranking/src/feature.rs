//! Features: what is known about a pair, each in a stated range.

use queqiao_domain::{DisciplineCode, Facets, IndustryCode, RegionLevel};
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
}

impl Feature {
    /// How many there are.
    pub const COUNT: usize = 17;

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
        Feature::Industry,
        Feature::Discipline,
        Feature::Region,
        Feature::Readiness,
        Feature::CooperationMode,
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
            Feature::Industry => "industry",
            Feature::Discipline => "discipline",
            Feature::Region => "region",
            Feature::Readiness => "readiness",
            Feature::CooperationMode => "cooperation_mode",
        }
    }

    /// The feature of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.as_str() == name)
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
            Feature::Industry => ("industry", "行业"),
            Feature::Discipline => ("discipline", "学科"),
            Feature::Region => ("region", "地区"),
            Feature::Readiness => ("readiness", "技术就绪度"),
            Feature::CooperationMode => ("cooperation mode", "合作方式"),
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
}

/// Who asks, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asker<'a> {
    /// The asking record's facets; none for a bare text.
    pub facets: Option<&'a Facets>,
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
}
