"""Features of photos in PyTorch and timm, for `bench photo-features`: files on disk -> one row a photo, saved as .npy.

Reads one JSON object from the command line and prints one as its last line. Each photo's halves are resized to squares; a
worker decodes and resizes beside the model; autocast in bfloat16 where asked for.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


class Halves(Dataset):
    def __init__(self, paths, size):
        self.paths, self.size = paths, size

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as file:
            photo = file.convert("RGB")
        middle = photo.width // 2
        views = []
        for left, right in ((0, middle), (photo.width - middle, photo.width)):
            half = photo.crop((left, 0, right, photo.height))
            view = half.resize((self.size, self.size), Image.Resampling.BICUBIC)
            pixels = torch.frombuffer(bytearray(view.tobytes()), dtype=torch.uint8)
            x = pixels.view(self.size, self.size, 3).permute(2, 0, 1).float().div_(255)
            views.append((x - MEAN) / STD)
        return torch.stack(views)


def main(spec):
    paths = sorted(Path(spec["photos"]).glob("*.jpg"))
    started = time.perf_counter()
    model = timm.create_model(spec["timm"], num_classes=0, img_size=spec["size"])
    missing, unexpected = model.load_state_dict(load_file(spec["weights"]), strict=False)
    assert not missing and not unexpected, (missing, unexpected)
    model.eval()
    loader = DataLoader(Halves(paths, spec["size"]), batch_size=spec["batch"], num_workers=1, prefetch_factor=2)
    rows = []
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=spec["precision"] == "bf16"):
        for views in loader:
            rows.append(model(views.flatten(0, 1)).float().reshape(views.shape[0], -1))
    np.save(spec["out"], torch.cat(rows).numpy())
    return {"seconds": time.perf_counter() - started, "photos": len(paths)}


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(settings["threads"])
    print(json.dumps(main(settings)))
