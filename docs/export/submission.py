# %% [markdown]
# # Pasture biomass with a model exported by sward
#
# Reads `test.csv` and its photos, runs the model of the attached dataset, and writes `submission.csv`. It needs no
# network. Everything from cutting the photo to the five masses happens inside the model: it takes a decoded photo of
# any size and gives grams, averaged over folds (and over mirror images or turns where it was exported so).

# %%
import csv
import glob
import json
import os
import subprocess
import sys
from pathlib import Path

INPUT = Path(os.environ.get("SWARD_INPUT", "/kaggle/input"))


def folders_with(pattern):
    """The attached folders that hold such a file."""
    found = glob.glob(str(INPUT / "**" / pattern), recursive=True)
    return sorted({Path(path).parent for path in found})


try:
    import onnxruntime
except ImportError:  # Attach a dataset that holds its wheel; there is no network to fetch it from.
    links = [word for folder in folders_with("*.whl") for word in ("--find-links", str(folder))]
    subprocess.run([sys.executable, "-m", "pip", "install", "--no-index", *links, "onnxruntime"], check=True)
    import onnxruntime

import numpy as np
from PIL import Image, ImageOps

# %%
MODEL = folders_with("model.json")[0]
TEST = folders_with("test.csv")[0]
facts = json.loads((MODEL / "model.json").read_text())


def open_model():
    """A session on the graphics card where there is one, with full precision."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    cpu = Path("/proc/cpuinfo")
    flags = cpu.read_text() if cpu.exists() else ""
    int8 = any(branch["precision"] == "int8" for branch in facts["branches"])
    if int8 and not any(name in flags for name in ("avx_vnni", "avx512_vnni", "amx_int8")):
        # x64 processors without VNNI add int8 products in 16 bits, which overflow; this is slower but exact.
        options.add_session_config_entry("session.x64quantprecision", "1")
    wanted = [("CUDAExecutionProvider", {"use_tf32": "0"}), ("CPUExecutionProvider", {})]
    available = onnxruntime.get_available_providers()
    providers = [provider for provider in wanted if provider[0] in available]
    return onnxruntime.InferenceSession(str(MODEL / facts["files"][0]["file"]), options, providers=providers)


session = open_model()


def predict(path):
    """Dry masses of a photo in grams, by target."""
    with Image.open(path) as image:
        pixels = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))[None]
    return dict(zip(facts["targets"], session.run(["masses"], {"photos": pixels})[0][0].tolist()))


# %%
with open(TEST / "test.csv", newline="", encoding="utf-8-sig") as file:
    rows = list(csv.DictReader(file))
masses = {path: predict(TEST / path) for path in dict.fromkeys(row["image_path"] for row in rows)}

with open("submission.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["sample_id", "target"])
    for row in rows:
        target = row["sample_id"].split("__")[1]
        writer.writerow([row["sample_id"], masses[row["image_path"]][target]])
print(f"submission.csv: {len(rows)} rows for {len(masses)} photos")
