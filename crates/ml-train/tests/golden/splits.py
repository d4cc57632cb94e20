"""Writes splits.json: the folds of scikit-learn's splitters without shuffling.

Needs scikit-learn 1.9 and NumPy: `python splits.py` in this folder.
"""

import json

import numpy as np
import sklearn
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

N_ROWS = 103
rng = np.random.default_rng(11)
# Classes of 60, 30 and 13 rows in random order; groups of 1 to 20 rows, some of the same size.
classes = rng.permutation(np.repeat(["b", "a", "c"], [60, 30, 13]))
groups = rng.permutation(np.repeat(np.arange(14), [1, 1, 2, 3, 3, 5, 6, 7, 8, 10, 10, 12, 15, 20]))
times = rng.permutation(N_ROWS)


def folds(splitter, y=None, groups=None, order=None):
    rows = np.arange(N_ROWS) if order is None else order
    parts = splitter.split(np.zeros(N_ROWS), y, groups)
    return [[sorted(map(int, rows[train])), sorted(map(int, rows[test]))] for train, test in parts]


in_time = np.argsort(times)
cases = {
    "{ by: k_fold, folds: 4, shuffle: false }": folds(KFold(4)),
    "{ by: k_fold, folds: 11, shuffle: false }": folds(KFold(11)),
    "{ by: stratified, folds: 5, shuffle: false }": folds(StratifiedKFold(5), classes),
    "{ by: stratified, folds: 13, shuffle: false }": folds(StratifiedKFold(13), classes),
    "{ by: group, column: group, folds: 4 }": folds(GroupKFold(4), groups=groups),
    "{ by: group, column: group, folds: 14 }": folds(GroupKFold(14), groups=groups),
    "{ by: stratified_group, column: group, folds: 3 }": folds(StratifiedGroupKFold(3), classes, groups),
    "{ by: stratified_group, column: group, folds: 5 }": folds(StratifiedGroupKFold(5), classes, groups),
    "{ by: time, column: time, folds: 5 }": folds(TimeSeriesSplit(5), order=in_time),
    "{ by: time, column: time, folds: 4, gap: 3 }": folds(TimeSeriesSplit(4, gap=3), order=in_time),
    "{ by: time, column: time, folds: 3, window: 20, validation: 10, gap: 2 }": folds(
        TimeSeriesSplit(3, max_train_size=20, test_size=10, gap=2), order=in_time
    ),
}
reference = {
    "scikit_learn": sklearn.__version__,
    "classes": classes.tolist(),
    "groups": groups.tolist(),
    "times": times.tolist(),
    "cases": cases,
}
with open("splits.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
