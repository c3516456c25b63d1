//! What is there twice: records that say nearly the same.

use crate::{
    Engine, Error,
    finding::check_deadline,
    question::Question,
    request::{Ask, MatchRequest, Mode},
};
use queqiao_domain::{
    Date, Field, Filter, Kind, Op, Record, RecordId, TenantId, Value, Visibility,
};
use queqiao_store::RecordKey;
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
    time::Instant,
};

/// Characters of a shingle.
const SHINGLE: usize = 4;
/// Least hashes kept of a record, and how many of them make a band: pairs that share half of their
/// shingles are found with a probability of .98, pairs that share .6 with .999.
const BANDS: usize = 60;
const ROWS: usize = 4;
/// From this share on a text is nearly the same.
const NEARLY: f64 = 0.5;
/// Of a bucket with more, the first so many are compared: a phrase that all share says nothing.
const BUCKET: usize = 200;
/// Records with a text, at most: more take more memory than a question should.
const MOST_RECORDS: usize = 100_000;

/// Which records are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DuplicateRequest {
    /// Of this kind.
    pub kind: Kind,
    /// Share of the text that is the same, at least: .5 to 1.
    pub least: f64,
    /// Pairs, at most.
    pub limit: usize,
    /// Sealed records are compared, too: for callers who may read them.
    pub sees_sealed: bool,
    /// Stop with [`Error::Deadline`] when this passes.
    pub deadline: Option<Instant>,
}

/// Two records that say nearly the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DuplicatePair {
    /// The one stored first.
    pub first: RecordId,
    /// The other.
    pub second: RecordId,
    /// Share of their texts' shingles of four characters that both have (Jaccard), 0 to 1.
    pub similarity: f64,
    /// Both are of one organisation, as far as it is told.
    pub same_organisation: Option<bool>,
}

/// Pairs, most alike first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duplicates {
    /// Records compared.
    pub compared: usize,
    /// Pairs found, before `limit`.
    pub found: usize,
    /// The pairs.
    pub pairs: Vec<DuplicatePair>,
}

struct Sketch {
    id: RecordId,
    organisation: Option<String>,
    shingles: Vec<u32>,
}

impl Engine {
    /// Pairs of records of a kind that say nearly the same, by their texts: each pair that is told is
    /// compared in full. Pairs at the least similarity of .5 are missed once in fifty.
    ///
    /// # Errors
    /// [`Error::Argument`]: a least similarity outside .5 to 1, a limit of 0, more than 100,000
    /// records. [`Error::Deadline`]. The store fails.
    pub fn duplicates(
        &self,
        tenant: &TenantId,
        request: &DuplicateRequest,
    ) -> Result<Duplicates, Error> {
        if !(NEARLY..=1.0).contains(&request.least) {
            return Err(Error::argument(
                "least_similarity",
                (
                    format!("{} is no share that is looked for", request.least),
                    format!("{} 不是可用的相似比例", request.least),
                ),
                ("expected 0.5 to 1", "应为 0.5 至 1"),
            ));
        }
        if request.limit == 0 {
            return Err(Error::argument(
                "limit",
                ("no pair is wanted", "一对也不要"),
                ("expected 1 or more", "应为 1 或更大"),
            ));
        }
        let mut sketches: Vec<Sketch> = Vec::new();
        let mut bands: HashMap<(usize, u64), Vec<u32>> = HashMap::new();
        for stored in self.store.scan(Some(tenant))? {
            let record = stored?.record;
            let hidden = !request.sees_sealed && record.visibility == Visibility::Sealed;
            if record.kind() != request.kind || hidden {
                continue;
            }
            late(request)?;
            let shingles = shingles(&record);
            if shingles.is_empty() {
                continue;
            }
            let n = sketches.len();
            if n == MOST_RECORDS {
                return Err(Error::argument(
                    "kind",
                    (
                        format!("there are more than {MOST_RECORDS} records of it"),
                        format!("该类记录超过 {MOST_RECORDS} 条"),
                    ),
                    (
                        "compare the records of one organisation or event at a time",
                        "请每次只比较一个单位或一场活动的记录",
                    ),
                ));
            }
            for (band, key) in band_keys(&shingles).into_iter().enumerate() {
                let bucket = bands.entry((band, key)).or_default();
                if bucket.len() < BUCKET {
                    bucket.push(n as u32);
                }
            }
            sketches.push(Sketch {
                organisation: record
                    .organisation
                    .as_ref()
                    .map(|o| crate::conditions::key(&o.name)),
                id: record.id,
                shingles,
            });
        }
        let mut seen: HashSet<(u32, u32)> = HashSet::new();
        let mut pairs = Vec::new();
        for bucket in bands.values() {
            late(request)?;
            for (i, &a) in bucket.iter().enumerate() {
                for &b in &bucket[i + 1..] {
                    if !seen.insert((a, b)) {
                        continue;
                    }
                    let (x, y) = (&sketches[a as usize], &sketches[b as usize]);
                    let similarity = jaccard(&x.shingles, &y.shingles);
                    if similarity >= request.least {
                        pairs.push(DuplicatePair {
                            first: x.id.clone(),
                            second: y.id.clone(),
                            similarity,
                            same_organisation: x
                                .organisation
                                .as_ref()
                                .zip(y.organisation.as_ref())
                                .map(|(a, b)| a == b),
                        });
                    }
                }
            }
        }
        pairs.sort_by(|a, b| {
            let alike = b.similarity.total_cmp(&a.similarity);
            alike.then_with(|| (&a.first, &a.second).cmp(&(&b.first, &b.second)))
        });
        let found = pairs.len();
        pairs.truncate(request.limit);
        Ok(Duplicates {
            compared: sketches.len(),
            found,
            pairs,
        })
    }

