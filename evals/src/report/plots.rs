//! Plots as inline SVG: risk over coverage, reliability, bars of times, and small trends.

/// Width and height of a square plot's field.
const FIELD: f64 = 220.0;
/// Room for the numbers beside the field, and below and above it.
const LEFT: f64 = 40.0;
const BELOW: f64 = 36.0;
const ABOVE: f64 = 10.0;
const RIGHT: f64 = 14.0;
/// Series that have a colour of their own.
const COLOURS: usize = 8;

/// A named line; `stored` ones are drawn faintly, in the colour of the one they belong to.
pub(super) struct Curve {
    pub(super) label: String,
    pub(super) colour: usize,
    pub(super) stored: bool,
    pub(super) points: Vec<(f64, f64)>,
}

/// A named length, with the stored baseline's.
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) value: f64,
    pub(super) stored: Option<f64>,
}

/// A text as HTML shows it, inside elements and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// A number with the digits that matter.
pub(super) fn digits(value: f64) -> String {
    digits_beside(value, value)
}

/// A number with the digits that matter beside a larger one, as a difference of it.
pub(super) fn digits_beside(value: f64, larger: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else if larger.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.4}")
    }
}

/// The class that gives a series its colour.
pub(super) fn colour(series: usize) -> String {
    format!("c{}", series % COLOURS)
}

/// Risk over coverage (El-Yaniv and Wiener 2010): the lower the line, the better.
pub(super) fn risk_coverage(curves: &[Curve]) -> String {
    let highest = curves.iter().flat_map(|c| &c.points).map(|p| p.1).fold(0.0, f64::max);
    // Whole quarters of the tenth above, so that the grid has round numbers.
    let top = ((highest * 5.0).ceil() / 5.0).clamp(0.2, 1.0);
    let mut inside = square(top, ["coverage", "risk"]);
    for curve in curves {
        inside.push_str(&line(curve, |(x, y)| (at_x(x), at_y(y / top))));
    }
    let names: Vec<&str> = curves.iter().map(|curve| curve.label.as_str()).collect();
    drawing([LEFT + FIELD + RIGHT, ABOVE + FIELD + BELOW], &inside, &names.join(", "))
}

/// Mean confidence and share right of each bin; the area of a dot is its number of cases. Dots below the diagonal
/// claim too much.
pub(super) fn reliability(label: &str, series: usize, bins: &[(f64, f64, f64)]) -> String {
    let most = bins.iter().map(|bin| bin.2).fold(1.0, f64::max);
    let mut inside = square(1.0, ["confidence", "share right"]);
    inside.push_str(&format!(
        "<path class=\"even\" d=\"M{:.1} {:.1}L{:.1} {:.1}\"/>",
        at_x(0.0),
        at_y(0.0),
        at_x(1.0),
        at_y(1.0)
    ));
    let points = bins.iter().map(|bin| (bin.0, bin.1)).collect();
    let through = Curve { label: label.to_owned(), colour: series, stored: false, points };
    inside.push_str(&line(&through, |(x, y)| (at_x(x), at_y(y))));
    for (confidence, right, cases) in bins {
        inside.push_str(&format!(
            "<circle class=\"dot {}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"{:.1}\"><title>confidence {}, right {}, {} cases</title></circle>",
            colour(series),
            at_x(*confidence),
            at_y(*right),
            2.5 + 7.0 * (cases / most).sqrt(),
            digits(*confidence),
            digits(*right),
            digits(*cases)
        ));
    }
    drawing([LEFT + FIELD + RIGHT, ABOVE + FIELD + BELOW], &inside, label)
}

/// Lying bars with their values; a mark stands where the baseline was.
pub(super) fn bars(bars: &[Bar]) -> String {
    const ROW: f64 = 20.0;
    const LENGTH: f64 = 320.0;
    let letters = bars.iter().map(|bar| bar.label.chars().count()).max().unwrap_or(0);
    let left = 10.0 + letters as f64 * 6.6;
    let longest = bars.iter().flat_map(|b| [Some(b.value), b.stored]).flatten();
    let longest = longest.fold(f64::MIN_POSITIVE, f64::max);
    let length = |value: f64| (value / longest * LENGTH).max(1.0);
    let mut inside = String::new();
    for (at, bar) in bars.iter().enumerate() {
        let y = at as f64 * ROW;
        inside.push_str(&format!(
            "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text><rect class=\"bar\" x=\"{left:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" rx=\"2\"/>",
            left - 8.0,
            y + 14.0,
            escape(&bar.label),
            y + 4.0,
            length(bar.value)
        ));
        let mut end = length(bar.value);
        if let Some(stored) = bar.stored {
            end = end.max(length(stored));
            inside.push_str(&format!(
                "<rect class=\"mark\" x=\"{:.1}\" y=\"{:.1}\" width=\"2\" height=\"16\"><title>baseline {} ms</title></rect>",
                left + length(stored),
                y + 2.0,
                digits(stored)
            ));
        }
        inside.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{:.1}\">{} ms</text>",
            left + end + 8.0,
            y + 14.0,
            digits(bar.value)
        ));
    }
    let height = bars.len() as f64 * ROW + 4.0;
    drawing([left + LENGTH + 90.0, height], &inside, "percentiles of times")
}

