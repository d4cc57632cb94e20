"""Writes drift.json: what SciPy says of fixed samples.

    pip install scipy==1.17.1 numpy && python generate.py > drift.json

The samples are small or made by a formula that the test repeats, so that the file stays readable.
"""

import json
import sys

import numpy as np
import scipy
from scipy import stats


def wave(n, start, step, scale):
    """The fractional parts of start + i * step, times scale; exact enough in any language."""
    return [((start + i * step) % 1.0) * scale for i in range(n)]


def ks_of_samples():
    cases = [
        ([1.0, 2.0, 3.0], [1.5, 2.5, 3.5]),
        ([0.0, 0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]),
        ([-3.5, 0.25, 4.0, 4.0, 9.0, 11.0], [4.0, 4.0, 5.0]),
    ]
    specs = [
        ((1000, 0.1, 0.6180339887498949, 1.0), (200, 0.3, 0.41421356237309515, 1.0)),
        ((1000, 0.1, 0.6180339887498949, 1.0), (200, 0.3, 0.41421356237309515, 1.1)),
        ((1000, 0.1, 0.6180339887498949, 1.0), (5000, 0.2, 0.7320508075688772, 1.03)),
        ((5000, 0.1, 0.6180339887498949, 1.0), (5000, 0.2, 0.7320508075688772, 1.02)),
        ((300, 0.5, 0.6180339887498949, 2.0), (90, 0.2, 0.7320508075688772, 2.4)),
    ]
    for a, b in cases:
        result = stats.ks_2samp(a, b, method="asymp")
        yield {"a": a, "b": b, "statistic": result.statistic, "p_value": result.pvalue}
    for a, b in specs:
        result = stats.ks_2samp(wave(*a), wave(*b), method="asymp")
        yield {"wave_a": a, "wave_b": b, "statistic": result.statistic, "p_value": result.pvalue}


def kolmogorov():
    for n in [1, 2, 3, 10, 50, 100, 140, 141, 167, 500, 909, 5000, 99_999, 100_001, 1_000_000]:
        scaled = [0.45, 0.5, 0.55, 0.7, 0.9, 1.0, 1.2, 1.45, 1.5, 1.8, 2.0, 2.1, 3.0, 5.0]
        values = {z / np.sqrt(n) for z in scaled} | {0.6 / n, 0.9 / n, 1.0 / n, 1.4 / n, 2.5 / n, 0.3, 0.5, 0.8, 1.0 - 0.5 / n}
        for x in sorted(values):
            if 0.0 < x < 1.0:
                yield {"n": n, "x": x, "survival": stats.kstwo.sf(x, n)}


def chi_square():
    for a, b in [
        ([10, 20, 30], [30, 20, 10]),
        ([1000, 500, 250, 125], [90, 60, 30, 10]),
        ([5, 0, 7], [3, 2, 0]),
        ([90, 10], [890, 110]),
        ([1] * 50 + [400], [2] * 50 + [300]),
    ]:
        result = stats.chi2_contingency([a, b], correction=False)
        yield {"a": a, "b": b, "statistic": result.statistic, "degrees": int(result.dof), "p_value": result.pvalue}


def summaries():
    for spec in [(37, 0.1, 0.6180339887498949, 10.0), (1000, 0.7, 0.41421356237309515, 1e6)]:
        values = np.array(wave(*spec))
        yield {
            "wave": spec,
            "mean": values.mean(),
            "std": values.std(ddof=1),
            "deciles": [float(q) for q in np.quantile(values, [i / 10 for i in range(1, 10)])],
        }


json.dump(
    {
        "scipy": scipy.__version__,
        "ks": list(ks_of_samples()),
        "kolmogorov": list(kolmogorov()),
        "chi_square": list(chi_square()),
        "summaries": list(summaries()),
    },
    sys.stdout,
    indent=1,
)
print()
