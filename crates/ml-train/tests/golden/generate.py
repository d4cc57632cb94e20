"""Writes tfidf.json and estimators.json: scikit-learn's results on small data.

Needs scikit-learn 1.9 and NumPy: `python generate.py` in this folder.
"""

import json

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
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
]


def tfidf(settings):
    vectorizer = TfidfVectorizer(
        ngram_range=tuple(settings.get("ngrams", [1, 1])),
        min_df=settings.get("min_df", 1),
        max_df=settings.get("max_df", 1.0),
        max_features=settings.get("max_features"),
        sublinear_tf=settings.get("sublinear_tf", False),
        lowercase=settings.get("lowercase", True),
        stop_words=settings.get("stop_words"),
    )
    weights = vectorizer.fit_transform(DOCUMENTS)
    new = vectorizer.transform(["A warm unseen cat on the cat's mat", "unseen"])
    return {
        "settings": settings,
        "terms": vectorizer.get_feature_names_out().tolist(),
        "idf": vectorizer.idf_.tolist(),
        "weights": weights.toarray().tolist(),
        "new_weights": new.toarray().tolist(),
    }


with open("tfidf.json", "w") as file:
    cases = {
        "documents": DOCUMENTS,
        "new_documents": ["A warm unseen cat on the cat's mat", "unseen"],
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
    "gaussian_naive_bayes": probabilities(GaussianNB(), classes),
    "ridge": {"predictions": Ridge(alpha=2.0).fit(features, numbers).predict(features).tolist()},
    "linear_regression": {"predictions": LinearRegression().fit(features, numbers).predict(features).tolist()},
}
with open("estimators.json", "w") as file:
    json.dump(reference, file, separators=(",", ":"))
    file.write("\n")
