//! How well a need is described, and what is missing.

use queqiao_domain::{Bilingual, Detail, Record};
use queqiao_text::{Segmenter, Stuffing, cues, figures::figures, stuffing};
use serde::Serialize;

/// Characters that say what the matter is, at least.
const LEAST_PROBLEM: usize = 30;

/// What a good description of a need has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What has to be solved, in a sentence or more.
    Problem,
    /// Figures that an answer has to reach.
    Targets,
    /// Where things stand.
    PresentState,
    /// What it is for, under which conditions.
    Usage,
    /// What may be spent.
    Budget,
    /// By when.
    Deadline,
    /// How to work together.
    CooperationMode,
    /// How ready a solution has to be.
    Readiness,
    /// Industry or discipline.
    Field,
    /// Where.
    Region,
}

impl Part {
    /// All parts, weightiest first.
    pub const ALL: [Part; 10] = [
        Part::Problem,
        Part::Targets,
        Part::PresentState,
        Part::Usage,
        Part::Budget,
        Part::Deadline,
        Part::CooperationMode,
        Part::Readiness,
        Part::Field,
        Part::Region,
    ];

    /// Its share of the score; all add up to 1.
    pub fn weight(self) -> f64 {
        match self {
            Part::Problem => 0.25,
            Part::Targets => 0.20,
            Part::PresentState => 0.10,
            Part::Usage => 0.10,
            Part::Budget => 0.08,
            Part::Deadline => 0.07,
            Part::CooperationMode => 0.05,
            Part::Readiness => 0.05,
            Part::Field => 0.05,
            Part::Region => 0.05,
        }
    }

    /// What people call it: English, Chinese.
    pub fn label(self) -> (&'static str, &'static str) {
        match self {
            Part::Problem => ("problem", "具体问题"),
            Part::Targets => ("figures", "技术指标"),
            Part::PresentState => ("present state", "现状"),
            Part::Usage => ("use and conditions", "使用场景"),
            Part::Budget => ("budget", "投入资金"),
            Part::Deadline => ("deadline", "完成时间"),
            Part::CooperationMode => ("cooperation mode", "合作方式"),
            Part::Readiness => ("readiness", "技术就绪度要求"),
            Part::Field => ("industry or discipline", "行业或学科"),
            Part::Region => ("region", "地区"),
        }
    }

    /// The name in files and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Problem => "problem",
            Part::Targets => "targets",
            Part::PresentState => "present_state",
            Part::Usage => "usage",
            Part::Budget => "budget",
            Part::Deadline => "deadline",
            Part::CooperationMode => "cooperation_mode",
            Part::Readiness => "readiness",
            Part::Field => "field",
            Part::Region => "region",
        }
    }

    /// What to ask for it.
    pub fn question(self) -> Bilingual {
        let (en, zh) = match self {
            Part::Problem => (
                "What exactly has to be solved? A sentence or two on what goes wrong or is wanted.",
                "具体要解决什么问题？请用一两句话说明出现了什么情况或希望达到什么效果。",
            ),
            Part::Targets => (
                "Which figures must a solution reach, with units (≥ 95 %, ≤ 2 μm)?",
                "需要达到哪些技术指标？请给出数值和单位（如 ≥95%、≤2 μm）。",
            ),
            Part::PresentState => (
                "Where do things stand: what is done today, what has been tried?",
                "目前的状况如何：现在怎么做，尝试过什么？",
            ),
            Part::Usage => (
                "What is it for, and under which conditions (line, temperature, medium)?",
                "用在什么场合、什么工况下（产线、温度、介质）？",
            ),
            Part::Budget => (
                "How much may be spent, in 万元?",
                "拟投入多少资金（万元）？",
            ),
            Part::Deadline => ("By when is it needed?", "希望何时完成？"),
            Part::CooperationMode => (
                "How would you work together: joint development, licence, transfer, consulting?",
                "希望以何种方式合作：委托或联合开发、许可、转让、咨询？",
            ),
            Part::Readiness => (
                "How ready must a solution be: laboratory, pilot, production (TRL)?",
                "方案需要成熟到什么程度：实验室、中试、量产（TRL）？",
            ),
            Part::Field => (
                "Which industry or discipline is it?",
                "属于哪个行业或学科？",
            ),
            Part::Region => ("Where is it?", "在哪个地区？"),
        };
        Bilingual::new(en, zh)
    }
}

