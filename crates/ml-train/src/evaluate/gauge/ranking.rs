//! The areas under the curves of one class, under weights.

/// The rows in descending order of their scores for one class.
pub(super) struct Ranking {
    /// Rows, those of one score together.
    order: Vec<u32>,
    /// Whether the row at each place of `order` is the last one of its score.
    ends_tie: Vec<bool>,
    /// Whether the row at each place of `order` is of the class.
    is_positive: Vec<bool>,
}

/// What one pass over a ranking gives; `NaN` where it is undefined.
pub(super) struct Areas {
    pub(super) roc_auc: f64,
    pub(super) average_precision: f64,
    pub(super) n_positive: u64,
}

impl Ranking {
    pub(super) fn new(truth: &[bool], scores: &[f64]) -> Ranking {
        let mut order: Vec<u32> = (0..scores.len() as u32).collect();
        let score = |row: u32| scores[row as usize];
        order.sort_unstable_by(|&left, &right| score(right).total_cmp(&score(left)).then(left.cmp(&right)));
        let ends_tie = (0..order.len())
            .map(|place| order.get(place + 1).is_none_or(|&next| score(next) != score(order[place])))
            .collect();
        let is_positive = order.iter().map(|&row| truth[row as usize]).collect();
        Ranking { order, ends_tie, is_positive }
    }

    pub(super) fn measure(&self, weights: &[u32]) -> Areas {
        // Rows of the class and others: above the current score, and at it.
        let (mut positive, mut negative) = (0_u64, 0_u64);
        let (mut tied_positive, mut tied_negative) = (0_u64, 0_u64);
        // How often a row of the class has another row above it, in halves.
        let mut half_misses = 0.0;
        let mut precisions = 0.0;
        for ((&row, &ends_tie), &is_positive) in self.order.iter().zip(&self.ends_tie).zip(&self.is_positive) {
            let weight = u64::from(weights[row as usize]);
            if is_positive {
                tied_positive += weight;
            } else {
                tied_negative += weight;
            }
            if ends_tie && tied_positive + tied_negative > 0 {
                half_misses += tied_positive as f64 * (2 * negative + tied_negative) as f64;
                positive += tied_positive;
                negative += tied_negative;
                precisions += tied_positive as f64 * positive as f64 / (positive + negative) as f64;
                (tied_positive, tied_negative) = (0, 0);
            }
        }
        Areas {
            // 0 / 0 where there are rows of one side only.
            roc_auc: 1.0 - half_misses / 2.0 / (positive as f64 * negative as f64),
            average_precision: precisions / positive as f64,
            n_positive: positive,
        }
    }
}
