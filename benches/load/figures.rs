//! Latencies and how requests ended.

use super::work::End;
use std::{fmt, time::Duration};

/// What a run measured.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// From the intended time to the end, of requests that were answered.
    pub(crate) latencies: Vec<Duration>,
    pub(crate) shed: u64,
    pub(crate) late: u64,
    pub(crate) failed: u64,
    pub(crate) not_visible: u64,
    /// Calls answered: a write that is asked for at once is two.
    pub(crate) calls: u64,
    /// Until the last was answered.
    pub(crate) seconds: f64,
    /// Memory of the server, MiB, once a second: resident, and what of it is no map of a file.
    pub(crate) memory: Vec<[u64; 2]>,
    /// Requests at most on their way at one time.
    pub(crate) most_open: usize,
}

impl Figures {
    pub(crate) fn take(&mut self, end: End, latency: Duration) {
        match end {
            End::Done => self.latencies.push(latency),
            End::Shed => self.shed += 1,
            End::Late => self.late += 1,
            End::Failed => self.failed += 1,
            End::NotVisible => self.not_visible += 1,
        }
    }

    /// Calls answered, a second.
    pub(crate) fn goodput(&self) -> f64 {
        self.calls as f64 / self.seconds
    }

    fn quantile(&self, q: f64) -> f64 {
        let n = self.latencies.len();
        if n == 0 {
            return f64::NAN;
        }
        let at = ((q * n as f64).ceil() as usize).clamp(1, n) - 1;
        self.latencies[at].as_secs_f64() * 1e3
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  answered {}, shed {} (UNAVAILABLE), late {}, failed {}, written and not visible {}",
            self.latencies.len(),
            self.shed,
            self.late,
            self.failed,
            self.not_visible
        )?;
        writeln!(
            f,
            "  latency from the intended time, ms: p50 {:.1}, p99 {:.1}, p99.9 {:.1}, most {:.1}; at most {} on their way",
            self.quantile(0.5),
            self.quantile(0.99),
            self.quantile(0.999),
            self.quantile(1.0),
            self.most_open
        )?;
        let fifth = (self.memory.len() / 5).max(1).min(self.memory.len());
        let mean = |part: &[[u64; 2]], of: usize| {
            part.iter().map(|m| m[of]).sum::<u64>() / (part.len() as u64).max(1)
        };
        let (first, last) = (
            &self.memory[..fifth],
            &self.memory[self.memory.len() - fifth..],
        );
        write!(
            f,
            "  resident, MiB: first fifth {}, last fifth {}, most {}; its own {} and {}",
            mean(first, 0),
            mean(last, 0),
            self.memory.iter().map(|m| m[0]).max().unwrap_or(0),
            mean(first, 1),
            mean(last, 1)
        )
    }
}
