//! Student's t, central and not, and the normal distribution.

use statrs::function::{beta::checked_beta_reg, erf::erfc, gamma::ln_gamma};

/// Degrees of freedom up to which the continued fraction of the incomplete beta function is known
/// to converge in as many steps as statrs takes.
const EXACT: f64 = 20_000.0;

/// P(Z > z).
pub(super) fn normal_above(z: f64) -> f64 {
    0.5 * erfc(z / std::f64::consts::SQRT_2)
}

/// The z above which `p` lies, for 0 < p < 1.
pub(super) fn normal_quantile_above(p: f64) -> f64 {
    bisect(-40.0, 40.0, |z| normal_above(z) > p)
}

/// P(|T| > |t|) with `df` degrees of freedom.
pub(super) fn t_both_sides(t: f64, df: f64) -> f64 {
    if t.is_nan() || df < 1.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    let t2 = t * t;
    if df <= EXACT {
        return checked_beta_reg(df / 2.0, 0.5, df / (df + t2)).unwrap_or(f64::NAN);
    }
    // Hill, Communications of the ACM 13(10), 1970, algorithm 395.
    let a = df - 0.5;
    let b = 48.0 * a * a;
    let z2 = a * (t2 / df).ln_1p();
    let z = z2.sqrt();
    let correction = (z2 * z + 3.0 * z) / b
        - (4.0 * z.powi(7) + 33.0 * z.powi(5) + 240.0 * z.powi(3) + 855.0 * z)
            / (10.0 * b * (b + 0.8 * z.powi(4) + 100.0));
    2.0 * normal_above(z + correction)
}

/// The t beyond which, on both sides together, `alpha` lies.
pub(super) fn t_quantile(alpha: f64, df: f64) -> f64 {
    bisect(0.0, 1e6, |t| t_both_sides(t, df) > alpha)
}

/// P(T <= t) for noncentral t (Lenth, Applied Statistics 38, 1989, AS 243).
pub(super) fn noncentral_t(t: f64, df: f64, shift: f64) -> f64 {
    if t < 0.0 {
        return 1.0 - noncentral_t(-t, df, -shift);
    }
    if df > EXACT {
        return 1.0 - normal_above(t - shift);
    }
    let below = normal_above(shift);
    let half = shift * shift / 2.0;
    if half > 700.0 {
        // So far off that only its sign matters.
        return if shift > t { 0.0 } else { 1.0 };
    }
    let x = t * t / (df + t * t);
    let share = |a: f64| checked_beta_reg(a, df / 2.0, x).unwrap_or(f64::NAN);
    let (mut p, mut q) = (
        (-half).exp(),
        shift * (-half - ln_gamma(1.5)).exp() / std::f64::consts::SQRT_2,
    );
    let mut sum = 0.0;
    for j in 0..2_000 {
        let j = f64::from(j);
        let term = p * share(j + 0.5) + q * share(j + 1.0);
        sum += term;
        if j > half && term.abs() < 1e-15 {
            break;
        }
        p *= half / (j + 1.0);
        q *= half / (j + 1.5);
    }
    (below + sum / 2.0).clamp(0.0, 1.0)
}

/// Where `above` turns from true to false between two points.
pub(super) fn bisect(mut low: f64, mut high: f64, above: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if above(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_ways_to_t_meet() {
        for t in [0.01, 1.0, 1.96, 3.0, 6.0, 12.0] {
            let (exact, near) = (t_both_sides(t, EXACT), t_both_sides(t, EXACT + 1e-6));
            assert!((exact - near).abs() < exact * 1e-8, "{t}: {exact} {near}");
        }
    }
}
