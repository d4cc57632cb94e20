#!/usr/bin/env python3
"""Fits scikit-learn's counterpart of a pipeline file to the train split of a JSONL file and scores its test split: the
yardstick of `cargo xtask bench text`. Reading the file is not timed.

Usage: text.py PIPELINE.yaml DATA.jsonl[.gz] default|same FIGURES.json
"""

import json
import sys
import time

from counterpart import counterpart, read_pipeline, read_rows
from sklearn.metrics import accuracy_score, f1_score


def main():
    pipeline, data, tolerance, figures = sys.argv[1:]
    spec = read_pipeline(pipeline)
    splits = read_rows(data, spec)
    (train, train_target), (test, test_target) = splits["train"], splits["test"]
    model = counterpart(spec, tolerance)

    start = time.perf_counter()
    model.fit(train, train_target)
    fit_seconds = time.perf_counter() - start
    start = time.perf_counter()
    predicted = model.predict(test)
    score_seconds = time.perf_counter() - start

    scores = {
        "accuracy": accuracy_score(test_target, predicted),
        "f1_macro": f1_score(test_target, predicted, average="macro"),
    }
    by_class = f1_score(test_target, predicted, average=None, labels=model.classes_)
    scores.update({f"f1_{label}": f1 for label, f1 in zip(model.classes_, by_class)})
    with open(figures, "w") as file:
        json.dump({"fit_seconds": fit_seconds, "score_seconds": score_seconds, "scores": scores}, file)


if __name__ == "__main__":
    main()
