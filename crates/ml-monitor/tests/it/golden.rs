//! Figures compared with those of SciPy and NumPy; `tests/golden/generate.py` makes them.

use ml_core::table::Column;
use ml_monitor::drift::{chi_square, ks_two_sample};
use ml_monitor::profile::{ColumnProfile, ProfileOptions, ValueProfile};
use serde::Deserialize;

/// Both sides sum a few thousand terms in different orders.
const TOLERANCE: f64 = 1e-9;

#[derive(Deserialize)]
struct Golden {
    ks: Vec<KsCase>,
    chi_square: Vec<ChiSquareCase>,
    summaries: Vec<SummaryCase>,
}

/// Count, start, step and scale, see [`wave`].
type Wave = (u32, f64, f64, f64);

#[derive(Deserialize)]
struct KsCase {
    #[serde(default)]
    a: Vec<f64>,
    #[serde(default)]
    b: Vec<f64>,
    wave_a: Option<Wave>,
    wave_b: Option<Wave>,
    statistic: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct ChiSquareCase {
    a: Vec<u64>,
    b: Vec<u64>,
    statistic: f64,
    degrees: usize,
    p_value: f64,
}

#[derive(Deserialize)]
struct SummaryCase {
    wave: Wave,
    mean: f64,
    std: f64,
    deciles: Vec<f64>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../golden/drift.json")).unwrap()
}

fn wave((n, start, step, scale): Wave) -> Vec<f64> {
    (0..n).map(|i| ((start + f64::from(i) * step) % 1.0) * scale).collect()
}

fn check(what: &str, found: f64, expected: f64) {
    let distance = (found - expected).abs() / expected.abs().max(1.0);
    assert!(distance < TOLERANCE, "{what}: {found} instead of {expected}");
}

#[test]
fn kolmogorov_smirnov_agrees_with_scipy() {
    for case in golden().ks {
        let a = case.wave_a.map_or(case.a, wave);
        let b = case.wave_b.map_or(case.b, wave);
        let test = ks_two_sample(&a, &b).unwrap();
        check("statistic", test.statistic, case.statistic);
        check("p-value", test.p_value, case.p_value);
    }
}

#[test]
fn chi_square_agrees_with_scipy() {
    for case in golden().chi_square {
        let test = chi_square(&case.a, &case.b).unwrap();
        check("statistic", test.statistic, case.statistic);
        check("p-value", test.p_value, case.p_value);
        assert_eq!(test.degrees_of_freedom, case.degrees);
    }
}

#[test]
fn moments_and_deciles_agree_with_numpy() {
    for case in golden().summaries {
        let column = Column::numbers("x", wave(case.wave));
        let ValueProfile::Numeric(profile) = ColumnProfile::of(&column, &ProfileOptions::default()).values else {
            panic!("numbers are profiled as numbers");
        };
        check("mean", profile.summary.mean.unwrap(), case.mean);
        check("standard deviation", profile.summary.std.unwrap(), case.std);
        assert_eq!(profile.edges.len(), case.deciles.len());
        for (edge, decile) in profile.edges.iter().zip(&case.deciles) {
            check("decile", *edge, *decile);
        }
    }
}
