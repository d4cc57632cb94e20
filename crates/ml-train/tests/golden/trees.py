"""Writes trees.json: what scikit-learn's trees say of new rows, and how well its forests do there.

Needs scikit-learn 1.9 and NumPy: `python trees.py` in this folder.
"""

import json

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

N_TRAIN, N_SEEDS = 300, 10
random = np.random.default_rng(5)
features = np.round(random.normal(size=(500, 4)), 4)
features[:, 3] = random.integers(0, 5, size=500)
signal = np.sin(2 * features[:, 0]) + features[:, 1] * (features[:, 3] > 2) + 0.3 * features[:, 2]
numbers = np.round(signal + random.normal(scale=0.3, size=500), 4)
classes = np.digitize(signal + random.normal(scale=0.3, size=500), [-0.5, 0.7])
train, test = slice(0, N_TRAIN), slice(N_TRAIN, None)

CLASS_SETTINGS = [
    {"max_depth": 1},
    {"max_depth": 2},
    {"max_depth": 3, "min_samples_leaf": 20},
    {"min_samples_leaf": 25},
    {"min_samples_split": 60, "min_samples_leaf": 12},
]
NUMBER_SETTINGS = [{"max_depth": 1}, {"max_depth": 3}, {"min_samples_leaf": 10}, {"min_samples_split": 40, "min_samples_leaf": 5}]


def tree(kind, target, settings, say):
    """The answer must not depend on the seed, which decides between splits that are equally good."""
    answers = [
        say(kind(random_state=seed, **settings).fit(features[train], target[train]), features[test]).tolist()
        for seed in range(N_SEEDS)
    ]
    assert np.allclose(answers, answers[0], rtol=0.0, atol=1e-12), settings
    return {"settings": settings, "answers": answers[0]}


def scores(kind, target):
    found = [
        kind(random_state=seed).fit(features[train], target[train]).score(features[test], target[test])
        for seed in range(2 * N_SEEDS)
    ]
    return {"least": min(found), "most": max(found)}


reference = {
    "n_train": N_TRAIN,
    "features": features.tolist(),
    "numbers": numbers.tolist(),
    "classes": classes.tolist(),
    "class_trees": [
        tree(DecisionTreeClassifier, classes, settings, lambda fitted, rows: fitted.predict_proba(rows))
        for settings in CLASS_SETTINGS
    ],
    "number_trees": [
        tree(DecisionTreeRegressor, numbers, settings, lambda fitted, rows: fitted.predict(rows))
        for settings in NUMBER_SETTINGS
    ],
    "forest_accuracy": scores(RandomForestClassifier, classes),
    "forest_r2": scores(RandomForestRegressor, numbers),
}
with open("trees.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