/// One figure over several runs, from the first file to the last; a run without it leaves a gap.
pub(super) fn trend(name: &str, series: usize, values: &[Option<f64>]) -> String {
    const WIDTH: f64 = 200.0;
    const HEIGHT: f64 = 70.0;
    let known = || values.iter().flatten().copied();
    let (low, high) = known().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
    let (span, steps) = (high - low, values.len().saturating_sub(1).max(1) as f64);
    let x = |at: usize| 8.0 + at as f64 / steps * WIDTH;
    let y = |v: f64| 26.0 + if span > 0.0 { (high - v) / span * HEIGHT } else { HEIGHT / 2.0 };
    let mut inside = format!("<text class=\"name\" x=\"8\" y=\"13\">{}</text>", escape(name));
    for run in values
        .iter()
        .enumerate()
        .collect::<Vec<_>>()
        .chunk_by(|a, b| a.1.is_some() == b.1.is_some())
    {
        let points = run.iter().filter_map(|(at, v)| v.map(|v| (x(*at), y(v)))).collect();
        let part = Curve { label: name.to_owned(), colour: series, stored: false, points };
        inside.push_str(&line(&part, |point| point));
    }
    for (at, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        inside.push_str(&format!(
            "<circle class=\"dot {}\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>run {}: {}</title></circle>",
            colour(series),
            x(at),
            y(*value),
            at + 1,
            digits(*value)
        ));
    }
    let ends = if span > 0.0 { vec![(high, 30.0), (low, 100.0)] } else { vec![(high, 65.0)] };
    for (value, at) in ends {
        inside.push_str(&format!(
            "<text x=\"{:.1}\" y=\"{at}\">{}</text>",
            WIDTH + 18.0,
            digits(value)
        ));
    }
    drawing([WIDTH + 74.0, HEIGHT + 36.0], &inside, &format!("{name} over {} runs", values.len()))
}

fn at_x(share: f64) -> f64 {
    LEFT + share * FIELD
}

fn at_y(share: f64) -> f64 {
    ABOVE + (1.0 - share) * FIELD
}

/// The grid of a field from 0 to 1 and from 0 to `top`, with the names of its axes.
fn square(top: f64, [across, up]: [&str; 2]) -> String {
    let mut grid = String::new();
    for part in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let (x, y) = (at_x(part), at_y(part));
        grid.push_str(&format!(
            "<path class=\"grid\" d=\"M{:.1} {y:.1}H{:.1}M{x:.1} {:.1}V{:.1}\"/>",
            at_x(0.0),
            at_x(1.0),
            at_y(0.0),
            at_y(1.0)
        ));
        grid.push_str(&format!(
            "<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            short(part * top)
        ));
        grid.push_str(&format!(
            "<text class=\"middle\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            ABOVE + FIELD + 15.0,
            short(part)
        ));
    }
    let middle = FIELD / 2.0;
    grid.push_str(&format!(
        "<text class=\"middle axis\" x=\"{:.1}\" y=\"{:.1}\">{across}</text><text class=\"middle axis\" transform=\"translate(9 {:.1}) rotate(-90)\">{up}</text>",
        LEFT + middle,
        ABOVE + FIELD + 31.0,
        ABOVE + middle
    ));
    grid
}

fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A curve's path through the points that `place` puts into the drawing.
fn line(curve: &Curve, place: impl Fn((f64, f64)) -> (f64, f64)) -> String {
    let mut path = String::new();
    for (at, point) in curve.points.iter().enumerate() {
        let (x, y) = place(*point);
        path.push_str(&format!("{}{x:.1} {y:.1}", if at == 0 { 'M' } else { 'L' }));
    }
    let class = if curve.stored { "line stored" } else { "line" };
    format!(
        "<path class=\"{class} {}\" d=\"{path}\"><title>{}</title></path>",
        colour(curve.colour),
        escape(&curve.label)
    )
}

fn drawing([width, height]: [f64; 2], inside: &str, label: &str) -> String {
    format!(
        "<svg role=\"img\" aria-label=\"{}\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">{inside}</svg>",
        escape(label)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped_and_lines_have_gaps() {
        assert_eq!(escape("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
        let svg = trend("<ece>", 0, &[Some(1.0), None, Some(2.0), Some(3.0)]);
        assert_eq!(svg.matches("<circle").count(), 3, "{svg}");
        assert!(svg.contains("&lt;ece&gt;") && !svg.contains("<ece>"), "{svg}");
        assert!(!trend("flat", 0, &[Some(1.0), Some(1.0)]).contains("NaN"));
        assert!(!bars(&[Bar { label: "a".into(), value: 0.0, stored: None }]).contains("NaN"));
    }

    #[test]
    fn numbers_have_the_digits_that_matter() {
        for (value, expect) in
            [(599.0, "599"), (0.958_100_9, "0.9581"), (42.674, "42.7"), (-0.5, "-0.5000")]
        {
            assert_eq!(digits(value), expect);
        }
    }
}