/// One part of a description.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct DescriptionPart {
    /// Which.
    pub part: Part,
    /// Its share of the score.
    pub weight: f64,
    /// Whether the need has it.
    pub present: bool,
}

/// How well a need is described.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DescriptionScore {
    /// The sum of the weights of what is there, 0 to 1.
    pub score: f64,
    /// Every part, weightiest first.
    pub parts: Vec<DescriptionPart>,
    /// What is said to be found for everything, if anything is.
    pub stuffed: Option<Bilingual>,
}

impl DescriptionScore {
    /// The score of a need, or of anything that asks: by its fields, and by what its texts say.
    pub(crate) fn of(record: &Record) -> Self {
        let units = record.units();
        let texts: Vec<&str> = units
            .iter()
            .flat_map(|u| &u.parts)
            .filter(|p| !p.path.starts_with("keywords"))
            .map(|p| p.text)
            .collect();
        let body: usize = units
            .iter()
            .flat_map(|u| &u.parts)
            .filter(|p| p.path != "title" && !p.path.starts_with("keywords"))
            .map(|p| p.text.chars().count())
            .sum();
        let text = texts.join("\n");
        let said = cues(&text);
        let found = figures(&text);
        let need = match &record.detail {
            Detail::Need(n) => Some(n),
            _ => None,
        };
        let has = |part: Part| match part {
            Part::Problem => body >= LEAST_PROBLEM && said.trouble || body >= 3 * LEAST_PROBLEM,
            Part::Targets => {
                let bound = |f: &queqiao_text::figures::Figure| {
                    f.bounded && !f.name.is_empty() && !f.unit.is_money() && !f.unit.is_count()
                };
                found.iter().any(bound)
                    || need.is_some_and(|n| n.targets.iter().any(|t| !figures(t).is_empty()))
            }
            Part::PresentState => said.present,
            Part::Usage => said.usage,
            Part::Budget => {
                need.is_some_and(|n| n.budget.is_some()) || found.iter().any(|f| f.unit.is_money())
            }
            Part::Deadline => need.is_some_and(|n| n.deadline.is_some()) || said.when,
            Part::CooperationMode => need.is_some_and(|n| !n.cooperation_modes.is_empty()),
            Part::Readiness => need.is_some_and(|n| n.least_readiness.is_some()),
            Part::Field => !record.industries.is_empty() || !record.disciplines.is_empty(),
            Part::Region => record.region.is_some(),
        };
        let parts: Vec<DescriptionPart> = Part::ALL
            .into_iter()
            .map(|part| DescriptionPart {
                part,
                weight: part.weight(),
                present: has(part),
            })
            .collect();
        let present = parts.iter().filter(|p| p.present);
        let score = present.fold(0.0, |sum, p| sum + p.weight);
        Self {
            // Sums of hundredths, told as such.
            score: (score * 100.0).round() / 100.0,
            parts,
            stuffed: stuffed(&texts),
        }
    }
}

/// What of a record's texts is stuffed, in words.
pub(crate) fn stuffed(texts: &[&str]) -> Option<Bilingual> {
    let segmenter = Segmenter::shared();
    let told = texts.iter().find_map(|t| stuffing(&segmenter, t));
    let told = told.or_else(|| stuffing(&segmenter, &texts.join("\n")))?;
    Some(match told {
        Stuffing::Repeated(word, n) => Bilingual::new(
            format!("“{word}” stands there {n} times: keyword stuffing?"),
            format!("“{word}”出现 {n} 次，疑似堆砌关键词"),
        ),
        Stuffing::Listed(n) => Bilingual::new(
            format!("{n} names in a row without a sentence: keyword stuffing?"),
            format!("连续罗列 {n} 个名词而没有句子，疑似堆砌关键词"),
        ),
    })
}
