"""Writes one JSON file per model: 20 steps of training as PyTorch does them, with each optimizer.

Run with a Python that has torch and numpy: python3 tests/golden/torch/make.py

A file holds the data, the weights before training, and per optimizer the loss of every step and the weights after the
last. Arrays are {"dtype", "shape", "base64"}: float32, tokens and classes int32, little-endian, in the layout of
TensorFlow.js (dense kernels [in, out], convolutions and images channels last).
"""

import base64
import copy
import json
import os
import pathlib

# Sums in one order only, so that a second run on the same machine writes the same bytes.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)

STEPS = 20
BATCH = 12
ROWS = STEPS * BATCH
rng = np.random.default_rng(11)

OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "momentum": lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9),
    "adam": lambda parameters: torch.optim.Adam(parameters),
    "adamw": lambda parameters: torch.optim.AdamW(parameters),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters),
}


class ChannelsFirst(nn.Module):
    def forward(self, x):
        return x.permute(0, 3, 1, 2)


class FlattenChannelsLast(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class MeanOverTime(nn.Module):
    def forward(self, x):
        return x.mean(dim=1)


class LastState(nn.Module):
    def forward(self, outputs):
        return outputs[0][:, -1]


class CausalAttention(nn.Module):
    """Of tokens to themselves and earlier ones. Without biases: that of the keys has no gradient but rounding."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.inner = nn.MultiheadAttention(width, heads, bias=False, batch_first=True)

    def forward(self, x):
        later = torch.ones(x.shape[1], x.shape[1]).triu(1).bool()
        return self.inner(x, x, x, attn_mask=later, need_weights=False)[0]

    def kernels(self):
        """Of query, key and value [width, heads, size], of the output [heads, size, width]."""
        width = self.inner.embed_dim
        shape = (width, self.heads, width // self.heads)
        projections = [part.T.reshape(shape) for part in self.inner.in_proj_weight.chunk(3)]
        return projections + [self.inner.out_proj.weight.T.reshape(self.heads, width // self.heads, width)]


def lstm(features, units):
    """An LSTM with one bias, as TensorFlow.js has it: the second stays at zero."""
    layer = nn.LSTM(features, units, batch_first=True)
    nn.init.zeros_(layer.bias_hh_l0)
    layer.bias_hh_l0.requires_grad = False
    return layer


def tfjs_weights(module):
    """Weights of a sequence of layers in the order and layout of model.getWeights()."""
    weights = []
    for layer in module:
        if isinstance(layer, nn.Linear):
            weights += [layer.weight.T, layer.bias]
        elif isinstance(layer, nn.Conv2d):
            weights += [layer.weight.permute(2, 3, 1, 0), layer.bias]
        elif isinstance(layer, nn.Embedding):
            weights += [layer.weight]
        elif isinstance(layer, nn.LSTM):
            # Gates are i, f, g, o here and i, f, c, o there: two names of one order.
            assert not layer.bias_hh_l0.any()
            weights += [layer.weight_ih_l0.T, layer.weight_hh_l0.T, layer.bias_ih_l0]
        elif isinstance(layer, CausalAttention):
            weights += layer.kernels()
    return [weight.detach().numpy() for weight in weights]


def encoded(array):
    dtype = "int32" if np.issubdtype(array.dtype, np.integer) else "float32"
    raw = np.ascontiguousarray(array, np.dtype(dtype).newbyteorder("<")).tobytes()
    return {"dtype": dtype, "shape": list(array.shape), "base64": base64.b64encode(raw).decode()}


def trained(start, loss_of, x, y, make_optimizer):
    module = copy.deepcopy(start)
    optimizer = make_optimizer([parameter for parameter in module.parameters() if parameter.requires_grad])
    losses = []
    for step in range(STEPS):
        rows = slice(step * BATCH, (step + 1) * BATCH)
        optimizer.zero_grad()
        loss = loss_of(module(torch.from_numpy(x[rows])), torch.from_numpy(y[rows]))
        loss.backward()
        optimizer.step()
        # Nine digits give a float32 back exactly.
        losses.append(float(f"{loss.item():.9g}"))
    return {"losses": losses, "weights": [encoded(weight) for weight in tfjs_weights(module)]}


def write(name, module, loss_of, x, y):
    golden = {
        "torch": torch.__version__,
        "batchSize": BATCH,
        "x": encoded(x),
        "y": encoded(y),
        "weights": [encoded(weight) for weight in tfjs_weights(module)],
        "runs": {key: trained(module, loss_of, x, y, make) for key, make in OPTIMIZERS.items()},
    }
    pathlib.Path(__file__).with_name(f"{name}.json").write_text(json.dumps(golden) + "\n")


def normal(*shape):
    return rng.normal(size=shape).astype(np.float32)


def classes_of(x, classes):
    """Classes that can be learned: the largest of a few fixed sums of the features."""
    flat = x.reshape(ROWS, -1)
    return (flat @ normal(flat.shape[1], classes)).argmax(axis=1)


torch.manual_seed(5)

# Sizes are no multiples of 4, so that the ends of vectors and blocks are reached.
x = normal(ROWS, 33)
mlp = nn.Sequential(nn.Linear(33, 47), nn.ReLU(), nn.Linear(47, 18), nn.ReLU(), nn.Linear(18, 5))
write("mlp", mlp, F.cross_entropy, x, classes_of(x, 5))

x = normal(ROWS, 9, 8, 2)
y = np.eye(4, dtype=np.float32)[classes_of(x, 4)]
cnn = nn.Sequential(
    ChannelsFirst(),
    nn.Conv2d(2, 6, 3),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(6, 7, 3, padding=1),
    nn.ReLU(),
    FlattenChannelsLast(),
    nn.Linear(3 * 3 * 7, 4),
)
write("cnn", cnn, F.cross_entropy, x, y)

tokens = rng.integers(0, 50, (ROWS, 9))
y = (tokens.mean(axis=1, keepdims=True) > 24.5).astype(np.float32)
embedding = nn.Sequential(nn.Embedding(50, 11), MeanOverTime(), nn.Linear(11, 6), nn.Tanh(), nn.Linear(6, 1))
# Small, so that 20 steps change the table by more than the rounding of its weights.
nn.init.normal_(embedding[0].weight, std=0.1)
write("embedding", embedding, F.binary_cross_entropy_with_logits, tokens, y)

x = normal(ROWS, 7, 5)
y = np.stack([x[:, 0, 0] - x[:, -1, 1], x[:, :, 2].mean(axis=1)], axis=1)
recurrent = nn.Sequential(lstm(5, 10), LastState(), nn.Linear(10, 2))
write("lstm", recurrent, F.mse_loss, x, y)

x = normal(ROWS, 7, 10)
y = np.stack([x[:, 0, 0] - x[:, -1, 1], x[:, :, 2].mean(axis=1)], axis=1)
attention = nn.Sequential(CausalAttention(10, 2), nn.GELU(), MeanOverTime(), nn.Linear(10, 2))
write("attention", attention, F.mse_loss, x, y)
