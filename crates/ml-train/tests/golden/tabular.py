"""Writes tabular.json: what scikit-learn's estimators for tables give on small data.

Needs scikit-learn 1.9 and NumPy: `python tabular.py` in this folder.
"""

import json

import numpy as np
from sklearn.cluster import DBSCAN, KMeans
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.metrics import roc_auc_score
from sklearn.svm import SVC, SVR

random = np.random.default_rng(3)
features = np.round(random.normal(size=(80, 4)), 3)
numbers = np.round(features @ [1.5, -2.0, 0.0, 0.1] + np.sin(features[:, 0]) + random.normal(scale=0.2, size=80), 3)
halves = (np.abs(features[:, 0]) + features[:, 1] > 0.8).astype(int)

# Three groups, and rows far from all of them.
centres = np.array([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]])
points = np.vstack([centre + random.normal(scale=0.5, size=(30, 2)) for centre in centres] + [random.uniform(-8, 14, size=(12, 2))])
points = np.round(points, 3)
groups = np.repeat([0, 1, 2, 3], [30, 30, 30, 12])

tight = {"tol": 1e-12, "max_iter": 100000}
exact = {"tol": 1e-10}


def predicted(model):
    return model.fit(features, numbers).predict(features).tolist()


def decided(model):
    return model.fit(features, halves).decision_function(features).tolist()


k_means = KMeans(4, n_init=10, random_state=0).fit(points)
areas = [
    roc_auc_score(groups == 3, -IsolationForest(random_state=seed).fit(points).score_samples(points)) for seed in range(20)
]
reference = {
    "features": features.tolist(),
    "numbers": numbers.tolist(),
    "halves": halves.tolist(),
    "lasso": predicted(Lasso(alpha=0.1, **tight)),
    "elastic_net": predicted(ElasticNet(alpha=0.2, l1_ratio=0.3, **tight)),
    "svr_rbf": predicted(SVR(C=2.0, epsilon=0.05, **exact)),
    "svr_linear": predicted(SVR(kernel="linear", **exact)),
    "svc_rbf": decided(SVC(C=2.0, **exact)),
    "svc_polynomial": decided(SVC(kernel="poly", degree=2, coef0=1.0, gamma="auto", **exact)),
    "points": points.tolist(),
    "groups": groups.tolist(),
    "k_means_inertia": float(k_means.inertia_),
    "dbscan": DBSCAN(eps=0.7, min_samples=4).fit_predict(points).tolist(),
    "isolation_area": {"least": min(areas), "most": max(areas)},
}
with open("tabular.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
