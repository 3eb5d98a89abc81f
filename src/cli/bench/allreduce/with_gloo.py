"""All-reduce of Gloo through PyTorch: called with the order as JSON, prints the outcome as JSON in its last line.

This process is rank 0 and forks the others.
"""

import json
import os
import shutil
import sys
import tempfile
import time

import torch
import torch.distributed


def measure(order, rank):
    workers = order["workers"]
    times = []
    for size in order["sizes"]:
        length, repetitions = size["bytes"] // 4, size["repetitions"]
        pattern = torch.arange(length) % 97
        array = (pattern + rank).float()
        torch.distributed.all_reduce(array)
        if not torch.equal(array, (workers * pattern + workers * (workers - 1) // 2).float()):
            raise ValueError(f"the sum of {size['bytes']} bytes is wrong")
        array.zero_()
        times.append([])
        for batch in range(order["warmUps"] + order["batches"]):
            torch.distributed.barrier()
            started = time.perf_counter()
            for _ in range(repetitions):
                torch.distributed.all_reduce(array)
            if batch >= order["warmUps"]:
                times[-1].append((time.perf_counter() - started) / repetitions * 1e6)
    return {"timesUs": times, "version": f"PyTorch {torch.__version__}"}


def main():
    order = json.loads(sys.argv[1])
    torch.set_num_threads(1)
    folder, rank = tempfile.mkdtemp(), 0
    for other in range(1, order["workers"]):
        if os.fork() == 0:
            rank = other
            break
    if sys.platform == "linux":  # not every machine knows its own name
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    torch.distributed.init_process_group("gloo", f"file://{folder}/ranks", rank=rank, world_size=order["workers"])
    try:
        outcome = measure(order, rank)
    except Exception as error:
        outcome = {"error": str(error).splitlines()[0]}
    if rank == 0:
        print(json.dumps(outcome))
        shutil.rmtree(folder, ignore_errors=True)


main()
