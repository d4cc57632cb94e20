//! The distribution of the two-sided one-sample Kolmogorov–Smirnov statistic `Dₙ`.
//!
//! No one formula is both exact and fast, so each is used where it is good, as in Simard and L'Ecuyer, *Computing the Two-Sided
//! Kolmogorov–Smirnov Distribution* (2011). The limits between them are those of `scipy.stats.kstwo`, with which the result agrees
//! to 1e-10.

use std::f64::consts::PI;

use statrs::function::gamma::ln_gamma;

/// Up to here the exact distribution is cheap everywhere.
const MAX_SMALL_N: u64 = 140;

/// Returns the probability that `Dₙ` is at least `statistic`, for `n ≥ 1`.
pub(super) fn kolmogorov_survival(n: u64, statistic: f64) -> f64 {
    let count = n as f64;
    let scaled = count * statistic;
    let squared = scaled * statistic;
    let survival = if statistic >= 1.0 {
        0.0
    } else if scaled <= 0.5 {
        1.0
    } else if scaled <= 1.0 {
        1.0 - ruben_gambino(count, scaled)
    } else if scaled >= count - 1.0 {
        2.0 * (1.0 - statistic).powf(count)
    } else if is_in_the_tail(n, statistic, squared) {
        2.0 * one_sided_survival(n, statistic)
    } else if n <= MAX_SMALL_N || (n <= 100_000 && count * statistic.powf(1.5) <= 1.4) {
        1.0 - durbin(n, statistic)
    } else {
        1.0 - pelz_good(count, statistic)
    };
    survival.clamp(0.0, 1.0)
}

/// Returns whether both sides of the statistic practically never exceed it together.
fn is_in_the_tail(n: u64, statistic: f64, squared: f64) -> bool {
    statistic >= 0.5 || squared > if n <= MAX_SMALL_N { 4.0 } else { 2.2 }
}

/// Returns `P(Dₙ ≤ x)` for `½ ≤ n·x ≤ 1`: `n! · ((2·n·x − 1) / n)ⁿ`, exact.
///
/// Source: Ruben and Gambino, *The exact distribution of Kolmogorov's statistic for n ≤ 10* (1982).
fn ruben_gambino(count: f64, scaled: f64) -> f64 {
    (ln_gamma(count + 1.0) + count * ((2.0 * scaled - 1.0) / count).ln()).exp()
}

/// Returns `P(Dₙ⁺ ≥ x)`, exact: `x · Σ C(n, j) · (x + j/n)^(j−1) · (1 − x − j/n)^(n−j)` over `0 ≤ j ≤ n·(1 − x)`.
///
/// With `p = x + j/n` each term is a binomial probability divided by `p`.
///
/// Source: Birnbaum and Tingey, *One-sided confidence contours for probability distribution functions* (1951).
fn one_sided_survival(n: u64, x: f64) -> f64 {
    let count = n as f64;
    let last = (count * (1.0 - x)).floor() as u64;
    let terms = (0..=last).map(|j| {
        let p = x + j as f64 / count;
        binomial_probability(j as f64, count, p) / p
    });
    x * terms.sum::<f64>()
}

/// Returns the probability of `j` successes in `n` trials of chance `p`, without the loss of digits of large logarithms.
///
/// Source: Loader, *Fast and Accurate Computation of Binomial Probabilities* (2000).
fn binomial_probability(j: f64, n: f64, p: f64) -> f64 {
    let q = 1.0 - p;
    if q <= 0.0 {
        return if j == n { 1.0 } else { 0.0 };
    }
    if j == 0.0 {
        return (n * (-p).ln_1p()).exp();
    }
    if j == n {
        return (n * p.ln()).exp();
    }
    let exponent =
        stirling_error(n) - stirling_error(j) - stirling_error(n - j) - deviance(j, n * p) - deviance(n - j, n * q);
    (n / (2.0 * PI * j * (n - j))).sqrt() * exponent.exp()
}

/// Returns `ln n! − (½ ln(2πn) + n ln n − n)`.
fn stirling_error(n: f64) -> f64 {
    if n < 16.0 {
        return ln_gamma(n + 1.0) - (0.5 * (2.0 * PI * n).ln() + n * n.ln() - n);
    }
    let square = n * n;
    (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / 1188.0 / square) / square) / square) / square)
        / n
}

