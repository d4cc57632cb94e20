"""Writes boosting.json: what scikit-learn's gradient boosting on histograms predicts on small data.

Needs scikit-learn 1.9 and NumPy: `python boosting.py` in this folder.

scikit-learn keeps gradients as 32-bit floats. Numbers of few binary digits with a mean of few make those of the first tree
exact, as do two classes of equally many rows; later trees and other losses agree only as far as such floats do.

Leaves of few rows are often pure, and then several splits gain the same but for the last bits of such floats: scikit-learn
gives other probabilities (by 0.14 here) when the columns change places. Classes that are not in halves therefore have
leaves of at least 20 rows, or few leaves, where the order of columns changes nothing.
"""

import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

random = np.random.default_rng(11)
N_ROWS = 256
numbers = np.round(random.normal(size=(N_ROWS, 2)) * 32) / 32
numbers[random.random((N_ROWS, 2)) < 0.15] = np.nan
categories = random.choice(["a", "b", "c", "d", "e", None], p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.1], size=N_ROWS)
effects = {"a": 0.0, "b": 2.0, "c": -1.0, "d": 2.5, "e": -0.5, None: 1.0}
signal = (
    np.where(np.isnan(numbers[:, 0]), 1.5, np.abs(np.nan_to_num(numbers[:, 0])))
    - np.nan_to_num(numbers[:, 1], nan=0.5)
    + np.array([effects[category] for category in categories])
    + random.normal(scale=0.3, size=N_ROWS)
)
target = np.round(signal * 256) / 256
# A mean of few binary digits: the first row takes up what is too much.
target[0] += np.round(target.mean() * 4) / 4 * N_ROWS - target.sum()
counts = np.maximum(np.round(target), 0)

# Two classes of equally many rows, two of which one is rare, and three.
ranks = np.argsort(np.argsort(signal, kind="stable"))
halves = (ranks >= N_ROWS // 2).astype(int)
rare = (ranks >= N_ROWS - 40).astype(int)
thirds = np.digitize(ranks, [90, 200])

codes = np.array([np.nan if category is None else "abcde".index(category) for category in categories])
features = np.column_stack([numbers, codes])
settings = {"learning_rate": 1.0, "max_iter": 1, "min_samples_leaf": 5, "early_stopping": False}
few = {"max_iter": 20, "min_samples_leaf": 5, "early_stopping": False}


def regression(goal, columns, **changes):
    options = {"categorical_features": [2] if columns == 3 else None, **settings, **changes}
    model = HistGradientBoostingRegressor(**options).fit(features[:, :columns], goal)
    return model.predict(features[:, :columns]).tolist()


def classification(goal, columns, **changes):
    options = {"categorical_features": [2] if columns == 3 else None, **settings, **changes}
    model = HistGradientBoostingClassifier(**options).fit(features[:, :columns], goal)
    return model.predict_proba(features[:, :columns]).tolist()


def with_null(values):
    return [None if value != value else value for value in values]


reference = {
    "x0": with_null(numbers[:, 0].tolist()),
    "x1": with_null(numbers[:, 1].tolist()),
    "category": categories.tolist(),
    "number": target.tolist(),
    "count": counts.tolist(),
    "halves": halves.tolist(),
    "rare": rare.tolist(),
    "thirds": thirds.tolist(),
    "one_tree": regression(target, 2),
    "one_tree_l2": regression(target, 2, l2_regularization=3.0, max_leaf_nodes=8),
    "one_tree_depth": regression(target, 2, max_depth=3),
    "one_tree_categories": regression(target, 3),
    "trees": regression(target, 3, **few, learning_rate=0.1),
    "poisson": regression(counts, 2, **few, learning_rate=0.1, loss="poisson"),
    "halves_stump": classification(halves, 2, max_leaf_nodes=2),
    "halves_one_tree": classification(halves, 2),
    "halves_one_tree_categories": classification(halves, 3),
    "halves_trees": classification(halves, 2, **few, learning_rate=0.1),
    "rare_stump": classification(rare, 2, max_leaf_nodes=2),
    "rare_stumps": classification(rare, 2, **few, max_leaf_nodes=2, learning_rate=0.1),
    "rare_few_leaves": classification(rare, 2, **few, max_leaf_nodes=4, learning_rate=0.1),
    "rare_trees": classification(rare, 2, **{**few, "min_samples_leaf": 20}, learning_rate=0.1),
    "thirds_stump": classification(thirds, 2, max_leaf_nodes=2),
    "thirds_few_leaves": classification(thirds, 2, **few, max_leaf_nodes=4, learning_rate=0.1),
    "thirds_trees": classification(thirds, 2, **{**few, "min_samples_leaf": 20}, learning_rate=0.1),
}
with open("boosting.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
