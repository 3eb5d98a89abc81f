"""PyTorch's operations on the GPU that dcml is measured on.

Called with the sizes, the seconds and the names of operations as JSON; prints microseconds by name as JSON in its last line.
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


def waves(*shape, dtype=torch.float32):
    """A GPU computes with constants at a higher clock."""
    return torch.sin(torch.arange(math.prod(shape), device="cuda", dtype=torch.float32)).reshape(shape).to(dtype)


def prepare(name, side, elements):
    """The call, over operands of its own."""
    if name.startswith("matMul"):
        torch.backends.cuda.matmul.allow_tf32 = name.endswith("tf32")
        dtype = torch.bfloat16 if name.endswith("bfloat16") else torch.float32
        a, b = waves(side, side, dtype=dtype), waves(side, side, dtype=dtype)
        return lambda: a @ b
    if name == "transpose":
        x = waves(side, side)
        return lambda: x.t().contiguous()
    x, y = waves(elements), waves(elements)
    return {
        "copy": lambda: y.copy_(x),
        "relu": lambda: torch.relu(x),
        "add": lambda: x + y,
        "sum": lambda: x.sum(),
        "concat": lambda: torch.cat([x, y]),
    }[name]


def main():
    order = json.loads(sys.argv[1])
    if not torch.cuda.is_available():
        print(json.dumps({"skipped": f"PyTorch {torch.__version__} sees no GPU"}))
        return
    results = {}
    for name in order["names"]:
        results[name] = microseconds(prepare(name, order["side"], order["elements"]), order["seconds"])
    print(json.dumps({"us": results, "version": torch.__version__}))


main()
