"""The scikit-learn pipeline of the same kind, and with the same settings, as a pipeline file; and the rows it is for."""

import gzip
import json

import yaml
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, MultinomialNB
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC


def read_pipeline(path):
    with open(path) as file:
        return yaml.safe_load(file)


def read_rows(path, spec):
    """Returns the rows of a JSONL file by split: what the pipeline reads, and the target."""
    splits = {}
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as file:
        for line in file:
            row = json.loads(line)
            inputs, target = splits.setdefault(row["split"], ([], []))
            inputs.append(row)
            target.append(row[spec["target"]])
    return splits


def joined(columns):
    """Several columns of text are one document, joined by a newline; missing ones are left out."""
    return lambda rows: ["\n".join(row[column] for column in columns if row[column] is not None) for row in rows]


def vectorizer(settings):
    return TfidfVectorizer(
        analyzer=settings.get("analyzer", "word"),
        ngram_range=tuple(settings.get("ngrams", (1, 1))),
        min_df=settings.get("min_df", 1),
        max_df=settings.get("max_df", 1.0),
        max_features=settings.get("max_features"),
        sublinear_tf=settings.get("sublinear_tf", False),
        binary=settings.get("binary", False),
        lowercase=settings.get("lowercase", True),
        stop_words={"none": None}.get(settings.get("stop_words"), settings.get("stop_words")),
    )


def features(spec):
    parts = []
    for number, group in enumerate(spec["features"]):
        (step,) = group["steps"]
        settings = step["tfidf"] if isinstance(step, dict) else {}
        text = FunctionTransformer(joined(group["columns"]))
        parts.append((str(number), Pipeline([("text", text), ("tfidf", vectorizer(settings))])))
    return parts[0][1] if len(parts) == 1 else FeatureUnion(parts)


def estimator(settings, tolerance):
    """Returns the estimator; `tolerance` is `default` for scikit-learn's, or `same` for that of the pipeline."""
    kind = settings["kind"]
    shared = {"class_weight": {"none": None}.get(settings.get("class_weight", "none"), "balanced")}
    shared["C"] = settings.get("c", 1.0)
    if kind == "linear_svm":
        if tolerance == "same":
            shared["tol"] = settings.get("tolerance", 0.1)
        svm = LinearSVC(random_state=0, **shared)
        return CalibratedClassifierCV(svm, ensemble=False) if settings.get("probabilities") == "sigmoid" else svm
    if kind == "logistic_regression":
        if tolerance == "same":
            shared["tol"] = settings.get("tolerance", 0.01)
        if settings.get("classes") == "multinomial":
            return LogisticRegression(max_iter=1000, **shared)
        return OneVsRestClassifier(LogisticRegression(solver="liblinear", max_iter=1000, **shared))
    if kind == "multinomial_naive_bayes":
        return MultinomialNB(alpha=settings.get("alpha", 1.0))
    if kind == "complement_naive_bayes":
        return ComplementNB(alpha=settings.get("alpha", 1.0))
    raise SystemExit(f"there is no counterpart of `{kind}`")


def counterpart(spec, tolerance="default"):
    return Pipeline([("features", features(spec)), ("estimator", estimator(spec["estimator"], tolerance))])
