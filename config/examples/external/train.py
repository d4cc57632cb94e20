"""Fits a random forest on the columns that a pipeline names, and answers with an ONNX model.

The contract is in docs/extending.md. Needs: pip install pandas pyarrow scikit-learn skl2onnx "protobuf<7"
"""

import json
import os

import pyarrow.parquet
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

with open(os.environ["ML_EXTERNAL_REQUEST"]) as file:
    request = json.load(file)

rows = pyarrow.parquet.read_table(request["train"]).to_pandas()
columns = [column["name"] for column in request["columns"]]
features, target = rows[columns].to_numpy("float32"), rows[request["target"]]

is_classification = request["task"] == "classification"
forest = RandomForestClassifier if is_classification else RandomForestRegressor
model = forest(request["settings"].get("trees", 100), random_state=request["seed"])
model.fit(features, target.astype(str) if is_classification else target)

onnx = to_onnx(model, initial_types=[("X", FloatTensorType([None, len(columns)]))])
with open(os.path.join(os.environ["ML_EXTERNAL_OUTPUT"], "model.onnx"), "wb") as file:
    file.write(onnx.SerializeToString())
