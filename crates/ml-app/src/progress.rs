//! Progress of long work: a bar on a terminal, nothing when piped.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use ml_train::progress::{Losses, Stage};
use tokio_util::sync::CancellationToken;

/// Of a known whole.
const COUNTED: &str = "{prefix} {wide_bar} {human_pos}/{human_len} {per_sec} eta {eta} {msg}";

/// Of work that nobody knows the end of.
const ENDLESS: &str = "{prefix} {spinner} {elapsed} {msg}";

/// A bar on standard error, or nothing where nobody would see it.
#[derive(Debug, Clone)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Shows bytes, of a whole that is told with [`Progress::set_of`] where it is known.
    pub(crate) fn bytes(label: &str) -> Progress {
        Progress::new(label, None, "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} eta {eta} {msg}")
    }

    /// Shows a count of things, of a known whole where there is one.
    pub(crate) fn counts(label: &str, total: Option<u64>) -> Progress {
        let template = if total.is_some() { COUNTED } else { "{prefix} {spinner} {human_pos} {per_sec} {msg}" };
        Progress::new(label, total, template)
    }

    /// Shows that something is waited for.
    pub(crate) fn waiting(message: String) -> Progress {
        let waiting = Progress::new("", None, "{spinner} {msg}");
        waiting.message(message);
        waiting
    }

    fn new(label: &str, total: Option<u64>, template: &str) -> Progress {
        if !std::io::stderr().is_terminal() {
            return Progress(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style(template));
        bar.set_prefix(label.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress(bar)
    }

    /// Moves to `position`.
    pub(crate) fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Moves to `position` of `total`, where that is known.
    pub(crate) fn set_of(&self, position: u64, total: Option<u64>) {
        if let Some(total) = total {
            self.0.set_length(total);
        }
        self.0.set_position(position);
    }

    /// Moves on by one.
    pub(crate) fn advance(&self) {
        self.0.inc(1);
    }

    /// Tells the whole, which may grow.
    pub(crate) fn set_total(&self, total: u64) {
        self.0.set_length(total);
    }

    /// Shows `message` at the end of the line.
    pub(crate) fn message(&self, message: String) {
        self.0.set_message(message);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Follows a training on a bar, and stops it when Ctrl-C was pressed.
pub(crate) struct FitProgress {
    bar: Progress,
    stop: CancellationToken,
    /// Whether the stage tells its parts: some stages are one, and some fits go on until they have converged.
    is_counted: AtomicBool,
}

impl FitProgress {
    /// Follows the training of the pipeline called `name`.
    pub(crate) fn new(name: &str, stop: CancellationToken) -> FitProgress {
        FitProgress { bar: Progress::new(name, None, ENDLESS), stop, is_counted: AtomicBool::new(false) }
    }
}

impl ml_train::progress::Progress for FitProgress {
    fn begin(&self, stage: Stage) {
        self.is_counted.store(false, Ordering::Relaxed);
        self.bar.0.set_style(style(ENDLESS));
        self.bar.0.reset();
        self.bar.message(stage.description().to_owned());
    }

    fn advance(&self, total: u64) {
        if !self.is_counted.swap(true, Ordering::Relaxed) {
            self.bar.0.set_style(style(COUNTED));
        }
        self.bar.0.set_length(total);
        self.bar.0.inc(1);
    }

    fn losses(&self, losses: &Losses) {
        let validation = losses.validation.map_or_else(String::new, |loss| format!(", {loss:.4} on rows set aside"));
        let Losses { n_iterations, training, .. } = losses;
        self.bar.message(format!("iteration {n_iterations}, loss {training:.4}{validation}"));
    }

    fn is_cancelled(&self) -> bool {
        self.stop.is_cancelled()
    }
}
