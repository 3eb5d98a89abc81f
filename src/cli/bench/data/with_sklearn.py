"""Does one piece of work with scikit-learn, once for each line on the standard input; prints the seconds it took.

Run by `dcml bench data`: python -c PROGRAM (standardize | robust | rocAuc) FOLDER
"""

import sys
import time
from pathlib import Path

import numpy as np
import sklearn
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import RobustScaler, StandardScaler

work, folder = sys.argv[1], Path(sys.argv[2])
scalers = {"standardize": StandardScaler, "robust": RobustScaler}
if work in scalers:
    columns = int(sys.argv[3])
    x = np.fromfile(folder / "x", dtype="<f4").reshape(-1, columns)
else:
    scores = np.fromfile(folder / "scores", dtype="<f8")
    truth = np.fromfile(folder / "truth", dtype="<i4")

print(f"scikit-learn {sklearn.__version__}", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    if work in scalers:
        scalers[work]().fit(x).transform(x)
    else:
        roc_auc_score(truth, scores)
    print(time.perf_counter() - start, flush=True)
