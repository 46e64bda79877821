# %% [markdown]
# # Pasture biomass with a model exported by sward
#
# Reads `test.csv` and its photos, runs the model of the attached dataset, and writes `submission.csv`. It needs no
# network. Everything from cutting the photo to the five masses happens inside the model: it takes a decoded photo of
# any size and gives grams, averaged over folds (and over mirror images or turns where it was exported so). A model that was
# taught grams on another frame than the competition's 0.21 m² has them converted.

# %%
import csv
import io
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

INPUT = Path(os.environ.get("SWARD_INPUT", "/kaggle/input"))
COMPETITION = "csiro-biomass"
QUADRAT = 0.21  # Area of the competition's frame, m².


def attached_files():
    """What may be of use below the input: Kaggle attaches as NAME, competitions/NAME and datasets/OWNER/NAME."""
    found, seen = [], set()
    for folder, folders, names in os.walk(INPUT, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        wanted = [name for name in names if name in ("model.json", "test.csv") or name.endswith(".whl")]
        found += [Path(folder, name) for name in wanted]
    return sorted(found)


def the_only(found, what, remedy):
    """The one folder of those found, by what is in it: the same thing attached twice is one."""
    folders = list(found.values())
    if len(folders) == 1:
        return folders[0]
    held = "holds " + (" and ".join(map(str, folders)) if folders else f"no {what}")
    raise RuntimeError(f"{INPUT} {held}: {remedy}")


def find_export():
    """The folder of the one export of sward that is attached."""
    found = {}
    for path in ATTACHED:
        if path.name == "model.json":
            text = path.read_bytes()
            try:
                facts = json.loads(text)
            except ValueError:  # Somebody else's.
                continue
            if isinstance(facts, dict) and {"sward", "run_fingerprint", "branches"} <= facts.keys():
                found.setdefault(text, path.parent)
    return the_only(found, "export of sward", "attach one dataset that sward export --kaggle wrote")


def find_competition():
    """The folder of the competition: where Kaggle has it, else that of the one test.csv that asks for such rows."""
    for folder in (INPUT / "competitions" / COMPETITION, INPUT / COMPETITION):
        if (folder / "test.csv").exists():
            return folder
    found = {}
    for path in ATTACHED:
        if path.name == "test.csv":
            text = path.read_bytes()
            if {b"sample_id", b"image_path"} <= set(text.partition(b"\n")[0].strip(b"\xef\xbb\xbf\r").split(b",")):
                found.setdefault(text, path.parent)
    return the_only(found, "test.csv of the competition", f"attach the data of {COMPETITION}, and no other such table")


def install_onnxruntime():
    """From wheels in attached datasets: there is no network to fetch it from."""
    links = [word for folder in {path.parent for path in ATTACHED} for word in ("--find-links", str(folder))]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", *links, "onnxruntime"]
    # What it depends on need not be attached: the image has that, perhaps in another version.
    quiet = {"stderr": subprocess.DEVNULL}
    if subprocess.run(pip, **quiet).returncode != 0 and subprocess.run([*pip, "--no-deps"]).returncode != 0:
        raise RuntimeError(
            "this image has no onnxruntime: export with --wheel FILE, or attach a dataset that holds its wheel, "
            f"for Python {sys.version_info.major}.{sys.version_info.minor}"
        )


ATTACHED = attached_files()
MODEL = find_export()
TEST = find_competition()
print(f"model {MODEL}, photos {TEST}")

try:
    import onnxruntime
except ImportError:
    install_onnxruntime()
    import onnxruntime

import numpy as np
from PIL import Image, ImageCms, ImageOps

# %%
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

# Pillow refuses above twice as many pixels, as sward does; it need not warn of less.
Image.MAX_IMAGE_PIXELS = 100_000_000
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
SRGB = ImageCms.ImageCmsProfile(str(MODEL / "srgb.icc"))


def in_srgb(image):
    """8-bit RGB by the photo's colour profile; CMYK without one by that of libvips."""
    profile = image.info.get("icc_profile")
    if profile is None and image.mode == "CMYK":
        profile = (MODEL / "cmyk.icc").read_bytes()
    if profile is not None and image.mode in ("L", "RGB", "CMYK"):
        try:
            return ImageCms.profileToProfile(image, io.BytesIO(profile), SRGB, outputMode="RGB")
        except ImageCms.PyCMSError:  # Damaged, or of other colours: as if there were none.
            pass
    return image.convert("RGB")


def read_photo(path):
    """Pixels [1, height, width, 3] as sward decodes them: upright, 8-bit sRGB, transparent parts on white."""
    with Image.open(path) as file:
        image = ImageOps.exif_transpose(file)
    if image.mode.startswith("I"):  # 16-bit grey, of which Pillow would keep the lowest bits.
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if not image.has_transparency_data:
        return np.asarray(in_srgb(image))[None]
    alpha = np.asarray(image.convert("RGBA"))[..., 3:].astype(np.uint32)
    colours = image.convert("L" if image.mode == "LA" else "RGB")
    colours.info["icc_profile"] = image.info.get("icc_profile")
    on_white = np.asarray(in_srgb(colours)) * alpha + 255 * (255 - alpha)
    return np.floor_divide(on_white, 255).astype(np.uint8)[None]


def predict(path):
    """Dry masses of a photo in grams on the competition's frame, by target."""
    try:
        pixels = read_photo(path)
    except Exception as error:
        raise RuntimeError(f"{path}: {error}") from error
    grams = session.run(["masses"], {"photos": pixels})[0][0].tolist()
    return {target: mass * (QUADRAT / facts["frame_area_m2"]) for target, mass in zip(facts["targets"], grams)}


# %%
with open(TEST / "test.csv", newline="", encoding="utf-8-sig") as file:
    rows = list(csv.DictReader(file))
masses = {path: predict(TEST / path) for path in dict.fromkeys(row["image_path"] for row in rows)}

with open("submission.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["sample_id", "target"])
    for row in rows:
        target = row["sample_id"].rpartition("__")[2]
        writer.writerow([row["sample_id"], masses[row["image_path"]][target]])
print(f"submission.csv: {len(rows)} rows for {len(masses)} photos")
