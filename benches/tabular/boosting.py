#!/usr/bin/env python3
"""Fits scikit-learn's gradient boosting on histograms to the train split of a CSV file and scores its test split: the
yardstick of `cargo xtask bench tabular`.

`native` hands categories over as what they are; `one_hot` spreads them over columns and scales numbers first, as most
pipelines do. All other settings are scikit-learn's. Reading the file is not timed.

Usage: boosting.py SET DATA.csv.gz native|one_hot FIGURES.json
"""

import json
import sys
import time

import pandas
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

SETS = {
    "adult-census": {
        "target": "income",
        "positive": ">50K",
        "numbers": ["age", "fnlwgt", "education_num", "capital_gain", "capital_loss", "hours_per_week"],
        "categories": [
            "workclass",
            "education",
            "marital_status",
            "occupation",
            "relationship",
            "race",
            "sex",
            "native_country",
        ],
    },
    "king-county-sales": {
        "target": "price",
        "numbers": [
            "bedrooms",
            "bathrooms",
            "sqft_living",
            "sqft_lot",
            "floors",
            "waterfront",
            "view",
            "condition",
            "grade",
            "sqft_above",
            "sqft_basement",
            "yr_built",
            "yr_renovated",
            "lat",
            "long",
            "sqft_living15",
            "sqft_lot15",
        ],
        "categories": ["zipcode"],
    },
}


def pipeline(columns, variant):
    kind = HistGradientBoostingClassifier if "positive" in columns else HistGradientBoostingRegressor
    numbers, categories = columns["numbers"], columns["categories"]
    if variant == "one_hot":
        features = make_column_transformer(
            (StandardScaler(), numbers),
            (OneHotEncoder(handle_unknown="ignore", sparse_output=False), categories),
        )
        return make_pipeline(features, kind(random_state=0))
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=float("nan"))
    features = make_column_transformer((codes, categories), ("passthrough", numbers))
    return make_pipeline(features, kind(categorical_features=list(range(len(categories))), random_state=0))


def main():
    name, data, variant, figures = sys.argv[1:]
    columns = SETS[name]
    table = pandas.read_csv(data)
    train, test = table[table["split"] == "train"], table[table["split"] == "test"]
    inputs, target = columns["numbers"] + columns["categories"], columns["target"]
    train_inputs, test_inputs = train[inputs], test[inputs]
    model = pipeline(columns, variant)

    start = time.perf_counter()
    model.fit(train_inputs, train[target])
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    predictions = model.predict_proba(test_inputs) if "positive" in columns else model.predict(test_inputs)
    score_seconds = time.perf_counter() - start

    if "positive" in columns:
        is_positive = (test[target] == columns["positive"]).to_numpy()
        place = list(model.classes_).index(columns["positive"])
        scores = {
            "accuracy": accuracy_score(is_positive, predictions[:, place] > 0.5),
            "roc_auc": roc_auc_score(is_positive, predictions[:, place]),
        }
    else:
        scores = {"r2": r2_score(test[target], predictions)}
    with open(figures, "w") as file:
        json.dump({"fit_seconds": fit_seconds, "score_seconds": score_seconds, "scores": scores}, file)


if __name__ == "__main__":
    main()
