//! The sign test.

use super::distribution::normal_above;
use statrs::function::gamma::ln_gamma;

/// Trials up to which the tail is summed; beyond, the normal distribution is as good, to one part in
/// ten thousand.
const SUMMED: u64 = 10_000_000;

/// Two-sided p of so many successes and failures where both are as likely: exact, by the binomial
/// distribution. 1 where there are none.
pub fn sign_test(successes: u64, failures: u64) -> f64 {
    let n = successes + failures;
    let few = successes.min(failures);
    if successes == failures {
        return 1.0;
    }
    if n > SUMMED {
        let z = (n as f64 / 2.0 - few as f64 - 0.5) / (n as f64 / 4.0).sqrt();
        return (2.0 * normal_above(z)).min(1.0);
    }
    // From the largest term down: each is the one before by k / (n - k + 1).
    let (n, few) = (n as f64, few as f64);
    let largest = (ln_gamma(n + 1.0)
        - ln_gamma(few + 1.0)
        - ln_gamma(n - few + 1.0)
        - n * std::f64::consts::LN_2)
        .exp();
    let (mut sum, mut term, mut k) = (0.0, largest, few);
    while term > sum * 1e-17 {
        sum += term;
        if k == 0.0 {
            break;
        }
        term *= k / (n - k + 1.0);
        k -= 1.0;
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        for (a, b, p) in [
            (0, 0, 1.0),
            (3, 3, 1.0),
            (0, 1, 1.0),
            (5, 0, 2.0 / 32.0),
            (1, 5, 2.0 * 7.0 / 64.0),
            (2, 3, 1.0),
        ] {
            assert!(
                (sign_test(a, b) - p).abs() < 1e-12,
                "{a} {b}: {}",
                sign_test(a, b)
            );
        }
    }

    #[test]
    fn the_sum_and_the_normal_distribution_meet() {
        let half = SUMMED / 2;
        for off in [500, 2_000, 5_000] {
            let summed = sign_test(half - off, half + off);
            let z = (off as f64 - 0.5) / (SUMMED as f64 / 4.0).sqrt();
            let near = 2.0 * normal_above(z);
            assert!((summed / near - 1.0).abs() < 1e-4, "{summed} {near}");
        }
    }
}
