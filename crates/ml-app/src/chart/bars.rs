//! Bars to the right, one below the other, each with a name, a value and how far it may be off.

use std::fmt::Write as _;

use super::axis::Axis;
use super::markup::{at, escape, shortened};

const WIDTH: f64 = 720.0;
const LEFT: f64 = 220.0;
const RIGHT: f64 = 90.0;
const ROW: f64 = 26.0;
const MAX_NAME_CHARS: usize = 34;

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// What it is of.
    pub(crate) name: String,
    /// How long it is.
    pub(crate) value: f64,
    /// From where to where the value may lie.
    pub(crate) reach: Option<(f64, f64)>,
    /// What is written at its end.
    pub(crate) note: String,
}

/// Bars on one axis.
#[derive(Debug, Clone)]
pub(crate) struct BarChart {
    /// What the chart shows, for those who cannot see it.
    pub(crate) title: String,
    /// A value to compare with, drawn across all bars.
    pub(crate) mark: Option<f64>,
    /// From top to bottom.
    pub(crate) bars: Vec<Bar>,
}

impl BarChart {
    /// Draws the chart.
    pub(crate) fn svg(&self) -> String {
        let height = ROW * self.bars.len() as f64 + 8.0;
        let reaches = self.bars.iter().flat_map(|bar| bar.reach.map_or([bar.value; 2], |(low, high)| [low, high]));
        let values = self.bars.iter().map(|bar| bar.value).chain(reaches).chain(self.mark);
        let finite = values.filter(|value| value.is_finite());
        let (from, to) = finite.fold((0.0_f64, 0.0_f64), |(from, to), value| (from.min(value), to.max(value)));
        let axis = Axis::new(from, if from == to { from + 1.0 } else { to }, LEFT, WIDTH - RIGHT);
        let mut svg = format!(
            "<svg class=\"chart wide\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">",
            escape(&self.title)
        );
        let zero = at(axis.place(0.0));
        for (index, bar) in self.bars.iter().enumerate() {
            draw_bar(&mut svg, bar, ROW * index as f64 + 4.0, &axis);
        }
        let _ = write!(svg, "<line class=\"axis\" x1=\"{zero}\" x2=\"{zero}\" y1=\"0\" y2=\"{height}\"/>");
        if let Some(mark) = self.mark {
            let place = at(axis.place(mark));
            let _ = write!(
                svg,
                "<line class=\"guide\" x1=\"{place}\" x2=\"{place}\" y1=\"0\" y2=\"{height}\"><title>{}</title></line>",
                crate::output::figure(mark)
            );
        }
        svg.push_str("</svg>");
        svg
    }
}

fn draw_bar(svg: &mut String, bar: &Bar, top: f64, axis: &Axis) {
    let (zero, end) = (axis.place(0.0), axis.place(bar.value));
    let middle = top + ROW / 2.0 - 2.0;
    let _ = write!(
        svg,
        "<text class=\"name\" text-anchor=\"end\" dominant-baseline=\"middle\" x=\"{}\" y=\"{middle}\">{}<title>{}</title></text>",
        LEFT - 10.0,
        escape(&shortened(&bar.name, MAX_NAME_CHARS)),
        escape(&bar.name)
    );
    let _ = write!(
        svg,
        "<rect class=\"bar series-1\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"14\" rx=\"2\"><title>{}: {}</title></rect>",
        at(zero.min(end)),
        middle - 7.0,
        at((end - zero).abs()),
        escape(&bar.name),
        crate::output::figure(bar.value)
    );
    let mut right = end.max(zero);
    if let Some((low, high)) = bar.reach {
        let (low, high) = (axis.place(low), axis.place(high));
        right = right.max(high);
        let _ = write!(
            svg,
            "<line class=\"whisker\" x1=\"{}\" x2=\"{}\" y1=\"{middle}\" y2=\"{middle}\"/>",
            at(low),
            at(high)
        );
    }
    let _ = write!(
        svg,
        "<text class=\"tick\" dominant-baseline=\"middle\" x=\"{}\" y=\"{middle}\">{}</text>",
        at(right + 7.0),
        escape(&bar.note)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_at_zero_on_either_side() {
        let bar = |value: f64| Bar { name: "n".to_owned(), value, reach: None, note: String::new() };
        let svg = BarChart { title: String::new(), mark: None, bars: vec![bar(1.0), bar(-1.0)] }.svg();
        // From -1 at 220 to 1 at 630, so 0 is at 425.
        assert!(svg.contains("x=\"425\" y=\"8\" width=\"205\""), "{svg}");
        assert!(svg.contains("x=\"220\" y=\"34\" width=\"205\""), "{svg}");
    }

    #[test]
    fn no_bars_are_a_chart_too() {
        assert!(BarChart { title: String::new(), mark: None, bars: Vec::new() }.svg().ends_with("</svg>"));
    }
}
