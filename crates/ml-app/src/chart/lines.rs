//! Lines, steps and clouds of points over two axes.

use std::fmt::Write as _;

use super::axis::Axis;
use super::markup::{at, escape};

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 58.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// A line through the points.
    Line,
    /// A line through the points, which are marked.
    LineAndDots,
    /// The points alone.
    Dots,
    /// A thin dashed line, to compare with.
    Guide,
}

/// Points that belong together.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    /// What they are.
    pub(crate) name: String,
    /// In the order in which they are drawn.
    pub(crate) points: Vec<(f64, f64)>,
    /// The lower and upper end at each point, drawn as an area behind the line; empty for none.
    pub(crate) band: Vec<(f64, f64)>,
    /// How they are drawn.
    pub(crate) mark: Mark,
}

/// Series over two axes.
#[derive(Debug, Clone)]
pub(crate) struct LineChart {
    /// What the chart shows, for those who cannot see it.
    pub(crate) title: String,
    /// What runs to the right.
    pub(crate) x_label: String,
    /// What runs upwards.
    pub(crate) y_label: String,
    /// The ends of the axis to the right; by default those of the points.
    pub(crate) x_range: Option<(f64, f64)>,
    /// The ends of the axis upwards; by default those of the points.
    pub(crate) y_range: Option<(f64, f64)>,
    /// What is drawn, in order.
    pub(crate) series: Vec<Series>,
}

impl LineChart {
    /// Draws the chart.
    pub(crate) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| series.points.iter().copied());
        let bands = self.series.iter().flat_map(|series| series.band.iter().flat_map(|band| [band.0, band.1]));
        let (x_from, x_to) = self.x_range.unwrap_or_else(|| extent(points().map(|point| point.0)));
        let (y_from, y_to) = self.y_range.unwrap_or_else(|| extent(points().map(|point| point.1).chain(bands)));
        let x = Axis::new(x_from, x_to, LEFT, WIDTH - RIGHT);
        let y = Axis::new(y_from, y_to, HEIGHT - BOTTOM, TOP);
        let mut svg = format!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">",
            escape(&self.title)
        );
        self.draw_axes(&mut svg, &x, &y);
        let mut n_coloured = 0;
        for series in &self.series {
            let class = if series.mark == Mark::Guide {
                "guide".to_owned()
            } else {
                n_coloured += 1;
                format!("series-{}", (n_coloured - 1) % 8 + 1)
            };
            draw_series(&mut svg, series, &class, &x, &y);
        }
        svg.push_str("</svg>");
        svg
    }

    /// Returns names and colours of the series as HTML; nothing for a single one.
    pub(crate) fn legend(&self) -> String {
        let named: Vec<&Series> = self.series.iter().filter(|series| series.mark != Mark::Guide).collect();
        if named.len() < 2 {
            return String::new();
        }
        let mut legend = "<p class=\"legend\">".to_owned();
        for (index, series) in named.iter().enumerate() {
            let colour = index % 8 + 1;
            let _ = write!(legend, "<span class=\"key key-{colour}\"></span>{} ", escape(&series.name));
        }
        legend.push_str("</p>");
        legend
    }

    fn draw_axes(&self, svg: &mut String, x: &Axis, y: &Axis) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        for (value, text) in x.ticks(6) {
            let place = at(x.place(value));
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{place}\" x2=\"{place}\" y1=\"{TOP}\" y2=\"{bottom}\"/><text class=\"tick\" text-anchor=\"middle\" x=\"{place}\" y=\"{}\">{text}</text>",
                bottom + 16.0
            );
        }
        for (value, text) in y.ticks(6) {
            let place = at(y.place(value));
            let _ = write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{place}\" y2=\"{place}\"/><text class=\"tick\" text-anchor=\"end\" dominant-baseline=\"middle\" x=\"{}\" y=\"{place}\">{text}</text>",
                LEFT - 7.0
            );
        }
        let (middle, centre) = (f64::midpoint(LEFT, right), f64::midpoint(TOP, bottom));
        let _ = write!(
            svg,
            "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{bottom}\" y2=\"{bottom}\"/><line class=\"axis\" x1=\"{LEFT}\" x2=\"{LEFT}\" y1=\"{TOP}\" y2=\"{bottom}\"/><text class=\"label\" text-anchor=\"middle\" x=\"{middle}\" y=\"{}\">{}</text><text class=\"label\" text-anchor=\"middle\" transform=\"translate(13 {centre}) rotate(-90)\">{}</text>",
            HEIGHT - 8.0,
            escape(&self.x_label),
            escape(&self.y_label)
        );
    }
}

