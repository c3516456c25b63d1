//! When a long computation has to end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// A deadline and a flag that somebody else may raise. Solvers look at it every few milliseconds
/// and give back the best they have, with a bound, when it says stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    deadline: Option<Instant>,
    flag: Option<Arc<AtomicBool>>,
}

impl Stop {
    /// Never stops: for problems that are known to be small.
    pub fn never() -> Self {
        Self::default()
    }

    /// Stops after `time`.
    pub fn after(time: Duration) -> Self {
        Self {
            deadline: Instant::now().checked_add(time),
            flag: None,
        }
    }

    /// Stops at `deadline`, if there is one.
    pub fn at(deadline: Option<Instant>) -> Self {
        Self {
            deadline,
            flag: None,
        }
    }

    /// Stops also when `flag` is raised.
    pub fn or_when(mut self, flag: Arc<AtomicBool>) -> Self {
        self.flag = Some(flag);
        self
    }

    /// The same flag with a deadline that is no later than `time` from now: a share of the whole.
    pub fn within(&self, time: Duration) -> Self {
        let soon = Instant::now().checked_add(time);
        Self {
            deadline: match (self.deadline, soon) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            },
            flag: self.flag.clone(),
        }
    }

    /// True when it is time to end.
    pub fn now(&self) -> bool {
        self.flag
            .as_ref()
            .is_some_and(|f| f.load(Ordering::Relaxed))
            || self.deadline.is_some_and(|d| Instant::now() >= d)
    }

    /// Time left; `None` when there is no deadline.
    pub fn left(&self) -> Option<Duration> {
        self.deadline
            .map(|d| d.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_deadlines() {
        let flag = Arc::new(AtomicBool::new(false));
        let stop = Stop::never().or_when(Arc::clone(&flag));
        assert!(!stop.now());
        let share = stop.within(Duration::from_secs(3600));
        assert!(!share.now() && share.left().is_some());
        flag.store(true, Ordering::Relaxed);
        assert!(stop.now() && share.now());
        assert!(Stop::after(Duration::ZERO).now());
        assert!(!Stop::after(Duration::MAX).now());
    }
}
