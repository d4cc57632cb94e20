//! Charts as pure functions from series to SVG.
//!
//! A chart has no colours of its own: its parts have classes (`axis`, `grid`, `series-1`, …) that the page around it styles,
//! light or dark. Nothing in it needs a script; each mark has a `<title>` that browsers show on hovering.

mod axis;
mod bars;
mod lines;
mod markup;

pub(crate) use bars::{Bar, BarChart};
pub(crate) use lines::{LineChart, Mark, Series};
pub(crate) use markup::escape;
