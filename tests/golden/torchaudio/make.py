"""Writes spectra.json and resampled.json: mel spectra of drawn sounds, and other sample rates, as torchaudio computes them.

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

# Lengths that do and do not divide, up and down, and the rates of discs and telephones.
resampled = [
    {
        "from": source,
        "to": target,
        "values": [[float(f"{v:.9g}") for v in row] for row in torchaudio.functional.resample(sounds[:3, :200], source, target).tolist()],
    }
    for source, target in [(8000, 16000), (16000, 8000), (44100, 16000), (8000, 11025), (3, 2), (10, 1)]
]
pathlib.Path(__file__).with_name("resampled.json").write_text(json.dumps(resampled) + "\n")
