"""Writes steps.json: what scikit-learn's and pandas' counterparts of steps and derived columns give on small data.

Needs scikit-learn 1.9, pandas 3 and NumPy: `python steps.py` in this folder.
"""

import json

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.feature_extraction import FeatureHasher
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import KBinsDiscretizer, PolynomialFeatures, RobustScaler, TargetEncoder

random = np.random.default_rng(5)
N_ROWS = 60
numbers = np.round(random.normal(size=(N_ROWS, 3)) * [1.0, 50.0, 0.01], 4)
categories = random.choice(["red", "green", "blue", "grün", "x"], p=[0.4, 0.3, 0.2, 0.05, 0.05], size=N_ROWS)
sizes = random.choice(["S", "M", "L"], size=N_ROWS)
target = np.round(numbers[:, 0] * 2 + (categories == "red") + random.normal(size=N_ROWS), 4)
halves = np.where(target > 0.5, "yes", "no")
thirds = np.where(target > 1, "high", np.where(target > -1, "middle", "low"))
pairs = np.column_stack([categories, sizes])


def listed(values):
    return np.asarray(values, dtype=float).tolist()


def bins(strategy, n_bins=4):
    step = KBinsDiscretizer(n_bins, strategy=strategy, encode="ordinal", subsample=None)
    values = step.fit_transform(numbers)
    return {"cuts": [listed(edges[1:-1]) for edges in step.bin_edges_], "values": listed(values)}


def encoded(goal, smooth, kind):
    folds = KFold(4) if kind == "continuous" else StratifiedKFold(4)
    step = TargetEncoder(smooth=smooth, target_type=kind, cv=folds)
    # The columns of scikit-learn are in the order of its encodings: feature by feature, class by class.
    training = step.fit_transform(pairs, goal)
    return {"training": listed(training), "scoring": listed(step.transform(pairs))}


def hashed(signed):
    step = FeatureHasher(n_features=16, input_type="string", alternate_sign=signed)
    tokens = [[f"category={category}", f"size={size}"] for category, size in pairs]
    return listed(step.transform(tokens).toarray())


times = pd.to_datetime(
    ["2024-02-29T23:59:58Z", "2025-12-29T00:00:00Z", "1999-12-31T12:30:15Z", "2026-11-27T16:30:00Z", "1970-01-01T00:00:00Z"]
)


def date_parts():
    parts = {
        "year": times.year,
        "quarter": times.quarter,
        "month": times.month,
        "week": times.isocalendar().week,
        "day": times.day,
        "day_of_year": times.day_of_year,
        "weekday": times.day_of_week,
        "weekend": times.day_of_week >= 5,
        "hour": times.hour,
        "minute": times.minute,
        "second": times.second,
        "epoch": (times - pd.Timestamp("1970-01-01", tz="UTC")) / pd.Timedelta(days=1),
    }
    return {"parts": list(parts), "values": listed(np.column_stack([np.asarray(part, dtype=float) for part in parts.values()]))}


# Irregular times of two entities, and missing values; two rows of an entity never have the same time.
entity = random.choice(["a", "b"], size=N_ROWS)
hours = np.cumsum(random.integers(1, 40, size=N_ROWS))
instants = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(hours, unit="h")
measured = np.where(random.random(N_ROWS) < 0.15, np.nan, np.round(random.normal(size=N_ROWS) * 10, 2))
series = pd.DataFrame({"entity": entity, "value": measured}, index=instants)


def rolled(window, least, function, values=None):
    frame = series if values is None else series.assign(value=values)
    groups = frame.groupby("entity", group_keys=False)["value"]
    result = groups.apply(lambda part: getattr(part.rolling(window, min_periods=least), function)())
    return [None if value != value else value for value in result.reindex(instants)]


functions = {"mean": "mean", "std": "std", "min": "min", "max": "max", "sum": "sum", "count": "count"}
filled = np.nan_to_num(measured, nan=1.5)
reference = {
    "numbers": numbers.tolist(),
    "category": categories.tolist(),
    "size": sizes.tolist(),
    "target": target.tolist(),
    "halves": halves.tolist(),
    "thirds": thirds.tolist(),
    "robust_scale": listed(RobustScaler().fit_transform(numbers)),
    "robust_scale_wide": listed(RobustScaler(quantile_range=(10, 90)).fit_transform(numbers)),
    "bins_quantile": bins("quantile"),
    "bins_uniform": bins("uniform"),
    "polynomial": listed(PolynomialFeatures(3, include_bias=False).fit_transform(numbers)),
    "interactions": listed(PolynomialFeatures(2, interaction_only=True, include_bias=False).fit_transform(numbers)),
    "pca": listed(PCA(2, svd_solver="full").fit_transform(numbers)),
    "pca_whiten": listed(PCA(3, svd_solver="full", whiten=True).fit_transform(numbers)),
    "target_auto": encoded(target, "auto", "continuous"),
    "target_smooth": encoded(target, 3.0, "continuous"),
    "target_halves": encoded(halves, "auto", "binary"),
    "target_thirds": encoded(thirds, 2.0, "multiclass"),
    "hashed": hashed(True),
    "hashed_unsigned": hashed(False),
    "times": [time.isoformat() for time in times],
    "date_parts": date_parts(),
    "entity": entity.tolist(),
    "instants": [time.isoformat() for time in instants],
    "filled": filled.tolist(),
    "measured": [None if value != value else value for value in measured],
    # Windows of rows want every value, as ours do; windows of time take the values there are.
    "rolling_rows": {name: rolled(3, 0 if name == "count" else 3, function, filled) for name, function in functions.items()},
    "rolling_time": {
        name: rolled("72h", 2 if name == "std" else 1, function) for name, function in functions.items() if name != "count"
    },
    "rolling_time_count": rolled("72h", 0, "count"),
}
with open("steps.json", "w") as file:
    json.dump(reference, file, ensure_ascii=False, separators=(",", ":"))
    file.write("\n")
