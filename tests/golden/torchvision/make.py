"""Writes pictures.json: drawn pictures resized, turned and changed as torchvision and PyTorch do it.

Run with a Python that has torchvision: python3 tests/golden/torchvision/make.py
"""

import json
import pathlib

import torch
import torchvision
from torch.nn.functional import interpolate
from torchvision.transforms import InterpolationMode, RandAugment, autoaugment
from torchvision.transforms import functional as F

rng = torch.Generator().manual_seed(5)
# [2, 3, 7, 8]: one smooth, one noisy; bytes, so that the same pictures are whole and as shares of white.
y, x = torch.meshgrid(torch.arange(7.0), torch.arange(8.0), indexing="ij")
smooth = torch.stack([20 * y + 5 * x, 250 - 15 * y - x, 128 + 60 * torch.sin(x) * torch.cos(y)])
noise = torch.randint(30, 220, (3, 7, 8), generator=rng)
bytes_ = torch.stack([smooth.round().clamp(0, 255).to(torch.uint8), noise.to(torch.uint8)])
pictures = bytes_.to(torch.float64) / 255


def rows(tensor):
    """[rows, height, width, channels], flat per picture."""
    return [[float(f"{v:.7g}") for v in picture.permute(1, 2, 0).reshape(-1).tolist()] for picture in tensor]


resized = []
for height, width in [(5, 6), (7, 8), (14, 13), (3, 16), (1, 1), (11, 5)]:
    for name, options in {
        "bilinear": {"mode": "bilinear", "align_corners": False, "antialias": True},
        "bilinear, not antialiased": {"mode": "bilinear", "align_corners": False},
        "nearest": {"mode": "nearest-exact"},
    }.items():
        resized.append({"height": height, "width": width, "method": name, "values": rows(interpolate(pictures, (height, width), **options))})

turned = [
    {"degrees": degrees, "values": rows(F.rotate(pictures, degrees, InterpolationMode.BILINEAR))}
    for degrees in [0, 15, -40, 90, 180]
]

space = RandAugment()._augmentation_space(31, (7, 8))
names = {"AutoContrast": "autoContrast"}
operations = []
for name, (magnitudes, signed) in space.items():
    for level in [5, 23]:
        for sign in [1, -1] if signed else [1]:
            # These two want bytes.
            source = bytes_ if name in ("Posterize", "Equalize") else pictures.to(torch.float32)
            magnitude = float(magnitudes[level]) if magnitudes.ndim else 0.0
            if name == "Solarize":
                magnitude /= 255  # of shares of white
            made = autoaugment._apply_op(source, name, sign * magnitude, InterpolationMode.BILINEAR, None)
            if source is bytes_:
                made = made.to(torch.float64) / 255
            operations.append({"name": names.get(name, name[0].lower() + name[1:]), "level": level, "sign": sign, "values": rows(made)})

golden = {
    "torchvision": torchvision.__version__,
    "pictures": rows(bytes_),
    "resized": resized,
    "turned": turned,
    "operations": operations,
}
pathlib.Path(__file__).with_name("pictures.json").write_text(json.dumps(golden) + "\n")
