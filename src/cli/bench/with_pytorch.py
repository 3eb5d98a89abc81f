"""One measurement of PyTorch, eager mode, one thread a process.

Called with the order as JSON; prints the outcome as JSON in its last line. With several workers this process is rank 0
of DistributedDataParallel over Gloo and forks the others.
"""

import json
import os
import shutil
import sys
import tempfile
import time

import torch
from torch import nn


class Transformer(nn.Module):
    def __init__(self, tokens, vocabulary, width, heads, blocks, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, width)
        self.positions = nn.Parameter(0.02 * torch.randn(tokens, width))
        self.blocks = nn.Sequential(
            *[
                nn.TransformerEncoderLayer(width, heads, hidden, dropout=0.0, batch_first=True)
                for _ in range(blocks)
            ]
        )
        self.classes = nn.Linear(width, 10)

    def forward(self, x):
        return self.classes(self.blocks(self.embedding(x) + self.positions).mean(dim=1))


class LastOfLstm(nn.Module):
    def __init__(self, features, units):
        super().__init__()
        self.lstm = nn.LSTM(features, units, batch_first=True)
        self.classes = nn.Linear(units, 10)

    def forward(self, x):
        return self.classes(self.lstm(x)[0][:, -1])


def build(network):
    """The network and the shape of one row of its input."""
    kind = network.pop("kind")
    if kind == "mlp":
        sizes = [784, *network["units"]]
        layers = [layer for a, b in zip(sizes, sizes[1:]) for layer in (nn.Linear(a, b), nn.ReLU())]
        return nn.Sequential(*layers, nn.Linear(sizes[-1], 10)), [784]
    if kind == "cnn":
        first, second = network["filters"]
        return nn.Sequential(
            nn.Conv2d(1, first, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(25 * second, network["units"]), nn.ReLU(), nn.Linear(network["units"], 10),
        ), [1, 28, 28]  # fmt: skip
    if kind == "lstm":
        return LastOfLstm(network["features"], network["units"]), [network["steps"], network["features"]]
    return Transformer(**network), [network["tokens"]]


def settings_of_gpu(is_rounded):
    """Sets PyTorch as it is fastest without a compiler, at dcml's precision; says how."""
    # Convolutions would be rounded to TF32 unasked.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    adam = "fused" if torch.__version__ >= "2" else "foreach"
    precision = "bfloat16 autocast" if is_rounded else "float32, TF32 off"
    return {adam: True}, f"PyTorch {torch.__version__}, eager, {precision}, {adam} Adam, cuDNN chooses by measuring"


def measure(order, rank):
    workers, rows_per_step = order["workers"], order["rowsPerWorker"]
    vocabulary = order["network"].get("vocabulary")
    torch.manual_seed(1)
    model, shape = build(order["network"])
    if workers > 1:
        model = nn.parallel.DistributedDataParallel(model)
    device = order.get("device", "cpu")
    is_gpu, is_rounded = device != "cpu", order.get("precision") == "bfloat16"
    if is_gpu and not torch.cuda.is_available():
        return {"skipped": f"PyTorch {torch.__version__} sees no GPU"}
    adam, settings = settings_of_gpu(is_rounded) if is_gpu else ({}, None)
    model.to(device)
    rows = rows_per_step * order["stepsPerEpoch"]
    x = torch.randint(vocabulary, [rows, *shape]) if vocabulary else torch.rand([rows, *shape])
    y = torch.randint(10, [rows])
    x, y = x.to(device), y.to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **adam)
    loss_of = nn.CrossEntropyLoss()
    warm_up = measured = epochs = 0
    done = torch.zeros(1)
    while not done:
        total = torch.zeros((), device=device)
        started = time.perf_counter()
        for chosen in torch.randperm(rows, device=device).split(rows_per_step):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device, torch.bfloat16, enabled=is_rounded):
                loss = loss_of(model(x[chosen]), y[chosen])
            loss.backward()
            optimizer.step()
            if is_gpu:
                total += loss.detach()  # read once an epoch, for a read waits: dcml does not wait for each step either
            else:
                loss.item()
        total.item()
        seconds = time.perf_counter() - started
        if warm_up == 0 or warm_up < order["seconds"] / 2:
            warm_up += seconds
        else:
            measured += seconds
            epochs += 1
            done.fill_(measured >= order["seconds"])
        if workers > 1:  # rank 0 says when to stop, outside of the time measured
            torch.distributed.broadcast(done, 0)
    outcome = {"usPerSample": measured / (epochs * rows * workers) * 1e6, "version": torch.__version__}
    return {**outcome, "settings": settings} if settings else outcome


def main():
    order = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    workers, rank = order["workers"], 0
    if workers > 1:
        folder = tempfile.mkdtemp()
        for other in range(1, workers):
            if os.fork() == 0:
                rank = other
                break
        if sys.platform == "linux":  # not every machine knows its own name
            os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
        torch.distributed.init_process_group("gloo", f"file://{folder}/ranks", rank=rank, world_size=workers)
    try:
        outcome = measure(order, rank)
    except Exception as error:
        outcome = {"error": str(error).splitlines()[0]}
    if rank == 0:
        print(json.dumps(outcome))
        if workers > 1:
            shutil.rmtree(folder, ignore_errors=True)


main()
