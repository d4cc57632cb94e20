"""Exports small scikit-learn models to ONNX, with what ONNX Runtime makes of some rows.

    pip install -r requirements.txt
    python generate.py            # writes NAME.onnx and golden.json into this folder

With the folder of the wheels that `transformers.py` names as its argument, it writes transformers.json as well.
"""

import json
import pathlib
import sys

import numpy as np
import onnxruntime
import pandas as pd
from onnx import TensorProto, numpy_helper
from onnx.helper import make_attribute, make_graph, make_model, make_node, make_opsetid, make_tensor_value_info
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import (
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

HERE = pathlib.Path(__file__).parent
FLOWERS, SPECIES = load_iris(return_X_y=True)
FLOWERS = FLOWERS.astype(np.float32)
NAMES = np.array(["setosa", "versicolor", "virginica"])[SPECIES]
PATIENTS, PROGRESS = (part.astype(np.float32) for part in load_diabetes(return_X_y=True))
TEXTS = np.array(
    [
        "A cup of tea", "The final whistle blew", "Bank rates rise", "Shares rise again", "Late goal in the cup final",
        "Rates cut by the bank", "Tea and toast", "No goal at all",
    ]
)  # fmt: skip
TOPICS = np.array(["life", "sport", "money", "money", "sport", "money", "life", "sport"])
# The words of the notes that the end-to-end tests make.
SPORT = "striker goal keeper league coach penalty stadium relay sprint medal referee cup"
ENERGY = "turbine grid reactor pipeline barrel solar battery refinery voltage coal gas dam"
NOTES, SUBJECTS = np.array([*SPORT.split(), *ENERGY.split()]), np.array(["sport"] * 12 + ["energy"] * 12)
PEOPLE = pd.DataFrame({"age": [20.0, 30, np.nan, 50, 60, 70] * 4, "city": ["Oslo", "Rome", "Bern", "Rome"] * 6})
ANSWERS = np.array((["yes", "no", "yes"] * 8))


def exported():
    """Returns the ONNX model and its rows for each name."""
    flowers, two = FLOWERS[::10], FLOWERS[:100:9]
    patients, gaps = PATIENTS[::40], PATIENTS[::40].copy()
    gaps[1, 2] = gaps[3, 8] = np.nan
    text = [("text", StringTensorType([None, 1]))]
    people = [("age", FloatTensorType([None, 1])), ("city", StringTensorType([None, 1]))]
    scaled = lambda model: make_pipeline(StandardScaler(), model)
    mixed = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age"]),
            ("categories", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    )
    unseen = PEOPLE[:7].copy()
    unseen.loc[5, "city"] = "Lima"
    fits = {
        "logistic": (scaled(LogisticRegression(max_iter=500)), FLOWERS, NAMES, flowers, None, {}),
        "logistic-two-numbers": (scaled(LogisticRegression()), FLOWERS[:100], SPECIES[:100], two, None, {}),
        "logistic-no-zipmap": (scaled(LogisticRegression()), FLOWERS, NAMES, flowers, None, {"zipmap": False}),
        "forest": (RandomForestClassifier(5, max_depth=4, random_state=0), FLOWERS, NAMES, flowers, None, {}),
        "forest-regression": (RandomForestRegressor(5, max_depth=4, random_state=0), PATIENTS, PROGRESS, patients, None, {}),
        "tree": (DecisionTreeClassifier(max_depth=3, random_state=0), FLOWERS, NAMES, flowers, None, {}),
        "boosting": (GradientBoostingClassifier(n_estimators=5, max_depth=2, random_state=0), FLOWERS, NAMES, flowers, None, {}),
        "hist-boosting": (HistGradientBoostingClassifier(max_iter=5), FLOWERS, NAMES, flowers, None, {}),
        "hist-boosting-two": (HistGradientBoostingClassifier(max_iter=5), FLOWERS[:100], NAMES[:100], two, None, {}),
        "hist-boosting-regression": (HistGradientBoostingRegressor(max_iter=8), PATIENTS, PROGRESS, gaps, None, {}),
        "ridge": (scaled(Ridge()), PATIENTS, PROGRESS, patients, None, {}),
        "support-vectors": (LinearSVC(), FLOWERS, NAMES, flowers, None, {}),
        "gaussian-bayes": (GaussianNB(), FLOWERS, NAMES, flowers, None, {}),
        "network": (scaled(MLPClassifier((8,), max_iter=400, random_state=0)), FLOWERS, NAMES, flowers, None, {}),
        "words": (make_pipeline(TfidfVectorizer(), LogisticRegression()), TEXTS, TOPICS, TEXTS, text, {}),
        "word-pairs": (make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), MultinomialNB()), TEXTS, TOPICS, TEXTS, text, {}),
        "notes": (make_pipeline(TfidfVectorizer(), LogisticRegression(C=100)), NOTES, SUBJECTS, NOTES[::5], text, {}),
        "mixed": (make_pipeline(mixed, LogisticRegression()), PEOPLE, ANSWERS, unseen, people, {}),
    }  # fmt: skip
    for name, (model, features, target, rows, types, options) in fits.items():
        model.fit(features, target)
        given = {"initial_types": types} if types else {"X": features[:1]}
        onnx = to_onnx(model, options=options or None, target_opset={"": 21, "ai.onnx.ml": 1} if types else None, **given)
        for node in onnx.graph.node:
            if node.op_type == "StringNormalizer":
                # Its default, en_US, is not installed everywhere; both change these texts alike.
                node.attribute.append(make_attribute("locale", "C.UTF-8"))
        yield name, onnx.SerializeToString(), rows


