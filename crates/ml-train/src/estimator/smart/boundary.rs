//! The boundary around smartcore, and other libraries that may panic: shapes are checked before, and a panic inside becomes an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use rayon::prelude::*;
use smartcore::error::Failed;
use smartcore::linalg::basic::matrix::DenseMatrix as SmartMatrix;

use crate::error::{PredictError, TrainError};
use crate::matrix::{DenseMatrix, FeatureMatrix};

/// How many rows are made dense and scored at a time.
const ROWS_PER_PART: usize = 512;

thread_local! {
    /// Whether this thread is inside the boundary.
    static IS_INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Makes features that smartcore reads.
pub(super) fn smart_features(kind: &'static str, features: &FeatureMatrix) -> Result<SmartMatrix<f64>, TrainError> {
    let dense = features.to_dense().map_err(|source| TrainError::TooWide { kind, source })?;
    if dense.n_rows() == 0 || dense.n_columns() == 0 {
        let what = format!("`{kind}` needs rows and features, there are {} and {}", dense.n_rows(), dense.n_columns());
        return Err(TrainError::data(what, "give rows whose target and features are not missing"));
    }
    column_major(&dense).map_err(|err| TrainError::Fit { kind, reason: err.to_string() })
}

/// Trees and sums over columns read a column at a time.
pub(super) fn column_major(dense: &DenseMatrix) -> Result<SmartMatrix<f64>, Failed> {
    let (n_rows, n_columns) = (dense.n_rows(), dense.n_columns());
    let cells = dense.cells();
    let values =
        (0..n_columns).flat_map(|column| (0..n_rows).map(move |row| cells[row * n_columns + column])).collect();
    SmartMatrix::new(n_rows, n_columns, values, true)
}

/// Returns class indices as smartcore takes them.
pub(super) fn class_labels(classes: &[usize]) -> Vec<u32> {
    classes.iter().map(|&class| class as u32).collect()
}

/// Fits within the boundary.
pub(super) fn fit_guarded<T>(kind: &'static str, fit: impl FnOnce() -> Result<T, Failed>) -> Result<T, TrainError> {
    guarded(fit).map_err(|reason| TrainError::Fit { kind, reason })
}

/// Scores parts of the rows within the boundary, in parallel, and puts the results together in order.
pub(super) fn predict_guarded<T: Send>(
    kind: &'static str,
    features: &FeatureMatrix,
    predict: impl Fn(&SmartMatrix<f64>) -> Result<Vec<T>, Failed> + Sync,
) -> Result<Vec<T>, PredictError> {
    let n_rows = features.n_rows();
    let parts: Vec<Vec<T>> = (0..n_rows.div_ceil(ROWS_PER_PART))
        .into_par_iter()
        .map(|part| {
            let rows: Vec<usize> = (part * ROWS_PER_PART..n_rows.min((part + 1) * ROWS_PER_PART)).collect();
            let part = features.take(&rows);
            let failed = |reason: String| PredictError::Failed { kind, reason };
            let dense = part.to_dense().map_err(|err| failed(err.to_string()))?;
            guarded(|| predict(&SmartMatrix::new(dense.n_rows(), dense.n_columns(), dense.cells().to_vec(), false)?))
                .map_err(failed)
        })
        .collect::<Result<_, _>>()?;
    Ok(parts.into_iter().flatten().collect())
}

/// Calls what may panic, and returns its message as an error.
pub(crate) fn guarded<T, E: std::fmt::Display>(call: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    keep_panics_inside_quiet();
    let was_inside = IS_INSIDE.replace(true);
    // What is borrowed is only read, and is dropped with the error: no broken state is seen after a panic.
    let outcome = catch_unwind(AssertUnwindSafe(call));
    IS_INSIDE.set(was_inside);
    match outcome {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(failed)) => Err(failed.to_string()),
        Err(panic) => Err(format!("it stopped with `{}`", panic_message(&*panic))),
    }
}

/// Sees to it that a panic inside the boundary prints nothing, for its message becomes the error; every other panic goes to
/// the hook that was there before.
fn keep_panics_inside_quiet() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_INSIDE.get() {
                report(info);
            }
        }));
    });
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without a message")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs the test called `name` alone, and returns what it prints on standard error.
    fn stderr_of(name: &str) -> String {
        let this_test = std::env::current_exe().unwrap();
        let name = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
        let output = std::process::Command::new(this_test).args(["--exact", &name, "--nocapture"]).output().unwrap();
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    #[test]
    fn a_panic_inside_prints_nothing_and_one_outside_is_reported() {
        assert_eq!(stderr_of("a_panic_becomes_an_error_with_its_message"), "");
        assert!(stderr_of("a_panic_outside_is_not_ours").contains("beyond the boundary"));
    }

    #[test]
    fn a_panic_outside_is_not_ours() {
        fit_guarded("ridge", || Ok(())).unwrap();
        let outside = std::thread::spawn(|| panic!("beyond the boundary"));
        assert!(outside.join().is_err());
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_message() {
        let err = fit_guarded::<()>("ridge", || panic!("index {} is out of bounds", 3)).unwrap_err();
        assert_eq!(err.to_string(), "`ridge` could not be fitted: it stopped with `index 3 is out of bounds`");
    }
}
