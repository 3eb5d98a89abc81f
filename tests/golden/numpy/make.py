"""Writes small npy files for tests/unit/data/arrays.test.ts. Run: python3 make.py, with numpy."""

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
table = np.arange(6, dtype=np.float32).reshape(3, 2) - 2.5

np.save(HERE / "f4.npy", table)
np.save(HERE / "f8.npy", np.array([1 / 3, 1e300, np.nan]))
np.save(HERE / "i4.npy", np.array([-1, 0, 2147483647], dtype=np.int32))
np.save(HERE / "i8.npy", np.array([-2147483648, 0, 9], dtype=np.int64))
np.save(HERE / "u1.npy", np.arange(24, dtype=np.uint8).reshape(3, 2, 2, 2))
np.save(HERE / "b1.npy", np.array([True, False, True]))
np.save(HERE / "big-endian.npy", table.astype(">f4"))
with open(HERE / "version-2.npy", "wb") as file:
    np.lib.format.write_array(file, table, version=(2, 0))

np.save(HERE / "fortran.npy", np.asfortranarray(table))
np.save(HERE / "too-wide.npy", np.array([1, 2**31], dtype=np.int64))
np.save(HERE / "text.npy", np.array(["a", "b"]))
np.save(HERE / "records.npy", np.array([(1, 2.0)], dtype=[("a", "<i4"), ("b", "<f4")]))
np.save(HERE / "scalar.npy", np.float32(1))
