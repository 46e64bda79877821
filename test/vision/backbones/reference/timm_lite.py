"""What timm makes of EfficientNet-Lite, as small JSON files for the tests beside this; no test runs it.

    cd test/vision/backbones/reference
    python timm_lite.py lite > lite.json
    python timm_lite.py bundled > bundled.json

Weights and picture follow from their names by a formula (formula.ts has the same), so that no file is needed. timm
computes in double precision; of every output its shape, its length ‖x‖ and some values at even distances are kept. Of
the files in weights/, rounded as they are, it is mean and standard deviation at the end of every resolution, of the same
picture: [mean, deviation] of the first, then of the second, and so on.
Made with PyTorch 2.15 and timm 1.0.31.
"""

import json
import sys
import zlib

import numpy as np
import timm
import torch

SIDES = {0: 224, 1: 240, 2: 260, 3: 300, 4: 380}
VALUES = 24


def uniform(name: str, count: int) -> np.ndarray:
    """Numbers in [-1, 1): the index plus the name's CRC-32, mixed as MurmurHash3 ends."""
    with np.errstate(over="ignore"):
        x = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(zlib.crc32(name.encode()))
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
        x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def weight(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Small enough that rounding does not grow from layer to layer, large enough that ReLU6 cuts off at both ends."""
    values = uniform(name, int(np.prod(shape)))
    if len(shape) > 1:
        values = values * np.sqrt(3 / np.prod(shape[1:]))
    elif name.endswith(("weight", "running_var")):
        values = 1 + values / 4
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def picture(side: int) -> torch.Tensor:
    values = uniform(f"picture {side}", 3 * side * side)
    return torch.from_numpy(values.astype(np.float32)).reshape(1, 3, side, side)


def rounded(x: float) -> float:
    return float(f"{x:.9g}")


def summary(x: torch.Tensor, count: int = VALUES) -> dict:
    flat = x.flatten().numpy()
    step = max(1, len(flat) // count)
    return {
        "shape": list(x.shape),
        "length": rounded(np.sqrt((flat**2).sum())),
        "values": [rounded(v) for v in flat[::step][:count]],
    }


def tokens(x: torch.Tensor) -> torch.Tensor:
    """[batch, places, channels], as sward has the output of a stage."""
    return x.flatten(2).transpose(1, 2)


def lite() -> dict:
    cases = {}
    for size, side in SIDES.items():
        name = f"tf_efficientnet_lite{size}"
        model = timm.create_model(name, num_classes=0).eval()
        state = {
            key: weight(key, tuple(value.shape)) if value.is_floating_point() else value
            for key, value in model.state_dict().items()
        }
        model.load_state_dict(state)
        model = model.double()
        stages = []
        for stage in model.blocks:
            stage.register_forward_hook(lambda _, __, output: stages.append(tokens(output)))
        features = model.forward_features(picture(side).double())
        pooled = model.forward_head(features)
        cases[name] = {
            "side": side,
            "features": summary(features),
            "pooled": summary(pooled),
            "blocks": [summary(stage) for stage in stages],
        }
    return cases


def bundled() -> dict:
    from safetensors.torch import load_file

    cases = {}
    for size in (2,):
        name = f"tf_efficientnet_lite{size}"
        model = timm.create_model(name, num_classes=0).eval()
        weights = load_file(f"../../../../weights/{name}.safetensors")
        counters = {key: value for key, value in model.state_dict().items() if key not in weights}
        assert all(key.endswith("num_batches_tracked") for key in counters)
        model.load_state_dict({**weights, **counters})
        maps = []
        for info in model.feature_info:
            module = model.get_submodule(info["module"])
            module.register_forward_hook(lambda _, __, output: maps.append(output))
        model.double()(picture(SIDES[size]).double())
        moments = [x for m in maps for x in (m.mean((2, 3)), m.std((2, 3), correction=0))]
        cases[name] = {"side": SIDES[size], "stages": summary(torch.cat(moments, 1), 120)}
    return cases


with torch.no_grad():
    result = {"lite": lite, "bundled": bundled}[sys.argv[1]]()
print(json.dumps(result, indent=1))
