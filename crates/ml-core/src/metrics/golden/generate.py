"""Writes cases.json: truths, predictions and scikit-learn's figures for them.

Needs scikit-learn 1.9, NumPy and SciPy: `python generate.py` in this folder.
"""

import json
import warnings

import numpy as np
from scipy.stats import pearsonr
from sklearn import metrics
from sklearn.calibration import calibration_curve

warnings.filterwarnings("ignore")
random = np.random.default_rng(20130208)


def scores_of(truth, predicted):
    figures = {"accuracy": metrics.accuracy_score(truth, predicted)}
    for average in ["macro", "micro", "weighted"]:
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            truth, predicted, average=average, zero_division=0
        )
        figures[average] = {"precision": precision, "recall": recall, "f1": f1}
    return figures


def reliability(probability, outcome):
    """The bins of scikit-learn, and from them the expected calibration error of Naeini and others (2015)."""
    observed, mean = calibration_curve(outcome, probability, n_bins=10)
    edges = np.linspace(0, 1, 11)
    # As scikit-learn assigns rows to bins.
    counts = np.bincount(np.searchsorted(edges[1:-1], probability), minlength=10)
    counts = counts[counts > 0]
    error = (counts * np.abs(observed - mean)).sum() / counts.sum()
    return {"observed": observed.tolist(), "mean": mean.tolist(), "counts": counts.tolist(), "error": error}


def classification(name, n_rows, n_classes, skill, ties=False, absent=()):
    truth = random.integers(0, n_classes, n_rows)
    for label in absent:
        truth[truth == label] = 0
    scores = random.normal(size=(n_rows, n_classes))
    scores[np.arange(n_rows), truth] += skill
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    if ties:
        probabilities = np.round(probabilities * 4) / 4 + 1e-3
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    labels = list(range(n_classes))
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    case = {
        "name": name,
        "n_classes": n_classes,
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "probabilities": probabilities.ravel().tolist(),
        "scores": scores_of(truth, predicted),
        "per_class": [
            {"precision": p, "recall": r, "f1": f, "support": int(s)}
            for p, r, f, s in zip(precision, recall, f1, support)
        ],
        "confusion": metrics.confusion_matrix(truth, predicted, labels=labels).tolist(),
        "log_loss": metrics.log_loss(truth, probabilities, labels=labels),
    }
    case["balanced_accuracy"] = metrics.balanced_accuracy_score(truth, predicted)
    case["mcc"] = metrics.matthews_corrcoef(truth, predicted)
    case["cohen_kappa"] = metrics.cohen_kappa_score(truth, predicted)
    case["brier"] = metrics.brier_score_loss(truth, probabilities, labels=labels, scale_by_half=False)
    case["reliability"] = reliability(probabilities.max(axis=1), predicted == truth)
    if not absent:
        case["average_precision_macro"] = np.mean(
            [metrics.average_precision_score(truth == label, probabilities[:, label]) for label in labels]
        )
    if n_classes == 2:
        case["brier_binary"] = metrics.brier_score_loss(truth, probabilities[:, 1])
        case["average_precision"] = metrics.average_precision_score(truth, probabilities[:, 1])
        fpr, tpr, thresholds = metrics.roc_curve(truth, probabilities[:, 1], drop_intermediate=False)
        case["roc_curve"] = {"fpr": fpr[1:].tolist(), "tpr": tpr[1:].tolist(), "thresholds": thresholds[1:].tolist()}
        precision, recall, _ = metrics.precision_recall_curve(truth, probabilities[:, 1])
        case["precision_recall_curve"] = {
            "precision": precision[-2::-1].tolist(),
            "recall": recall[-2::-1].tolist(),
        }
        case["roc_auc"] = metrics.roc_auc_score(truth, probabilities[:, 1])
    elif not absent:
        for average in ["macro", "weighted"]:
            case[f"roc_auc_ovr_{average}"] = metrics.roc_auc_score(
                truth, probabilities, multi_class="ovr", average=average, labels=labels
            )
    return case


def regression(name, truth, predicted):
    return {
        "name": name,
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "mae": metrics.mean_absolute_error(truth, predicted),
        "rmse": metrics.root_mean_squared_error(truth, predicted),
        "r2": metrics.r2_score(truth, predicted),
        "median_absolute_error": metrics.median_absolute_error(truth, predicted),
        "explained_variance": metrics.explained_variance_score(truth, predicted),
        "max_error": metrics.max_error(truth, predicted),
        "pinball": metrics.mean_pinball_loss(truth, predicted, alpha=0.9),
        "pearson_r": pearsonr(truth, predicted).statistic if np.ptp(truth) > 0 else None,
        "mape": metrics.mean_absolute_percentage_error(truth, predicted),
    }


normal = random.normal(size=40)
prices = np.exp(random.normal(12, 1, size=50))
cases = {
    "classification": [
        classification("two classes", 40, 2, 1.0),
        classification("two classes with ties", 40, 2, 0.5, ties=True),
        classification("four classes", 60, 4, 1.0),
        classification("four classes with ties", 60, 4, 1.0, ties=True),
        classification("a class without rows", 30, 5, 0.3, absent=[3]),
        classification("no skill", 25, 3, 0.0),
    ],
    "regression": [
        regression("normal", normal, normal + random.normal(size=40)),
        regression("prices", prices, prices * np.exp(random.normal(0, 0.2, size=50))),
        regression("zeros in the truth", np.array([0.0, 1.0, -2.0]), np.array([0.5, 1.0, -1.0])),
        regression("constant truth, missed", np.array([2.0, 2.0]), np.array([2.0, 3.0])),
        regression("worse than the mean", np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])),
    ],
}
with open("cases.json", "w") as file:
    json.dump(cases, file, separators=(",", ":"))
    file.write("\n")
