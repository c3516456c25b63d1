//! The drawings: figures with intervals, sorted differences, curves.

use super::svg::{Svg, fit, tick_label, ticks, width_of};

/// Most drawings are as wide as this and scale with the page; at this width letters have their size.
const WIDTH: f64 = 440.0;
const LETTER: f64 = 12.5;

/// A run's figure.
pub(super) struct Dot {
    pub(super) name: String,
    pub(super) color: usize,
    pub(super) value: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) shown: String,
    pub(super) note: String,
}

/// Figures with their intervals, one row each: name and figure above, the interval below.
pub(super) fn dots(rows: &[Dot], label: &str) -> String {
    const NARROW: f64 = 320.0;
    let (row, top, bottom, side) = (44.0, 2.0, 24.0, 8.0);
    let base = top + row * rows.len() as f64;
    let mut svg = Svg::new(NARROW, base + bottom);
    let ends = rows.iter().flat_map(|r| [r.low, r.high, r.value]);
    let ends = ends.filter(|x| x.is_finite());
    let (low, high) = ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| {
        (a.min(x), b.max(x))
    });
    // Some room at both ends; never less than a hundredth, so that nothing looks far apart.
    let room = ((high - low) * 0.06)
        .max((0.01 - (high - low)) / 2.0)
        .max(1e-9);
    let (low, high) = if low <= high {
        (low - room, high + room)
    } else {
        (0.0, 1.0)
    };
    let x = Scale::new((low, high), (side, NARROW - side));
    let marks = ticks(low, high, 5);
    for t in &marks {
        svg.line("grid", (x.at(*t), top), (x.at(*t), base));
        svg.text("small", 'm', x.at(*t), base + 16.0, &tick_label(*t, &marks));
    }
    for (i, r) in rows.iter().enumerate() {
        let y = top + row * i as f64;
        let room = NARROW / LETTER - width_of(&r.shown) - 2.0;
        svg.text("name", 's', 0.0, y + 15.0, &fit(&r.name, room));
        svg.text("value", 'e', NARROW, y + 15.0, &r.shown);
        let (y, c) = (y + 29.0, r.color % 8);
        if r.low.is_finite() && r.high.is_finite() {
            svg.line(
                &format!("whisker s{c}"),
                (x.at(r.low), y),
                (x.at(r.high), y),
            );
        }
        if r.value.is_finite() {
            svg.circle(&format!("f{c}"), x.at(r.value), y, 5.0, &r.note);
        }
    }
    svg.finish(label)
}

/// What stands under a drawing of values by query.
pub(super) struct Sides<'a> {
    pub(super) up: &'a str,
    pub(super) down: &'a str,
    pub(super) queries: &'a str,
}

/// Values by query, the highest first; from 0 up in one color and down in another where `signed`.
pub(super) fn sorted(values: &[f64], signed: bool, sides: &Sides<'_>, label: &str) -> String {
    let mut v: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    v.sort_by(|a, b| b.total_cmp(a));
    let (left, top, bottom, height) = (44.0, 8.0, 26.0, 230.0);
    let mut svg = Svg::new(WIDTH, height);
    let (low, high) = v
        .iter()
        .fold((0.0_f64, 0.0_f64), |(a, b), x| (a.min(*x), b.max(*x)));
    let high = if high > low { high } else { low + 1.0 };
    let y = Scale::new((low, high), (height - bottom, top));
    let marks = ticks(low, high, 7);
    for t in &marks {
        svg.line("grid", (left, y.at(*t)), (WIDTH, y.at(*t)));
        svg.text(
            "small",
            'e',
            left - 8.0,
            y.at(*t) + 4.0,
            &tick_label(*t, &marks),
        );
    }
    let step = (WIDTH - left) / v.len().max(1) as f64;
    let class = |x: f64| match (signed, x < 0.0) {
        (false, _) => "spread",
        (true, false) => "up",
        (true, true) => "down",
    };
    if step >= 1.5 {
        let gap = if step > 4.0 { 1.0 } else { 0.4 };
        for (i, x) in v.iter().enumerate().filter(|(_, x)| **x != 0.0) {
            let (a, b) = (y.at(x.max(0.0)), y.at(x.min(0.0)));
            let from = left + step * i as f64 + gap / 2.0;
            svg.rect(class(*x), from, a, step - gap, (b - a).max(0.5), "");
        }
    } else {
        // Too many for bars: an outline for each side.
        for side in [1.0, -1.0] {
            let mut points: Vec<(f64, f64)> = Vec::new();
            for (i, x) in v.iter().enumerate().filter(|(_, x)| **x * side > 0.0) {
                let from = left + step * i as f64;
                points.extend([(from, y.at(*x)), (from + step, y.at(*x))]);
            }
            if let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) {
                points.insert(0, (first.0, y.at(0.0)));
                points.push((last.0, y.at(0.0)));
                svg.path(class(side), &points, "");
            }
        }
    }
    svg.line("axis", (left, y.at(0.0)), (WIDTH, y.at(0.0)));
    let base = height - 6.0;
    svg.text("small", 's', left, base, sides.up);
    svg.text("small", 'm', (left + WIDTH) / 2.0, base, sides.queries);
    svg.text("small", 'e', WIDTH, base, sides.down);
    svg.finish(label)
}

