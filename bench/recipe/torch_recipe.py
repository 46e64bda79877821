"""The fine-tuning of `bench recipe` in PyTorch and timm: photos on disk -> five folds -> out-of-fold predictions.

Reads one JSON object from the command line (see `TorchSpec` in torch.ts) and prints one as its last line. Photos are
decoded and resized once for all folds; workers augment beside the training; autocast in bfloat16 where asked for.
"""

import csv
import json
import random
import resource
import sys
import time

import timm
import torch
from PIL import Image, ImageEnhance, ImageOps
from safetensors.torch import load_file
from torch import nn
from torch.utils.data import DataLoader, Dataset

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
TARGETS = ["Dry_Green_g", "Dry_Dead_g", "Dry_Clover_g", "GDM_g", "Dry_Total_g"]
SUMS = torch.tensor([[1.0, 0, 0, 1, 1], [0, 1, 0, 0, 1], [0, 0, 1, 1, 1]])


class Lora(nn.Module):
    """A frozen linear layer with low-rank adapters (Hu et al. 2021)."""

    def __init__(self, base, rank, alpha):
        super().__init__()
        self.base, self.scale = base, alpha / rank
        self.lora_a = nn.Parameter(torch.randn(rank, base.in_features) / base.in_features**0.5)
        self.lora_b = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        low = nn.functional.linear(nn.functional.linear(x, self.lora_a), self.lora_b)
        return self.base(x) + self.scale * low


class Network(nn.Module):
    """A backbone, and green, dead and clover by a linear layer behind softplus."""

    def __init__(self, spec):
        super().__init__()
        extra = {"img_size": spec["size"]} if spec["timm"].startswith("vit") else {}
        self.backbone = timm.create_model(spec["timm"], num_classes=0, **extra)
        missing, unexpected = self.backbone.load_state_dict(load_file(spec["weights"]), strict=False)
        assert not missing and not unexpected, (missing, unexpected)
        self.backbone.requires_grad_(False)
        mode = spec["mode"]
        if mode == "full":
            self.backbone.requires_grad_(True)
        if mode == "last":
            blocks = self.backbone.blocks if hasattr(self.backbone, "blocks") else self.backbone.stages
            after = self.backbone.norm if hasattr(self.backbone, "blocks") else self.backbone.head
            for part in [*list(blocks)[-spec["lastBlocks"] :], after]:
                part.requires_grad_(True)
        if mode == "lora":
            for name, module in list(self.backbone.named_modules()):
                if isinstance(module, nn.Linear) and name.endswith(tuple(spec["loraTargets"])):
                    parent, _, leaf = name.rpartition(".")
                    setattr(self.backbone.get_submodule(parent), leaf, Lora(module, spec["rank"], spec["alpha"]))
        self.head = nn.Linear(self.backbone.num_features, 3)
        self.is_frozen = mode == "none"

    def forward(self, x):
        with torch.set_grad_enabled(not self.is_frozen and torch.is_grad_enabled()):
            features = x if x.dim() == 2 else self.backbone(x)
        return nn.functional.softplus(self.head(features).float()) @ SUMS


def optimizer_of(model, spec):
    trained = [p for p in model.backbone.parameters() if p.requires_grad]
    groups = [{"params": list(model.head.parameters()), "lr": spec["rate"]}]
    if trained:
        groups.append({"params": trained, "lr": spec["rate"] * spec["backboneRate"]})
    return torch.optim.AdamW(groups, weight_decay=spec["weightDecay"], fused=True)


class Photos(Dataset):
    def __init__(self, pictures, targets, items, augmented):
        self.pictures, self.targets, self.items, self.augmented = pictures, targets, items, augmented

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        item = self.items[index]
        picture = self.pictures[item]
        if self.augmented:
            if random.random() < 0.5:
                picture = ImageOps.mirror(picture)
            if random.random() < 0.5:
                picture = ImageOps.flip(picture)
            for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
                if random.random() < 0.5:
                    picture = enhance(picture).enhance(random.uniform(0.9, 1.1))
        data = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        x = data.view(picture.height, picture.width, 3).permute(2, 0, 1).float().div_(255)
        return (x - MEAN) / STD, self.targets[item]


class Kept(Dataset):
    """Features that a frozen backbone made of photos before: as they are, and in each of their draws."""

    def __init__(self, features, targets, items, augmented):
        self.features, self.targets, self.items, self.augmented = features, targets, items, augmented

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        item = self.items[index]
        draw = random.randrange(1, len(self.features)) if self.augmented else 0
        return self.features[draw][item], self.targets[item]


