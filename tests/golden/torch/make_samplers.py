"""Writes samplers.json: the rows that torch.utils.data.DistributedSampler gives each rank.

Run with a Python that has torch: python3 tests/golden/torch/make_samplers.py
"""

import json
import pathlib

from torch.utils.data import DistributedSampler

cases = [
    [rows, ranks, "drop" if drop else "pad",
     [list(DistributedSampler(range(rows), ranks, rank, shuffle=False, drop_last=drop)) for rank in range(ranks)]]
    for rows in range(1, 18)
    for ranks in range(1, 5)
    for drop in (False, True)
    # With fewer rows than ranks it cannot drop: PyTorch computes with a negative number.
    if not (drop and rows < ranks)
]
text = "[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n"
pathlib.Path(__file__).with_name("samplers.json").write_text(text)
