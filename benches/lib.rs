//! Benchmarks of the workspace.
//!
//! Each prints a table and, with `--keep`, writes what it measured to `benches/runs/` under the
//! day's date. Speed and memory are shown here, never by timed tests.

pub mod texts;

use std::{
    fs, thread,
    time::{Duration, Instant},
};

/// Waits until what a process does in the background has ended: less than a tenth of a core for three
/// seconds, or ten minutes. The seconds that took.
pub fn wait_until_quiet(pid: u32, most: Duration) -> f64 {
    let start = Instant::now();
    let mut calm = 0;
    while calm < 3 && start.elapsed() < most {
        let before = cpu_seconds(pid);
        thread::sleep(Duration::from_secs(1));
        calm = if cpu_seconds(pid) - before < 0.1 {
            calm + 1
        } else {
            0
        };
    }
    start.elapsed().as_secs_f64()
}

/// Processor time of a process, where the system tells.
pub fn cpu_seconds(pid: u32) -> f64 {
    let ticks = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let after = stat.rsplit_once(')')?.1;
        let fields: Vec<&str> = after.split_whitespace().collect();
        Some(fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?)
    };
    // Linux counts in hundredths of a second.
    ticks().unwrap_or(0.0) / 100.0
}