def perceptron():
    """Returns a network of the standard's own operators, whose graph does not name its classes."""
    model = MLPClassifier((8,), max_iter=400, random_state=1).fit(FLOWERS, NAMES)
    weights = {}
    for layer, (matrix, offsets) in enumerate(zip(model.coefs_, model.intercepts_)):
        weights |= {f"w{layer}": matrix.astype(np.float32), f"b{layer}": offsets.astype(np.float32)}
    nodes = [
        make_node("Gemm", ["X", "w0", "b0"], ["sums"]),
        make_node("Relu", ["sums"], ["hidden"]),
        make_node("Gemm", ["hidden", "w1", "b1"], ["logits"]),
        make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    inputs = [make_tensor_value_info("X", TensorProto.FLOAT, [None, 4])]
    outputs = [make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3])]
    constants = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = make_graph(nodes, "perceptron", inputs, outputs, constants)
    return make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=8).SerializeToString()


def columns_of(rows):
    """Returns the rows as columns by name, `None` for missing values."""
    if isinstance(rows, pd.DataFrame):
        columns = {name: rows[name].tolist() for name in rows}
    elif rows.dtype.kind == "U":
        columns = {"text": rows.tolist()}
    else:
        columns = {f"X_{position + 1}": rows[:, position].tolist() for position in range(rows.shape[1])}
    missing = lambda value: isinstance(value, float) and np.isnan(value)
    return {name: [None if missing(value) else value for value in values] for name, values in columns.items()}


def predicted(onnx, rows):
    """Returns what ONNX Runtime gives: labels and scores, or numbers."""
    session = onnxruntime.InferenceSession(onnx, providers=["CPUExecutionProvider"])
    if isinstance(rows, pd.DataFrame):
        given = {"age": rows[["age"]].to_numpy(np.float32), "city": rows[["city"]].to_numpy(object)}
    elif rows.dtype.kind == "U":
        given = {"text": rows.reshape(-1, 1).astype(object)}
    else:
        given = {"X": rows.astype(np.float32)}
    outputs = session.run(None, given)
    if outputs[0].ndim == 2 and outputs[0].shape[1] == 3:
        # Its classes, which the test names, are in the order of their names.
        labels = np.unique(NAMES)[outputs[0].argmax(axis=1)]
        return {"labels": labels.tolist(), "scores": outputs[0].astype(float).tolist()}
    if len(outputs) == 1:
        return {"numbers": outputs[0].ravel().tolist()}
    labels, scores = outputs
    if isinstance(scores, list):
        scores = np.array([list(row.values()) for row in scores])
    return {"labels": [str(label) for label in labels], "scores": np.asarray(scores, dtype=float).tolist()}


def main():
    golden = {}
    for name, onnx, rows in exported():
        (HERE / f"{name}.onnx").write_bytes(onnx)
        golden[name] = {"columns": columns_of(rows)} | predicted(onnx, rows)
    onnx, rows = perceptron(), FLOWERS[::10]
    (HERE / "perceptron.onnx").write_bytes(onnx)
    golden["perceptron"] = {"columns": columns_of(rows)} | predicted(onnx, rows)
    (HERE / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")
    if len(sys.argv) > 1:
        from transformers import outputs

        (HERE / "transformers.json").write_text(json.dumps(outputs(pathlib.Path(sys.argv[1])), indent=1) + "\n")


if __name__ == "__main__":
    main()
