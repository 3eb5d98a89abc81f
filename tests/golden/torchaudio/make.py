"""Writes spectra.json: mel spectra of drawn sounds as torchaudio computes them.

Run with a Python that has torchaudio: python3 tests/golden/torchaudio/make.py
"""

import json
import math
import pathlib

import torch
import torchaudio

# In float64, window and filters too: bands that are all but silent would else show torchaudio's rounding.
torch.set_default_dtype(torch.float64)
t = torch.arange(1500, dtype=torch.float64) / 8000
rng = torch.Generator().manual_seed(3)
sounds = torch.stack(
    [
        torch.sin(2 * math.pi * 440 * t),
        torch.sin(2 * math.pi * (200 + 6000 * t) * t) * torch.exp(-5 * t),
        0.1 * torch.randn(1500, generator=rng, dtype=torch.float64),
        torch.zeros(1500, dtype=torch.float64),
    ]
).to(torch.float32).to(torch.float64)
options = {"n_fft": 256, "hop_length": 100, "n_mels": 20}
mel = torchaudio.transforms.MelSpectrogram(8000, **options)
mfcc = torchaudio.transforms.MFCC(8000, n_mfcc=9, melkwargs=options)
golden = {
    "torchaudio": torchaudio.__version__,
    "sounds": sounds.tolist(),
    # [rows, frames, mels] and [rows, frames, coefficients]
    "logMel": [[[float(f"{v:.9g}") for v in frame] for frame in row] for row in torch.log(mel(sounds) + 1e-6).transpose(1, 2).tolist()],
    "mfcc": [[[float(f"{v:.9g}") for v in frame] for frame in row] for row in mfcc(sounds[:, None]).squeeze(1).transpose(1, 2).tolist()],
}
pathlib.Path(__file__).with_name("spectra.json").write_text(json.dumps(golden) + "\n")
