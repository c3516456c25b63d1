//! Drawing with text.

use std::fmt::Write;

/// Text that may stand in HTML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('·'),
            c => out.push(c),
        }
    }
    out
}

/// A drawing of a width and a height.
pub(super) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// A length to two decimals.
fn at(x: f64) -> f64 {
    (x * 100.0).round() / 100.0 + 0.0
}

impl Svg {
    pub(super) fn new(width: f64, height: f64) -> Self {
        Svg {
            width,
            height,
            body: String::new(),
        }
    }

    pub(super) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(
            self.body,
            r#"<line class="{class}" x1="{}" y1="{}" x2="{}" y2="{}"/>"#,
            at(from.0),
            at(from.1),
            at(to.0),
            at(to.1)
        );
    }

    /// A rectangle with a note that shows when it is pointed at.
    pub(super) fn rect(&mut self, class: &str, x: f64, y: f64, w: f64, h: f64, note: &str) {
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{}" y="{}" width="{}" height="{}">{}</rect>"#,
            at(x),
            at(y),
            at(w.max(0.0)),
            at(h.max(0.0)),
            title(note)
        );
    }

    pub(super) fn circle(&mut self, class: &str, x: f64, y: f64, r: f64, note: &str) {
        let _ = write!(
            self.body,
            r#"<circle class="{class}" cx="{}" cy="{}" r="{}">{}</circle>"#,
            at(x),
            at(y),
            at(r),
            title(note)
        );
    }

    pub(super) fn path(&mut self, class: &str, points: &[(f64, f64)], note: &str) {
        let mut d = String::new();
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{} {}", if i == 0 { "M" } else { "L" }, at(*x), at(*y));
        }
        let _ = write!(
            self.body,
            r#"<path class="{class}" d="{d}">{}</path>"#,
            title(note)
        );
    }

    /// Text that begins (`s`), is centred (`m`) or ends (`e`) at a point.
    pub(super) fn text(&mut self, class: &str, anchor: char, x: f64, y: f64, text: &str) {
        let anchor = match anchor {
            'm' => "middle",
            'e' => "end",
            _ => "start",
        };
        let _ = write!(
            self.body,
            r#"<text class="{class}" x="{}" y="{}" text-anchor="{anchor}">{}</text>"#,
            at(x),
            at(y),
            escape(text)
        );
    }

    /// The element; `label` is read to those who do not see it.
    pub(super) fn finish(self, label: &str) -> String {
        format!(
            r#"<svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>"#,
            at(self.width),
            at(self.height),
            escape(label),
            self.body
        )
    }
}

fn title(note: &str) -> String {
    if note.is_empty() {
        String::new()
    } else {
        format!("<title>{}</title>", escape(note))
    }
}

/// How wide a text is, in units of a letter's size: half for Latin, whole for Chinese.
pub(super) fn width_of(text: &str) -> f64 {
    text.chars()
        .map(|c| if (c as u32) < 0x1100 { 0.56 } else { 1.0 })
        .sum()
}

/// The beginning of a text that fits a width in letters' sizes.
pub(super) fn fit(text: &str, most: f64) -> String {
    if width_of(text) <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1.0;
    for c in text.chars() {
        used += width_of(c.encode_utf8(&mut [0; 4]));
        if used > most {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Round steps from 0 or below to at least `high`: at most about `n` of them.
pub(super) fn ticks(low: f64, high: f64, n: usize) -> Vec<f64> {
    let span = high - low;
    if !span.is_finite() || span <= 0.0 {
        return vec![low];
    }
    let rough = span / n.max(1) as f64;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|s| s * power)
        .find(|s| *s >= rough * 0.999)
        .unwrap_or(power * 10.0);
    let first = (low / step).ceil();
    (0..=n * 3)
        .map(|i| (first + i as f64) * step)
        .take_while(|t| *t <= high + step * 1e-9)
        // 0.30000000000000004 is .3.
        .map(|t| (t / step).round() * step + 0.0)
        .collect()
}

/// A tick's figure, with as many decimals as its neighbours need.
pub(super) fn tick_label(t: f64, all: &[f64]) -> String {
    let step = match all {
        [a, b, ..] => (b - a).abs(),
        _ => 1.0,
    };
    let decimals = (-(step.log10().floor())).clamp(0.0, 6.0) as usize;
    let text = format!("{t:.decimals$}");
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_steps() {
        let check = |low, high, expected: &[&str]| {
            let t = ticks(low, high, 5);
            let shown: Vec<String> = t.iter().map(|x| tick_label(*x, &t)).collect();
            assert_eq!(shown, expected, "{low} {high}");
        };
        check(0.0, 1.0, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        check(-0.05, 0.1, &["−0.05", "0.00", "0.05", "0.10"]);
        check(0.0, 1500.0, &["0", "500", "1000", "1500"]);
        check(1.0, 1.0, &["1"]);
    }

    #[test]
    fn what_is_hostile_is_text() {
        assert_eq!(
            escape("<a href='x'>&\u{7}"),
            "&lt;a href=&#39;x&#39;&gt;&amp;·"
        );
        assert_eq!(fit("技术需求匹配", 4.0), "技术需…");
    }
}
