"""PyTorch's operations on the GPU that dcml is measured on.

Called with the sizes and seconds as JSON; prints microseconds by name as JSON in its last line.
"""

import json
import math
import sys
import time

import torch


def microseconds(run, seconds):
    def repeat(count):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            run()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / count

    repeat(3)
    return 1e6 * repeat(max(5, math.ceil(seconds / repeat(5))))


def main():
    order = json.loads(sys.argv[1])
    if not torch.cuda.is_available():
        print(json.dumps({"skipped": "PyTorch sees no GPU"}))
        return
    side, elements, seconds = order["side"], order["elements"], order["seconds"]
    results = {}
    for name, dtype, tf32 in (
        ("matMul float32", torch.float32, False),
        ("matMul tf32", torch.float32, True),
        ("matMul bfloat16", torch.bfloat16, False),
    ):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        a = torch.randn([side, side], device="cuda", dtype=dtype)
        b = torch.randn([side, side], device="cuda", dtype=dtype)
        results[name] = microseconds(lambda: a @ b, seconds)
    x, y = torch.ones([elements], device="cuda"), torch.ones([elements], device="cuda")
    results["relu"] = microseconds(lambda: torch.relu(x), seconds)
    results["add"] = microseconds(lambda: x + y, seconds)
    results["sum"] = microseconds(lambda: x.sum(), seconds)
    print(json.dumps({"us": results, "version": torch.__version__}))


main()
