"""Writes Arrow files with packed buffers for tests/unit/data/arrow.test.ts. Run: python3 make.py, with pyarrow."""

from pathlib import Path

import pyarrow as pa
from pyarrow import feather, ipc

HERE = Path(__file__).parent
ROWS = 10_000  # more than the 64 KiB of a block of LZ4, so that blocks refer to those before them

table = pa.table(
    {
        "id": pa.array([row % 1000 for row in range(ROWS)], pa.int64()),
        "value": pa.array([None if row % 100 == 7 else row % 50 / 8 for row in range(ROWS)], pa.float64()),
        "text": pa.array([f"row {row % 50}" for row in range(ROWS)]),
        "word": pa.array(["even", "odd"] * (ROWS // 2)).dictionary_encode(),
    }
)

feather.write_feather(table, HERE / "lz4.feather")  # as it does without being asked
feather.write_feather(table, HERE / "zstd.feather", compression="zstd")
with ipc.new_stream(HERE / "lz4.arrows", table.schema, options=ipc.IpcWriteOptions(compression="lz4")) as stream:
    stream.write_table(table, max_chunksize=2_500)
