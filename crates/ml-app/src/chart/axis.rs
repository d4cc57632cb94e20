//! From values to places on the page, and the round values that are written beside them.

/// A range of values along a range of pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    from: f64,
    to: f64,
    start: f64,
    end: f64,
}

impl Axis {
    /// Puts `from` at pixel `start` and `to` at pixel `end`. A range without extent is widened, one that is not finite is 0 to 1.
    pub(super) fn new(from: f64, to: f64, start: f64, end: f64) -> Axis {
        let (from, to) = if from.is_finite() && to.is_finite() { (from, to) } else { (0.0, 1.0) };
        let margin = if from == to { from.abs().max(1.0) * 0.5 } else { 0.0 };
        Axis { from: from - margin, to: to + margin, start, end }
    }

    /// Returns the place of `value`, at the edge for values outside.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = ((value - self.from) / (self.to - self.from)).clamp(0.0, 1.0);
        let share = if share.is_nan() { 0.0 } else { share };
        self.start + share * (self.end - self.start)
    }

    /// Returns about `n_wanted` round values inside the range, and how they are written.
    pub(super) fn ticks(&self, n_wanted: usize) -> Vec<(f64, String)> {
        let step = round_step((self.to - self.from) / n_wanted.max(1) as f64);
        let first = (self.from / step - 1e-9).ceil();
        let last = (self.to / step + 1e-9).floor();
        let n_ticks = ((last - first).max(0.0) as usize).min(50);
        let value = |place: usize| (first + place as f64) * step;
        (0..=n_ticks).map(|place| (value(place), written(value(place), step))).collect()
    }
}

/// Returns the nearest of 1, 2 and 5 times a power of ten at or above `step`.
fn round_step(step: f64) -> f64 {
    if !(step.is_finite() && step > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(step.log10().floor());
    let rest = step / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| rest <= round + 1e-9).unwrap_or(10.0);
    round * power
}

/// Writes a tick with as many decimals as its step has, large ones with a suffix.
fn written(value: f64, step: f64) -> String {
    let value = if value.abs() < step * 1e-6 { 0.0 } else { value };
    let (unit, suffix) = match step.abs().max(value.abs()) {
        size if size >= 1e9 => (1e9, "G"),
        size if size >= 1e6 => (1e6, "M"),
        size if size >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let decimals = (-(step / unit).log10().floor()).clamp(0.0, 9.0) as usize;
    let number = format!("{:.decimals$}", value / unit);
    if suffix.is_empty() || value == 0.0 {
        return number;
    }
    // Ticks beside one another may have other units, so equal decimals would not line up anyway.
    let short = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { &number };
    format!("{short}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(from: f64, to: f64) -> Vec<String> {
        Axis::new(from, to, 0.0, 100.0).ticks(5).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 1.0), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(ticks(-3.0, 17.0), ["0", "5", "10", "15"]);
        assert_eq!(ticks(0.0, 1_000_000.0), ["0", "200k", "400k", "600k", "800k", "1M"]);
        assert_eq!(ticks(0.001, 0.004), ["0.001", "0.002", "0.003", "0.004"]);
    }

    #[test]
    fn any_range_has_places() {
        for (from, to) in [(1.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (0.0, 0.0), (-1e300, 1e300)] {
            let axis = Axis::new(from, to, 10.0, 20.0);
            assert!(axis.ticks(5).len() < 60, "{from} to {to}");
            assert!((10.0..=20.0).contains(&axis.place(0.5)), "{from} to {to}");
            assert!((10.0..=20.0).contains(&axis.place(f64::NAN)));
        }
    }
}
