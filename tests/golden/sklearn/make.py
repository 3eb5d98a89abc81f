"""Writes metrics.json: metrics of fixed predictions as scikit-learn computes them.

Run with a Python that has scikit-learn: python3 tests/golden/sklearn/make.py
"""

import json
import pathlib

import numpy as np
import sklearn
from sklearn import metrics as m

rng = np.random.default_rng(7)


def classification(classes, rows):
    truth = rng.integers(0, classes, rows)
    raw = rng.normal(size=(rows, classes))
    raw[np.arange(rows), truth] += 1
    # Two decimals make ties, which ranks must treat rightly.
    scores = np.round(np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True), 2)
    scores /= scores.sum(axis=1, keepdims=True)
    predicted = scores.argmax(axis=1)
    weights = rng.uniform(0, 2, rows)
    expected = {}
    for key, w in (("plain", None), ("weighted", weights)):
        values = {
            "accuracy": m.accuracy_score(truth, predicted, sample_weight=w),
            "confusionMatrix": m.confusion_matrix(truth, predicted, sample_weight=w).tolist(),
            "logLoss": m.log_loss(truth, scores, sample_weight=w),
        }
        for average in ("macro", "micro", "weighted", None):
            name = average or "none"
            for metric, f in (("precision", m.precision_score), ("recall", m.recall_score), ("f1", m.f1_score)):
                value = f(truth, predicted, average=average, sample_weight=w, zero_division=0)
                values[f"{metric}.{name}"] = value.tolist() if average is None else value
        if classes == 2:
            values["rocAuc"] = m.roc_auc_score(truth, scores[:, 1], sample_weight=w)
        else:
            values["rocAuc"] = float(
                np.mean([m.roc_auc_score(truth == k, scores[:, k], sample_weight=w) for k in range(classes)])
            )
            # Without ties at the border, which are settled by convention.
            untied = scores + np.arange(classes) * -1e-9
            values["top2Accuracy"] = m.top_k_accuracy_score(truth, untied, k=2, sample_weight=w)
        expected[key] = values
    return {
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "weights": weights.tolist(),
        "expected": expected,
    }


def regression(rows, outputs):
    truth = 1000 + rng.normal(size=(rows, outputs)) * np.arange(1, outputs + 1)
    predicted = truth + rng.normal(size=(rows, outputs)) * 0.5
    weights = rng.uniform(0, 2, rows)
    expected = {}
    for key, w in (("plain", None), ("weighted", weights)):
        mse = m.mean_squared_error(truth, predicted, sample_weight=w)
        expected[key] = {
            "mse": mse,
            "rmse": mse**0.5,
            "mae": m.mean_absolute_error(truth, predicted, sample_weight=w),
            "r2": m.r2_score(truth, predicted, sample_weight=w),
        }
    return {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "weights": weights.tolist(),
        "expected": expected,
    }


golden = {
    "sklearn": sklearn.__version__,
    "binary": classification(2, 60),
    "multiclass": classification(5, 90),
    "regression": regression(40, 3),
}
pathlib.Path(__file__).with_name("metrics.json").write_text(json.dumps(golden) + "\n")