/// Returns `x · ln(x / mean) + mean − x`, by its series where `x` is near to `mean`.
fn deviance(x: f64, mean: f64) -> f64 {
    let ratio = (x - mean) / (x + mean);
    if ratio.abs() >= 0.1 {
        return x * (x / mean).ln() + mean - x;
    }
    let mut sum = (x - mean) * ratio;
    let mut power = 2.0 * x * ratio;
    for j in 1..100 {
        power *= ratio * ratio;
        let next = sum + power / f64::from(2 * j + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

/// Returns `P(Dₙ ≤ x)`, exact: an entry of the `n`-th power of a matrix of order `2·⌈n·x⌉ − 1`.
///
/// Source: Durbin (1973) in the form of Marsaglia, Tsang and Wang, *Evaluating Kolmogorov's Distribution* (2003).
fn durbin(n: u64, x: f64) -> f64 {
    let scaled = n as f64 * x;
    let k = scaled.ceil() as usize;
    let base = Matrix::durbin(k, k as f64 - scaled);
    let (power, mut exponent) = base.power(n, k - 1);
    let mut probability = power.get(k - 1, k - 1);
    for i in 1..=n {
        probability *= i as f64 / n as f64;
        if probability < SMALL {
            probability *= LARGE;
            exponent -= 1;
        }
    }
    probability * LARGE.powi(exponent)
}

/// What an entry is scaled by when it leaves the range in which it keeps its digits: a power of two.
const LARGE: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
const SMALL: f64 = 1.0 / LARGE;

/// A square matrix, by rows.
#[derive(Clone)]
struct Matrix {
    order: usize,
    entries: Vec<f64>,
}

impl Matrix {
    fn get(&self, row: usize, column: usize) -> f64 {
        self.entries[row * self.order + column]
    }

    /// Makes the matrix for `k` and `h = k − n·x`: `1 / (i − j + 1)!`, with other first column and last row.
    fn durbin(k: usize, h: f64) -> Matrix {
        let order = 2 * k - 1;
        let mut inverse_factorials = vec![1.0; order + 1];
        for i in 1..=order {
            inverse_factorials[i] = inverse_factorials[i - 1] / i as f64;
        }
        let mut entries = vec![0.0; order * order];
        for row in 0..order {
            for column in 0..order.min(row + 2) {
                entries[row * order + column] = inverse_factorials[row + 1 - column];
            }
        }
        for i in 0..order {
            let edge = (1.0 - h.powi(i as i32 + 1)) * inverse_factorials[i + 1];
            entries[i * order] = edge;
            entries[(order - 1) * order + order - 1 - i] = edge;
        }
        let corner = 1.0 - 2.0 * h.powi(order as i32) + (2.0 * h - 1.0).max(0.0).powi(order as i32);
        entries[(order - 1) * order] = corner * inverse_factorials[order];
        Matrix { order, entries }
    }

    fn identity(order: usize) -> Matrix {
        let mut entries = vec![0.0; order * order];
        for i in 0..order {
            entries[i * order + i] = 1.0;
        }
        Matrix { order, entries }
    }

    fn times(&self, other: &Matrix) -> Matrix {
        let mut entries = vec![0.0; self.entries.len()];
        for (row, products) in entries.chunks_exact_mut(self.order).enumerate() {
            for (inner, factors) in other.entries.chunks_exact(self.order).enumerate() {
                let factor = self.get(row, inner);
                for (product, other) in products.iter_mut().zip(factors) {
                    *product += factor * other;
                }
            }
        }
        Matrix { order: self.order, entries }
    }

    /// Returns a matrix and `e` that together are the `n`-th power: the matrix times [`LARGE`] to the power `e`. The entry
    /// in the row and column `middle` tells when to scale.
    fn power(&self, mut n: u64, middle: usize) -> (Matrix, i32) {
        let mut power = (Matrix::identity(self.order), 0);
        let mut square = (self.clone(), 0);
        while n > 0 {
            if n % 2 == 1 {
                power = (power.0.times(&square.0), power.1 + square.1);
            }
            square = (square.0.times(&square.0), 2 * square.1);
            if square.0.get(middle, middle) > LARGE {
                square.0.entries.iter_mut().for_each(|entry| *entry *= SMALL);
                square.1 += 1;
            }
            n /= 2;
        }
        power
    }
}

/// Returns about `P(Dₙ ≤ x)` for large `n`: `K₀(z) + K₁(z)/√n + K₂(z)/n + K₃(z)/n^1.5` with `z = x·√n`.
///
/// Source: Pelz and Good, *Approximating the Lower Tail-Areas of the Kolmogorov–Smirnov One-Sample Statistic* (1976).
fn pelz_good(count: f64, x: f64) -> f64 {
    let z = x * count.sqrt();
    let (z2, z4, z6) = (z.powi(2), z.powi(4), z.powi(6));
    let (pi2, pi4, pi6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let n_terms = (16.0 * z / PI).ceil() as i32;
    let (mut k0, mut k1, mut k2, mut k3) = (0.0, 0.0, 0.0, 0.0);
    for k in (1..=n_terms).rev() {
        let m2 = f64::from(2 * k - 1).powi(2);
        let weight = (-pi2 * m2 / (8.0 * z2)).exp();
        k0 += weight;
        k1 += weight * (pi2 / 4.0 * m2 - z2);
        k2 += weight
            * (6.0 * z6
                + 2.0 * z4
                + (2.0 * z4 - 5.0 * z2) * pi2 / 4.0 * m2
                + pi4 * (1.0 - 2.0 * z2) / 16.0 * m2.powi(2));
        k3 += weight
            * (-30.0 * z6 - 90.0 * z.powi(8)
                + pi2 * (135.0 * z4 - 96.0 * z6) / 4.0 * m2
                + pi4 * (212.0 * z4 - 60.0 * z2) / 16.0 * m2.powi(2)
                + pi6 * (5.0 - 30.0 * z2) / 64.0 * m2.powi(3));
    }
    let (mut extra2, mut extra3) = (0.0, 0.0);
    for k in (1..=n_terms).rev() {
        let k_squared = f64::from(k).powi(2);
        let weight = (-pi2 * k_squared / (2.0 * z2)).exp();
        extra2 += weight * k_squared;
        extra3 += weight * k_squared * (3.0 * z2 - pi2 * k_squared);
    }
    let root = (2.0 * PI).sqrt();
    let k0 = root * k0 / z;
    let k1 = root * k1 / (6.0 * z4);
    let k2 = root * (k2 / (72.0 * z.powi(7)) - pi2 * extra2 / (36.0 * z.powi(3)));
    let k3 = root * (k3 / (6480.0 * z.powi(10)) + pi2 * extra3 / (216.0 * z6));
    k0 + k1 / count.sqrt() + k2 / count + k3 / count.powf(1.5)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Golden {
        kolmogorov: Vec<Point>,
    }

    #[derive(Deserialize)]
    struct Point {
        n: u64,
        x: f64,
        survival: f64,
    }

    /// 1e-10 is what the logarithms of factorials of a million leave; every formula is tried on both sides of its limits.
    #[test]
    fn the_distribution_agrees_with_scipy() {
        let golden: Golden = serde_json::from_str(include_str!("../../tests/golden/drift.json")).unwrap();
        for Point { n, x, survival } in golden.kolmogorov {
            let found = kolmogorov_survival(n, x);
            assert!((found - survival).abs() < 1e-10, "n {n}, x {x}: {found} instead of {survival}");
        }
    }

    #[test]
    fn it_falls_from_one_to_zero() {
        for n in [1, 7, 140, 141, 2000] {
            let survivals: Vec<f64> = (0..=1000).map(|i| kolmogorov_survival(n, f64::from(i) / 1000.0)).collect();
            assert_eq!((survivals[0], survivals[1000]), (1.0, 0.0), "n {n}");
            // The approximations for large n meet at their limits up to 1e-7.
            assert!(survivals.windows(2).all(|pair| pair[1] <= pair[0] + 1e-7), "n {n}");
        }
    }
}
