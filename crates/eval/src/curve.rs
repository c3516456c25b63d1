//! Precision against recall, averaged over queries.

use crate::{evaluate::Evaluation, qrels::Qrels};

/// Interpolated precision at `points` + 1 even recalls from 0 to 1, averaged over the queries of the
/// evaluation that have relevant documents (grade 1 or more): trec_eval's `iprec_at_recall`, at more
/// places. Wants [`crate::Watch::placements`].
pub fn precision_recall(qrels: &Qrels, e: &Evaluation, points: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![0.0; points + 1];
    let mut queries = 0.0;
    for id in &e.queries {
        let Some(q) = qrels.place(id) else { continue };
        let Some(judged) = qrels.queries().get(q) else {
            continue;
        };
        let all = judged.relevant(1.0);
        if all == 0 {
            continue;
        }
        queries += 1.0;
        let placed = e
            .observation
            .placements
            .get(q)
            .map_or(&[][..], Vec::as_slice);
        let ranks = placed
            .iter()
            .filter(|p| judged.grade(p.place as usize) >= 1.0)
            .map(|p| p.rank);
        let mut best: Vec<f64> = (ranks.zip(1..))
            .map(|(rank, found)| f64::from(found) / f64::from(rank))
            .collect();
        // The highest from here on.
        let mut highest: f64 = 0.0;
        for p in best.iter_mut().rev() {
            highest = highest.max(*p);
            *p = highest;
        }
        for (i, sum) in sums.iter_mut().enumerate() {
            let recall = i as f64 / points.max(1) as f64;
            let wanted = (recall * all as f64).round() as usize;
            *sum += best.get(wanted.saturating_sub(1)).copied().unwrap_or(0.0);
        }
    }
    sums.into_iter()
        .enumerate()
        .map(|(i, s)| {
            let y = if queries > 0.0 { s / queries } else { 0.0 };
            (i as f64 / points.max(1) as f64, y)
        })
        .collect()
}