/// A curve of a run.
pub(super) struct Curve {
    pub(super) color: usize,
    pub(super) points: Vec<(f64, f64)>,
    /// Points that are drawn as such, with a radius and a note.
    pub(super) marks: Vec<(f64, f64, f64, String)>,
    pub(super) note: String,
}

/// The class that draws run number `i`: colors tell runs apart, and strokes where colors do not.
pub(super) fn stroke(i: usize) -> String {
    let dash = match i % 4 {
        0 => "",
        1 => " d1",
        2 => " d2",
        _ => " d3",
    };
    format!("s{}{dash}", i % 8)
}

/// Curves in the unit square.
pub(super) fn curves(
    all: &[Curve],
    diagonal: bool,
    (x_name, y_name): (&str, &str),
    label: &str,
) -> String {
    let (left, top, bottom, height) = (40.0, 22.0, 42.0, 360.0);
    let mut svg = Svg::new(WIDTH, height);
    let x = Scale::new((0.0, 1.0), (left, WIDTH - 10.0));
    let y = Scale::new((0.0, 1.0), (height - bottom, top));
    let marks = ticks(0.0, 1.0, 5);
    for t in &marks {
        svg.line("grid", (x.at(*t), top), (x.at(*t), height - bottom));
        svg.line("grid", (left, y.at(*t)), (x.at(1.0), y.at(*t)));
        let shown = tick_label(*t, &marks);
        svg.text("small", 'm', x.at(*t), height - bottom + 17.0, &shown);
        svg.text("small", 'e', left - 8.0, y.at(*t) + 4.0, &shown);
    }
    if diagonal {
        svg.line("diagonal", (x.at(0.0), y.at(0.0)), (x.at(1.0), y.at(1.0)));
    }
    for c in all {
        let points: Vec<(f64, f64)> = c.points.iter().map(|(a, b)| (x.at(*a), y.at(*b))).collect();
        svg.path(&format!("curve {}", stroke(c.color)), &points, &c.note);
        for (a, b, r, note) in &c.marks {
            svg.circle(&format!("f{}", c.color % 8), x.at(*a), y.at(*b), *r, note);
        }
    }
    svg.text("", 's', left - 30.0, 12.0, y_name);
    svg.text("", 'e', x.at(1.0), height - 4.0, x_name);
    svg.finish(label)
}

/// From values to places.
struct Scale {
    from: (f64, f64),
    to: (f64, f64),
}

impl Scale {
    fn new(from: (f64, f64), to: (f64, f64)) -> Self {
        Scale { from, to }
    }

    fn at(&self, x: f64) -> f64 {
        let share = (x - self.from.0) / (self.from.1 - self.from.0);
        self.to.0 + share.clamp(-0.02, 1.02) * (self.to.1 - self.to.0)
    }
}
