//! How much memory the process may hold: records that no longer fit are refused, before the system
//! ends the process with all that is in it.

use crate::status;
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tonic::Status;

const MIB: u64 = 1 << 20;
/// A reading is good for so long: memory does not fill faster than a few batches.
const GOOD_FOR: Duration = Duration::from_millis(200);

/// The budget, and what was last read of it.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Bytes.
    budget: u64,
    read: Mutex<Option<(Instant, u64)>>,
}

impl Memory {
    /// Of so many MiB; 0 is nine tenths of what the system gives the process.
    pub(crate) fn new(mib: u64) -> Self {
        let budget = match mib {
            0 => given().map_or(u64::MAX, |bytes| bytes / 10 * 9),
            mib => mib.saturating_mul(MIB),
        };
        Self {
            budget,
            read: Mutex::new(None),
        }
    }

    /// Bytes that may be held.
    pub(crate) fn budget(&self) -> u64 {
        self.budget
    }

    /// Whether there is room for more records. Where the system does not tell, there is.
    ///
    /// # Errors
    /// RESOURCE_EXHAUSTED.
    pub(crate) fn room(&self) -> Result<(), Status> {
        let held = self.held();
        if held < self.budget {
            return Ok(());
        }
        Err(status::out_of_memory(self.budget / MIB))
    }

    fn held(&self) -> u64 {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        match *read {
            Some((at, held)) if at.elapsed() < GOOD_FOR => held,
            _ => {
                let held = anonymous().unwrap_or(0);
                *read = Some((Instant::now(), held));
                held
            }
        }
    }
}

/// Bytes that the process holds and the system cannot take back; pages of mapped files it can.
pub(crate) fn anonymous() -> Option<u64> {
    field(
        &std::fs::read_to_string("/proc/self/status").ok()?,
        "RssAnon:",
    )
}

/// What the system gives the process: the machine's memory, or its group's if that is less.
fn given() -> Option<u64> {
    let machine = field(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let group = ["memory.max", "memory/memory.limit_in_bytes"]
        .into_iter()
        .filter_map(|name| std::fs::read_to_string(format!("/sys/fs/cgroup/{name}")).ok())
        .find_map(|text| text.trim().parse::<u64>().ok());
    Some(group.map_or(machine, |group| group.min(machine)))
}

/// A figure in kB, as bytes.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|l| l.strip_prefix(name))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_kept_and_told() {
        let small = Memory::new(1);
        let held = vec![1u8; 8 << 20];
        std::hint::black_box(&held);
        assert_eq!(small.budget(), MIB);
        if anonymous().is_some() {
            let refused = small.room().unwrap_err();
            assert_eq!(refused.code(), tonic::Code::ResourceExhausted);
            assert!(refused.message().contains("memory_budget_mib"), "{refused}");
        }
        assert!(Memory::new(1 << 30).room().is_ok());
        assert!(Memory::new(0).room().is_ok());
        assert_eq!(
            field("A: 7 kB\nRssAnon:\t  12 kB\n", "RssAnon:"),
            Some(12_288)
        );
        assert_eq!(field("RssAnon: x", "RssAnon:"), None);
    }
}
