//! What is assumed of a log, and what it says: plain values.

use crate::{examination::Examination, lang::Text, stats::Interval};
use serde::Serialize;

/// What is taken to be true of how outcomes come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Assumption {
    /// What comes of a document depends on the document, and on whether its place is looked at
    /// (Joachims, Swaminathan and Schnabel, WSDM 2017). A log of one fixed system is enough.
    #[default]
    Examination,
    /// What comes of a document depends on the document and its place, in whatever way (the
    /// item-position model of Li, Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen, KDD 2018).
    /// The log must be of a system that draws its lists, with `propensity` of every item.
    Placement,
}

/// How logs are read.
#[derive(Debug, Clone, PartialEq)]
pub struct OffPolicySettings {
    /// What is taken to be true.
    pub assume: Assumption,
    /// Chances of being looked at, by rank. Under [`Assumption::Placement`] only predictions use it.
    pub examination: Examination,
    /// Places that a run would fill; by default as many as the logged list has.
    pub depth: Option<usize>,
    /// The largest weight of an item; larger ones are cut to it, which trades a bias towards less for
    /// a narrower interval (Ionides 2008).
    pub clip: Option<f64>,
    /// Fewer effective lists than this are not enough to say anything.
    pub min_ess: f64,
    /// A smaller share of what a run would show than this is not enough either.
    pub min_support: f64,
    /// Intervals are of 1 − α.
    pub alpha: f64,
}

impl Default for OffPolicySettings {
    fn default() -> Self {
        OffPolicySettings {
            assume: Assumption::default(),
            examination: Examination::default(),
            depth: None,
            clip: None,
            min_ess: 100.0,
            min_support: 0.5,
            alpha: 0.05,
        }
    }
}

/// A figure with its interval, by Student's t over lists.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Settled {
    /// The figure.
    pub value: f64,
    /// Where it lies. NaN with fewer than two lists.
    pub interval: Interval,
}

/// Outcome per list of a run, estimated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Inverse propensity scores: unbiased where the log supports all that the run would show; else
    /// what is never shown counts as 0.
    pub ips: Settled,
    /// Self-normalised (Swaminathan and Joachims, NeurIPS 2015): what is estimated per look, times the
    /// looks that the run's lists would get. Mostly nearer, slightly biased in small logs; what is
    /// never shown counts as what is. The same as IPS where one fixed system showed all of it.
    pub snips: Settled,
    /// Doubly robust (Dudík, Langford and Li, ICML 2011), where there are predictions: unbiased if
    /// either the propensities or the predictions are right, and mostly nearest.
    pub doubly_robust: Option<Settled>,
    /// How much more than the lists that were shown: doubly robust, else self-normalised, less what
    /// was logged, list by list.
    pub gain: Settled,
}

/// What a log says of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The run.
    pub run: String,
    /// Effective lists: as many lists of the run's own would say as much. (Σw)² / Σw² (Kish 1965) over
    /// the looks that items got, by the looks that a list of the run would get.
    pub ess: f64,
    /// Of what the run would show, weighed by how likely it is looked at, the share that the log
    /// shows at all, in [0, 1].
    pub support: f64,
    /// The largest weight of an item before it was cut.
    pub largest_weight: f64,
    /// Items whose weight was cut.
    pub clipped: u64,
    /// Lists to whose query the run has no answer; it earns nothing there.
    pub unanswered: u64,
    /// The figures, or why there are none.
    pub figures: Result<Figures, Text>,
}

/// What a log says.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    /// Lists.
    pub lists: u64,
    /// What came of the lists that were shown, per list.
    pub logged: Settled,
    /// By run.
    pub runs: Vec<Estimate>,
}
