"""Writes tfidf.json and estimators.json: scikit-learn's results on small data.

Needs scikit-learn 1.9 and NumPy: `python generate.py` in this folder.
"""

import json

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import PredefinedSplit
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

DOCUMENTS = [
    "The cat sat on the mat. The mat was warm!",
    "A dog's day: dogs, dog and DOGS; e-mail me at dog_1@example.org",
    "Élan vital — Straße, STRASSE, ΟΔΟΣ and οδός",
    "日本語 テキスト 42 x² 3.14",
    "",
    "I a ! ?",
    "the the the the cat",
    "naïve cafés; İstanbul'da bir gün; हिन्दी में पाठ",
    "warm cat, warm dog, warm mat: a cat and a dog on the mat",
]
SETTINGS = [
    {},
    {"ngrams": [1, 2]},
    {"ngrams": [2, 3], "sublinear_tf": True},
    {"min_df": 2},
    {"min_df": 0.2, "max_df": 0.4},
    {"max_df": 3, "lowercase": False},
    {"stop_words": "english", "ngrams": [1, 2]},
    {"max_features": 1},
    {"analyzer": "char", "ngrams": [1, 3]},
    {"analyzer": "char", "ngrams": [2, 2], "lowercase": False, "binary": True},
    {"analyzer": "char_wb", "ngrams": [1, 1]},
    {"analyzer": "char_wb", "ngrams": [2, 5], "sublinear_tf": True, "min_df": 2},
    {"analyzer": "char_wb", "ngrams": [4, 6]},
    {"binary": True, "norm": "l1"},
    {"idf": False, "norm": "none", "ngrams": [1, 2]},
    {"stop_words": ["dog", "cat", "warm"], "max_df": 0.5},
    {"hash": {"features": 32, "signed": True}},
    {"hash": {"features": 7, "signed": True}, "idf": False, "norm": "l1"},
    {"hash": {"features": 16, "signed": False}, "sublinear_tf": True, "analyzer": "char_wb", "ngrams": [3, 4]},
    {"hash": {"features": 5, "signed": True}, "binary": True},
]
NEW_DOCUMENTS = ["A warm unseen cat on the cat's mat", "unseen", " Tab\tand \n\n  newlines\x1c here \u3000wide", ""]


def vectorizer(settings):
    norm = {"none": None}.get(settings.get("norm", "l2"), settings.get("norm", "l2"))
    cuts = {
        "analyzer": settings.get("analyzer", "word"),
        "ngram_range": tuple(settings.get("ngrams", [1, 1])),
        "binary": settings.get("binary", False),
        "lowercase": settings.get("lowercase", True),
        "stop_words": settings.get("stop_words"),
    }
    weights = {
        "norm": norm,
        "use_idf": settings.get("idf", True),
        "sublinear_tf": settings.get("sublinear_tf", False),
    }
    if "hash" in settings:
        number, signed = settings["hash"]["features"], settings["hash"]["signed"]
        hashing = HashingVectorizer(n_features=number, alternate_sign=signed, norm=None, **cuts)
        return make_pipeline(hashing, TfidfTransformer(**weights))
    return TfidfVectorizer(
        min_df=settings.get("min_df", 1),
        max_df=settings.get("max_df", 1.0),
        max_features=settings.get("max_features"),
        **cuts,
        **weights,
    )


def tfidf(settings):
    fitted = vectorizer(settings)
    weights = fitted.fit_transform(DOCUMENTS)
    last = fitted[-1] if "hash" in settings else fitted
    return {
        "settings": settings,
        "terms": None if "hash" in settings else fitted.get_feature_names_out().tolist(),
        "idf": last.idf_.tolist() if settings.get("idf", True) else [],
        "weights": weights.toarray().tolist(),
        "new_weights": fitted.transform(NEW_DOCUMENTS).toarray().tolist(),
    }


with open("tfidf.json", "w") as file:
    cases = {
        "documents": DOCUMENTS,
        "new_documents": NEW_DOCUMENTS,
        "cases": [tfidf(settings) for settings in SETTINGS],
    }
    json.dump(cases, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")

random = np.random.default_rng(7)
features = np.round(random.normal(size=(60, 3)), 3)
numbers = np.round(features @ [1.5, -2.0, 0.5] + 3.0 + random.normal(scale=0.3, size=60), 3)
classes = (features @ [[1.0, -1.0, 0.0], [0.5, 1.0, -1.0], [0.0, 0.5, 1.0]] + random.normal(size=(60, 3))).argmax(axis=1)
halves = (classes > 0).astype(int)


def decision(model, target, x=features):
    return {"scores": np.asarray(model.fit(x, target).decision_function(x)).tolist()}


def probabilities(model, target, x=features):
    return {"probabilities": model.fit(x, target).predict_proba(x).tolist()}


tight = {"tol": 1e-10, "max_iter": 100000}
balanced = {"class_weight": "balanced"}


def calibrated(target):
    """The rows of each class are dealt out to five folds in turn."""
    folds = [int((target[:row] == target[row]).sum()) % 5 for row in range(len(target))]
    svm = LinearSVC(C=1.0, dual=True, **tight)
    return CalibratedClassifierCV(svm, method="sigmoid", cv=PredefinedSplit(folds), ensemble=False)


def saga(l1_ratio, **settings):
    return LogisticRegression(C=1.0, solver="saga", l1_ratio=l1_ratio, random_state=0, **tight, **settings)


reference = {
    "features": features.tolist(),
    "numbers": numbers.tolist(),
    "classes": classes.tolist(),
    "halves": halves.tolist(),
    "linear_svm": decision(LinearSVC(C=1.0, dual=True, **tight), classes),
    "linear_svm_halves": decision(LinearSVC(C=0.5, dual=True, **tight), halves),
    "linear_svm_balanced": decision(LinearSVC(C=1.0, dual=True, class_weight="balanced", **tight), halves),
    "logistic_regression_halves": probabilities(
        LogisticRegression(C=1.0, solver="liblinear", dual=True, **tight), halves
    ),
    "softmax_regression": probabilities(LogisticRegression(C=1.0, **tight), classes),
    "multinomial_naive_bayes": probabilities(MultinomialNB(alpha=0.5), classes, np.abs(features)),
    "complement_naive_bayes": probabilities(ComplementNB(alpha=0.5), classes, np.abs(features)),
    "complement_naive_bayes_norm": probabilities(ComplementNB(alpha=0.5, norm=True), classes, np.abs(features)),
    "multinomial_balanced": probabilities(LogisticRegression(C=2.0, **tight, **balanced), classes),
    "multinomial_halves": probabilities(LogisticRegression(C=2.0, **tight), halves),
    "multinomial_l1": probabilities(saga(1.0), classes),
    "multinomial_elastic_net": probabilities(saga(0.5), classes),
    "logistic_regression_l1": probabilities(saga(1.0), halves),
    "one_vs_rest_elastic_net": probabilities(OneVsRestClassifier(saga(0.3)), classes),
    "linear_svm_l1": decision(LinearSVC(C=1.0, penalty="l1", dual=False, **tight), classes),
    "linear_svm_sigmoid": probabilities(calibrated(classes), classes),
    "linear_svm_sigmoid_halves": probabilities(calibrated(halves), halves),
    "gaussian_naive_bayes": probabilities(GaussianNB(), classes),
    "ridge": {"predictions": Ridge(alpha=2.0).fit(features, numbers).predict(features).tolist()},
    "linear_regression": {"predictions": LinearRegression().fit(features, numbers).predict(features).tolist()},
}
with open("estimators.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
