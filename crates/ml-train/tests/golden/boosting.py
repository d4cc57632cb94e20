"""Writes boosting.json: what scikit-learn's gradient boosting on histograms predicts on small data.

Needs scikit-learn 1.9 and NumPy: `python boosting.py` in this folder.

scikit-learn keeps gradients as 32-bit floats. Numbers of few binary digits with a mean of few make those of the first tree
exact; later trees and other losses agree only as far as such floats do. Classes are not here: they do not agree yet.
"""

import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor

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

codes = np.array([np.nan if category is None else "abcde".index(category) for category in categories])
features = np.column_stack([numbers, codes])
settings = {"learning_rate": 1.0, "max_iter": 1, "min_samples_leaf": 5, "early_stopping": False}
few = {"max_iter": 20, "min_samples_leaf": 5, "early_stopping": False}


def regression(goal, columns, **changes):
    options = {"categorical_features": [2] if columns == 3 else None, **settings, **changes}
    model = HistGradientBoostingRegressor(**options).fit(features[:, :columns], goal)
    return model.predict(features[:, :columns]).tolist()


def with_null(values):
    return [None if value != value else value for value in values]


reference = {
    "x0": with_null(numbers[:, 0].tolist()),
    "x1": with_null(numbers[:, 1].tolist()),
    "category": categories.tolist(),
    "number": target.tolist(),
    "count": counts.tolist(),
    "one_tree": regression(target, 2),
    "one_tree_l2": regression(target, 2, l2_regularization=3.0, max_leaf_nodes=8),
    "one_tree_depth": regression(target, 2, max_depth=3),
    "one_tree_categories": regression(target, 3),
    "trees": regression(target, 3, **few, learning_rate=0.1),
    "poisson": regression(counts, 2, **few, learning_rate=0.1, loss="poisson"),
}
with open("boosting.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
