//! Many tests at once.

/// Adjusted p by Holm (Scandinavian Journal of Statistics 6(2), 1979): reject where it is below α,
/// and the chance of any false rejection is below α. NaN stays NaN and counts as no test.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = sorted(p);
    let m = order.len();
    let mut out = vec![f64::NAN; p.len()];
    let mut highest: f64 = 0.0;
    for (rank, (i, value)) in order.into_iter().enumerate() {
        highest = highest.max((m - rank) as f64 * value).min(1.0);
        if let Some(slot) = out.get_mut(i) {
            *slot = highest;
        }
    }
    out
}

/// Adjusted p by Benjamini and Hochberg (Journal of the Royal Statistical Society B 57(1), 1995):
/// reject where it is below q, and the expected share of false among the rejections is below q. NaN
/// stays NaN and counts as no test.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let order = sorted(p);
    let m = order.len() as f64;
    let mut out = vec![f64::NAN; p.len()];
    let mut lowest: f64 = 1.0;
    for (rank, (i, value)) in order.into_iter().enumerate().rev() {
        lowest = lowest.min(value * m / (rank + 1) as f64);
        if let Some(slot) = out.get_mut(i) {
            *slot = lowest;
        }
    }
    out
}

/// Places and values, the smallest first.
fn sorted(p: &[f64]) -> Vec<(usize, f64)> {
    let mut order: Vec<(usize, f64)> = p
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, p)| !p.is_nan())
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    order
}