    /// Stored records of its kind that say nearly what a record says, most alike first.
    pub(crate) fn near_duplicates(
        &self,
        tenant: &TenantId,
        record: &Record,
        sees_sealed: bool,
    ) -> Result<Vec<(RecordId, f64)>, Error> {
        let own = shingles(record);
        let sight = self.sight(tenant);
        let question = match Question::from_record(&sight.pipeline, record) {
            Ok(q) => q,
            // A record without a text repeats nobody.
            Err(Error::Argument(_)) => return Ok(Vec::new()),
            Err(e) => return Err(e),
        };
        let request = MatchRequest {
            to: vec![record.kind()],
            filter: Filter::compare(Field::Kind, Op::Eq, Value::Kind(record.kind())),
            mode: Mode::Lexical,
            own_organisation: true,
            ..MatchRequest::new(Ask::Text(String::new()), Date::constant(2026, 1, 1))
        };
        let keys = self.alike(&sight, &request, &question)?;
        let mut out: Vec<(RecordId, f64)> = Vec::new();
        for stored in self.store.get_many(&keys)?.into_iter().flatten() {
            if !sees_sealed && stored.record.visibility == Visibility::Sealed {
                continue;
            }
            let similarity = jaccard(&own, &shingles(&stored.record));
            if stored.record.id != record.id && similarity >= NEARLY {
                out.push((stored.record.id, similarity));
            }
        }
        out.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(out)
    }

    /// The records nearest to a question, valid or not: a duplicate of an old need is one.
    fn alike(
        &self,
        sight: &crate::finding::Sight,
        request: &MatchRequest,
        question: &Question,
    ) -> Result<Vec<RecordKey>, Error> {
        const NEAREST: usize = 20;
        let Some(live) = &sight.live else {
            return Ok(Vec::new());
        };
        let (ranked, _) = crate::matching::Ranking {
            question,
            filter: &request.filter,
            admit: &|_, _| true,
            mode: request.mode,
            wanted: NEAREST,
            weights: &self.weights,
            sees_sealed: true,
            today: None,
            activities: None,
            every_feature: false,
        }
        .run(&live.index)?;
        Ok(ranked
            .iter()
            .take(NEAREST)
            .map(|r| RecordKey(r.candidate.key))
            .collect())
    }
}

fn late(request: &DuplicateRequest) -> Result<(), Error> {
    let mut asked = MatchRequest::new(Ask::Text(String::new()), Date::constant(2026, 1, 1));
    asked.deadline = request.deadline;
    check_deadline(&asked, "comparing records")
}

/// Hashes of all runs of four letters of a record's texts, in order, each once. (At 32 bits two runs
/// of a text of a thousand share one once in nine thousand texts.)
fn shingles(record: &Record) -> Vec<u32> {
    let mut out = Vec::new();
    for unit in record.units() {
        let letters: Vec<char> = queqiao_text::normalise(&unit.text())
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        for run in letters.windows(SHINGLE) {
            // The same in every process: no random keys.
            let mut hasher = DefaultHasher::new();
            run.hash(&mut hasher);
            out.push(hasher.finish() as u32);
        }
    }
    out.sort_unstable();
    out.dedup();
    out.shrink_to_fit();
    out
}

/// The bands' keys: least values under as many hashes as there are rows in all bands (Broder 1997).
fn band_keys(shingles: &[u32]) -> Vec<u64> {
    (0..BANDS)
        .map(|band| {
            let mut hasher = DefaultHasher::new();
            for row in 0..ROWS {
                let salt = mixed((band * ROWS + row + 1) as u64);
                let least = shingles.iter().map(|s| mixed(u64::from(*s) ^ salt)).min();
                least.hash(&mut hasher);
            }
            hasher.finish()
        })
        .collect()
}

/// SplitMix64's last step: a bijection that spreads bits.
fn mixed(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Share of two sets that both have; both are in order.
fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0_usize);
    while let (Some(x), Some(y)) = (a.get(i), b.get(j)) {
        both += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    match a.len() + b.len() - both {
        0 => 0.0,
        n => both as f64 / n as f64,
    }
}

/// Groups of ids by kind of pair: what is told to people.
impl Duplicates {
    /// Records that are alike, directly or through others, as groups of two and more in order of id.
    pub fn groups(&self) -> Vec<Vec<RecordId>> {
        let mut of: BTreeMap<RecordId, RecordId> = BTreeMap::new();
        fn root(of: &BTreeMap<RecordId, RecordId>, id: &RecordId) -> RecordId {
            let mut at = id.clone();
            while let Some(next) = of.get(&at).filter(|n| **n != at) {
                at = next.clone();
            }
            at
        }
        for p in &self.pairs {
            for id in [&p.first, &p.second] {
                of.entry(id.clone()).or_insert_with(|| id.clone());
            }
            let (a, b) = (root(&of, &p.first), root(&of, &p.second));
            let (low, high) = if a < b { (a, b) } else { (b, a) };
            of.insert(high, low);
        }
        let mut groups: BTreeMap<RecordId, Vec<RecordId>> = BTreeMap::new();
        for id in of.keys() {
            groups.entry(root(&of, id)).or_default().push(id.clone());
        }
        groups.into_values().collect()
    }
}
