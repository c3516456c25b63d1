//! Threads that work beside searches and writes.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

/// A thread for one kind of work, started when there is some and not while it is at work.
pub(super) struct Worker {
    name: &'static str,
    busy: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Worker {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            busy: Arc::default(),
            thread: Mutex::new(None),
        }
    }

    pub(super) fn busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// Does the work on a thread of its own, unless some is being done.
    pub(super) fn start(&self, work: impl FnOnce() + Send + 'static) {
        if self.busy.swap(true, Ordering::AcqRel) {
            return;
        }
        let busy = Arc::clone(&self.busy);
        let started = std::thread::Builder::new()
            .name(self.name.to_owned())
            .spawn(move || {
                // However the work ends.
                let _idle = Idle(busy);
                work();
            });
        match started {
            // The one before has ended.
            Ok(thread) => *self.thread.lock().unwrap_or_else(|e| e.into_inner()) = Some(thread),
            Err(e) => {
                tracing::warn!(
                    "no thread for {}: {e}; it waits for the next write",
                    self.name
                );
                self.busy.store(false, Ordering::Release);
            }
        }
    }

    /// Waits until nothing is being done.
    pub(super) fn settle(&self) {
        let thread = self.thread.lock().unwrap_or_else(|e| e.into_inner()).take();
        if let Some(thread) = thread {
            // One that panicked has left the state as it was.
            let _ = thread.join();
        }
    }
}

/// Says that nothing is being done any more, when it goes.
struct Idle(Arc<AtomicBool>);

impl Drop for Idle {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