def kept_features(pictures, targets, spec, autocast, layout):
    model = Network(spec).to(memory_format=layout).eval()
    everything = list(range(len(pictures)))
    passes = []
    for augmented in [False] + [True] * spec["draws"]:
        loader = loader_of(pictures, targets, everything, spec, augmented, shuffled=False)
        with torch.inference_mode(), autocast():
            passes.append(torch.cat([model.backbone(x.to(memory_format=layout)).float() for x, _ in loader]))
    return [made.clone() for made in passes]


def loader_of(pictures, targets, items, spec, augmented, shuffled=None, kept=None):
    if kept is not None:
        return DataLoader(Kept(kept, targets, items, augmented), batch_size=spec["batch"], shuffle=augmented)
    return DataLoader(
        Photos(pictures, targets, items, augmented),
        batch_size=spec["batch"],
        shuffle=augmented if shuffled is None else shuffled,
        num_workers=1 if augmented else 0,
        persistent_workers=augmented,
        prefetch_factor=2 if augmented else None,
    )


def masses_of(spec):
    by_photo = {}
    with open(spec["data"] + "/train.csv") as file:
        for row in csv.DictReader(file):
            by_photo.setdefault(row["image_path"], {})[row["target_name"]] = float(row["target"])
    return {path: torch.tensor([masses[name] for name in TARGETS]) for path, masses in by_photo.items()}


def laid_out(images, layout):
    return images.to(memory_format=layout) if images.dim() == 4 else images


def cross_validate(spec):
    started = time.perf_counter()
    layout = torch.channels_last if not spec["timm"].startswith("vit") else torch.contiguous_format
    masses = masses_of(spec)
    paths = list(masses)
    targets = [masses[path] for path in paths]
    pictures = []
    for path in paths:
        with Image.open(spec["data"] + "/" + path) as photo:
            pictures.append(photo.convert("RGB").resize((spec["size"], spec["size"]), Image.Resampling.BICUBIC))
    folds = [spec["folds"][path] for path in paths]
    autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=spec["precision"] == "bf16")
    kept = kept_features(pictures, targets, spec, autocast, layout) if spec["byHand"] else None
    said = {}
    seen = 0
    for fold in sorted(set(folds)):
        torch.manual_seed(fold)
        model = Network(spec).to(memory_format=layout)
        optimizer = optimizer_of(model, spec)
        train = loader_of(pictures, targets, [i for i, own in enumerate(folds) if own != fold], spec, True, kept=kept)
        held = [i for i, own in enumerate(folds) if own == fold]
        validation = loader_of(pictures, targets, held, spec, False, kept=kept)
        for epoch in range(spec["epochs"]):
            model.train()
            if model.is_frozen:
                model.backbone.eval()
            for images, wanted in train:
                optimizer.zero_grad(set_to_none=True)
                with autocast():
                    loss = nn.functional.mse_loss(model(laid_out(images, layout)), wanted)
                loss.backward()
                optimizer.step()
                seen += len(images)
            model.eval()
            answers = []
            with torch.inference_mode(), autocast():
                for images, _ in validation:
                    answers.append(model(laid_out(images, layout)).float())
        for item, answer in zip(held, torch.cat(answers), strict=True):
            said[paths[item]] = answer.tolist()
        del train
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return {"seconds": time.perf_counter() - started, "seen": seen, "peakMib": peak / 1024, "predicted": len(said)}


def first_steps(spec):
    """Losses of the steps whose pictures, masses and first weights sward wrote down."""
    given = load_file(spec["steps"])
    torch.manual_seed(0)
    model = Network(spec)
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in given.items():
            if name.startswith("parameter."):
                own[name.removeprefix("parameter.")].copy_(value)
    model.train()
    if model.is_frozen:
        model.backbone.eval()
    optimizer = optimizer_of(model, spec)
    losses = []
    for step in range(spec["stepCount"]):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=spec["precision"] == "bf16"):
            loss = nn.functional.mse_loss(model(given[f"images.{step}"]), given[f"targets.{step}"])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return {"losses": losses}


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    torch.set_num_threads(settings["threads"])
    print(json.dumps(first_steps(settings) if "steps" in settings else cross_validate(settings)))