fn draw_series(svg: &mut String, series: &Series, class: &str, x: &Axis, y: &Axis) {
    let place = |&(right, up): &(f64, f64)| format!("{},{}", at(x.place(right)), at(y.place(up)));
    if series.band.len() == series.points.len() && !series.band.is_empty() {
        let end = |upper: bool| {
            series
                .points
                .iter()
                .zip(&series.band)
                .map(move |(point, band)| (point.0, if upper { band.1 } else { band.0 }))
        };
        let outline: Vec<String> = end(true).chain(end(false).rev()).map(|point| place(&point)).collect();
        let _ = write!(svg, "<polygon class=\"band {class}\" points=\"{}\"/>", outline.join(" "));
    }
    if series.mark != Mark::Dots && series.points.len() > 1 {
        let line: Vec<String> = series.points.iter().map(place).collect();
        let _ = write!(svg, "<polyline class=\"line {class}\" points=\"{}\"/>", line.join(" "));
    }
    if matches!(series.mark, Mark::Dots | Mark::LineAndDots) {
        let (size, kind) = if series.mark == Mark::Dots { (2.6, "cloud") } else { (4.0, "dot") };
        for point in &series.points {
            let _ = write!(
                svg,
                "<circle class=\"{kind} {class}\" cx=\"{}\" cy=\"{}\" r=\"{size}\"><title>{}: {}, {}</title></circle>",
                at(x.place(point.0)),
                at(y.place(point.1)),
                escape(&series.name),
                crate::output::figure(point.0),
                crate::output::figure(point.1)
            );
        }
    }
}

/// Returns the least and the greatest finite value; 0 and 1 when there is none.
fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low > high { (0.0, 1.0) } else { (low, high) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>) -> LineChart {
        let series = Series { name: "<a & b>".to_owned(), band: Vec::new(), mark: Mark::LineAndDots, points };
        LineChart {
            title: "A \"title\"".to_owned(),
            x_label: "x".to_owned(),
            y_label: "y".to_owned(),
            x_range: Some((0.0, 1.0)),
            y_range: Some((0.0, 1.0)),
            series: vec![series],
        }
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let svg = chart(vec![(0.0, 0.0), (1.0, 1.0)]).svg();
        assert!(svg.contains("<polyline class=\"line series-1\" points=\"58,284 446,14\"/>"), "{svg}");
        assert_eq!(svg.matches("<circle").count(), 2);
    }

    #[test]
    fn names_are_not_markup() {
        let svg = chart(vec![(0.5, 0.5)]).svg();
        assert!(!svg.contains("<a &") && svg.contains("&lt;a &amp; b&gt;") && svg.contains("A &quot;title&quot;"));
    }

    #[test]
    fn points_that_are_no_numbers_do_no_harm() {
        let svg = LineChart { x_range: None, y_range: None, ..chart(vec![(f64::NAN, f64::INFINITY)]) }.svg();
        let empty = LineChart { x_range: None, y_range: None, ..chart(Vec::new()) }.svg();
        for svg in [svg, empty] {
            let coordinates = svg.split('"').filter(|part| part.parse::<f64>().is_ok_and(|number| !number.is_finite()));
            assert_eq!(coordinates.count(), 0, "{svg}");
        }
    }

    #[test]
    fn one_series_needs_no_legend() {
        let mut chart = chart(vec![(0.0, 0.0)]);
        assert_eq!(chart.legend(), "");
        chart.series.push(chart.series[0].clone());
        assert_eq!(chart.legend().matches("class=\"key").count(), 2);
    }
}
