//! How many requests a caller may make.
//!
//! One bucket a caller (GCRA): so many requests a second, and as many at once after a second of rest.
//! Callers are told apart by their key, so that one of them cannot use up what others need.

use crate::{access::Caller, status};
use governor::{
    DefaultDirectRateLimiter, Quota as Rate, RateLimiter,
    clock::{Clock, DefaultClock},
};
use queqiao_domain::Bilingual;
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tonic::{Code, Status};

/// Buckets kept; with more callers than that, all begin anew.
const MAX_BUCKETS: usize = 100_000;

/// The buckets.
pub(crate) struct Quota {
    clock: DefaultClock,
    /// For callers without a quota of their own; none is no bound.
    usual: Option<NonZeroU32>,
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    rate: NonZeroU32,
    limiter: Arc<DefaultDirectRateLimiter>,
}

impl Quota {
    /// `requests_per_second` for callers without a quota of their own; 0 is no bound.
    pub(crate) fn new(requests_per_second: u32) -> Self {
        Quota {
            clock: DefaultClock::default(),
            usual: NonZeroU32::new(requests_per_second),
            buckets: Mutex::default(),
        }
    }

    /// Takes one request out of the caller's bucket.
    pub(crate) fn take(&self, caller: &Caller) -> Result<(), Status> {
        let own = caller.requests_per_second.and_then(NonZeroU32::new);
        let Some(rate) = own.or(self.usual) else {
            return Ok(());
        };
        let limiter = self.limiter(&caller.subject, rate);
        limiter
            .check()
            .map_err(|not_until| exceeded(rate, not_until.wait_time_from(self.clock.now())))
    }

    fn limiter(&self, subject: &str, rate: NonZeroU32) -> Arc<DefaultDirectRateLimiter> {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(b) = buckets.get(subject).filter(|b| b.rate == rate) {
            return Arc::clone(&b.limiter);
        }
        if buckets.len() >= MAX_BUCKETS {
            buckets.clear();
        }
        let limiter = Arc::new(RateLimiter::direct(Rate::per_second(rate)));
        let bucket = Bucket {
            rate,
            limiter: Arc::clone(&limiter),
        };
        buckets.insert(subject.to_owned(), bucket);
        limiter
    }
}

fn exceeded(rate: NonZeroU32, wait: Duration) -> Status {
    // A client that comes back to the microsecond finds the bucket just short of full.
    let wait = wait.max(Duration::from_millis(1));
    status::retry_after(
        Code::ResourceExhausted,
        "QUOTA_EXCEEDED",
        &Bilingual::new(
            format!(
                "this key may make {rate} requests a second: retry after {} ms, or ask the operator for more",
                wait.as_millis()
            ),
            format!(
                "该密钥每秒最多 {rate} 次请求：请在 {} 毫秒后重试，或向管理员申请更高配额",
                wait.as_millis()
            ),
        ),
        wait,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::StatusExt;

    #[test]
    fn a_caller_runs_out_alone_and_is_told_when_to_come_back() {
        let quota = Quota::new(5);
        let caller = |subject: &str, own| Caller {
            subject: subject.to_owned(),
            requests_per_second: own,
            ..Caller::local()
        };
        let (a, b) = (caller("a", None), caller("b", None));
        assert!((0..5).all(|_| quota.take(&a).is_ok()));
        let e = quota.take(&a).unwrap_err();
        assert_eq!(e.code(), Code::ResourceExhausted);
        let wait = e.get_details_retry_info().unwrap().retry_delay.unwrap();
        assert!(
            wait > Duration::ZERO && wait <= Duration::from_millis(250),
            "{wait:?}"
        );
        assert!(quota.take(&b).is_ok(), "others are not touched");
        std::thread::sleep(wait + Duration::from_millis(5));
        assert!(quota.take(&a).is_ok());
        // A quota of one's own goes before the usual one, and counts at once.
        let own = caller("a", Some(100));
        assert!((0..50).all(|_| quota.take(&own).is_ok()));
    }

    #[test]
    fn no_rate_is_no_bound() {
        let quota = Quota::new(0);
        assert!((0..10_000).all(|_| quota.take(&Caller::local()).is_ok()));
    }
}
