#!/usr/bin/env python3
"""Compares settings of a text pipeline by cross-validation on the train split alone; this is how those in
config/pipelines were chosen. The test split is not read. Small sets need several repeats with other folds.

Each `KEY=VALUE` is a line of alternatives, VALUES in YAML, for a key of the estimator (`estimator.c=[0.3,1,3]`) or of all
of `features` (`features=[…]`); every combination is tried.

Usage: choose.py PIPELINE.yaml DATA.jsonl[.gz] REPEATS [KEY=VALUES…]
"""

import itertools
import sys
import time

import numpy
import yaml
from counterpart import counterpart, estimator, features, read_pipeline, read_rows
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import RepeatedStratifiedKFold


def main():
    pipeline, data, repeats, *alternatives = sys.argv[1:]
    spec = read_pipeline(pipeline)
    rows, target = read_rows(data, spec)["train"]
    rows, target = numpy.array(rows, dtype=object), numpy.array(target)
    folds = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=int(repeats), random_state=0).split(rows, target))
    options = [(key, yaml.safe_load(values)) for key, values in (line.split("=", 1) for line in alternatives)]
    of_features = dict(options).get("features", [spec["features"]])
    options = [(key, values) for key, values in options if key != "features"]
    for groups in of_features:
        spec["features"] = groups
        start = time.perf_counter()
        matrices = []
        for train, test in folds:
            vectorizer = features(spec)
            matrices.append((vectorizer.fit_transform(rows[train]), vectorizer.transform(rows[test])))
        seconds = time.perf_counter() - start
        print(f"\n{yaml.safe_dump(groups, default_flow_style=True, width=1000).strip()}, {seconds:.1f} s", flush=True)
        for chosen in itertools.product(*(values for _, values in options)):
            settings = dict(spec["estimator"])
            settings.update({key.removeprefix("estimator."): value for (key, _), value in zip(options, chosen)})
            scores = []
            start = time.perf_counter()
            for (train, test), (train_features, test_features) in zip(folds, matrices):
                model = estimator(settings, "same").fit(train_features, target[train])
                predicted = model.predict(test_features)
                macro = f1_score(target[test], predicted, average="macro")
                scores.append((accuracy_score(target[test], predicted), macro))
            seconds = time.perf_counter() - start
            (accuracy, f1), (spread, _) = numpy.mean(scores, axis=0), numpy.std(scores, axis=0)
            print(f"  accuracy {accuracy:.4f} ± {spread:.4f}, macro F1 {f1:.4f}, {seconds:.1f} s  {settings}", flush=True)


if __name__ == "__main__":
    main()
