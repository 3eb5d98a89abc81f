"""Writes metrics.json: metrics of fixed predictions as scikit-learn computes them.

Run with a Python that has scikit-learn: python3 tests/golden/sklearn/make.py
"""

import json
import pathlib

import numpy as np
import sklearn
from scipy.special import huber
from sklearn import metrics as m
from sklearn.calibration import calibration_curve
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

rng = np.random.default_rng(7)


AVERAGES = ("macro", "micro", "weighted", None)
EACH_CLASS = {
    "precision": m.precision_score,
    "recall": m.recall_score,
    "f1": m.f1_score,
    "f2": lambda *a, **k: m.fbeta_score(*a, beta=2, **k),
    "jaccard": m.jaccard_score,
}


def lists(value):
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def both_modes(weights, compute):
    return {key: {k: lists(v) for k, v in compute(w).items()} for key, w in (("plain", None), ("weighted", weights))}


def curves(truth, scores, w):
    precision, recall, cuts = m.precision_recall_curve(truth, scores, sample_weight=w)
    values = {"precisionRecallCurve": [precision.tolist(), recall.tolist(), cuts.tolist()]}
    if w is None:
        points = np.stack(m.roc_curve(truth, scores, drop_intermediate=False))
        steps = np.diff(points[:2])
        bends = ~np.isclose(steps[0, 1:] * steps[1, :-1], steps[0, :-1] * steps[1, 1:], atol=1e-12)
        values["rocCurve"] = points[:, np.concatenate(([True], bends, [True]))].tolist()
    return values


def class_metrics(truth, predicted, scores, classes, w):
    values = {
        "accuracy": m.accuracy_score(truth, predicted, sample_weight=w),
        "balancedAccuracy": m.balanced_accuracy_score(truth, predicted, sample_weight=w),
        "hammingLoss": m.hamming_loss(truth, predicted, sample_weight=w),
        "matthews": m.matthews_corrcoef(truth, predicted, sample_weight=w),
        "confusionMatrix": m.confusion_matrix(truth, predicted, sample_weight=w, labels=range(classes)),
        "logLoss": m.log_loss(truth, scores, sample_weight=w, labels=range(classes)),
        "perplexity": np.exp(m.log_loss(truth, scores, sample_weight=w, labels=range(classes))),
    }
    if len(np.unique(truth)) > 1:
        for weighting in (None, "linear", "quadratic"):
            values[f"cohenKappa.{weighting or 'none'}"] = m.cohen_kappa_score(
                truth, predicted, weights=weighting, sample_weight=w
            )
    for average in AVERAGES:
        for metric, f in EACH_CLASS.items():
            every = range(classes) if average is None else None
            values[f"{metric}.{average or 'none'}"] = f(
                truth, predicted, average=average, sample_weight=w, zero_division=0, labels=every
            )
    one_hot = np.eye(classes)[truth]
    if classes == 2:
        for metric, f in EACH_CLASS.items():
            values[f"{metric}.binary"] = f(truth, predicted, average="binary", sample_weight=w, zero_division=0)
        values["brier"] = m.brier_score_loss(truth, scores[:, 1], sample_weight=w)
        if len(np.unique(truth)) > 1:
            values["rocAuc"] = m.roc_auc_score(truth, scores[:, 1], sample_weight=w)
            values["averagePrecision"] = m.average_precision_score(truth, scores[:, 1], sample_weight=w)
            values.update(curves(truth, scores[:, 1], w))
        if w is None:
            observed, predicted_mean = calibration_curve(truth, scores[:, 1], n_bins=10)
            values["calibrationCurve"] = [predicted_mean.tolist(), observed.tolist()]
    else:
        values["brier"] = np.average(((scores - one_hot) ** 2).sum(axis=1), weights=w)
        for average in ("macro", "weighted"):
            values[f"rocAuc.{average}"] = m.roc_auc_score(
                truth, scores, multi_class="ovr", average=average, sample_weight=w
            )
            if w is None:
                values[f"rocAuc.ovo.{average}"] = m.roc_auc_score(truth, scores, multi_class="ovo", average=average)
        for average in AVERAGES:
            name = average or "none"
            values[f"averagePrecision.{name}"] = m.average_precision_score(
                one_hot, scores, average=average, sample_weight=w
            )
        values["rocAuc.micro"] = m.roc_auc_score(one_hot, scores, average="micro", sample_weight=w)
        # Without ties at the border, which are settled by convention.
        untied = scores + np.arange(classes) * -1e-9
        values["top2Accuracy"] = m.top_k_accuracy_score(truth, untied, k=2, sample_weight=w, labels=range(classes))
    return values


def classification(truth, scores):
    truth, scores = np.asarray(truth), np.asarray(scores)
    weights = rng.uniform(0, 2, len(truth)).round(3)
    predicted = scores.argmax(axis=1)
    return {
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "weights": weights.tolist(),
        "expected": both_modes(weights, lambda w: class_metrics(truth, predicted, scores, scores.shape[1], w)),
    }


def drawn_classes(classes, rows):
    truth = rng.integers(0, classes, rows)
    raw = rng.normal(size=(rows, classes))
    raw[np.arange(rows), truth] += 1
    # Two decimals make ties, which ranks must treat rightly.
    scores = np.round(np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True), 2)
    return classification(truth, scores / scores.sum(axis=1, keepdims=True))


def real_classes(load):
    """Held-out predictions of a logistic regression."""
    x, y = load(return_X_y=True)
    parts = train_test_split(x, y, test_size=0.25, random_state=3, stratify=y)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(parts[0], parts[2])
    scores = model.predict_proba(parts[1]).round(4)
    return classification(parts[3], scores / scores.sum(axis=1, keepdims=True))


def labels(rows, width):
    truth = rng.integers(0, 2, (rows, width))
    # A label that no row has, and one that is never predicted.
    truth[:, 0] = 0
    scores = np.clip(truth * 0.3 + rng.uniform(0, 0.7, (rows, width)), 0, 1).round(2)
    scores[:, 1] *= 0.5
    predicted = (scores > 0.5).astype(int)
    weights = rng.uniform(0, 2, rows).round(3)

    def compute(w):
        values = {
            "accuracy": m.accuracy_score(truth, predicted, sample_weight=w),
            "hammingLoss": m.hamming_loss(truth, predicted, sample_weight=w),
            "averagePrecision": m.average_precision_score(truth[:, 1:], scores[:, 1:], sample_weight=w),
            "rocAuc": m.roc_auc_score(truth[:, 1:], scores[:, 1:], sample_weight=w),
        }
        for average in (*AVERAGES, "samples"):
            for metric, f in EACH_CLASS.items():
                values[f"{metric}.{average or 'none'}"] = f(
                    truth, predicted, average=average, sample_weight=w, zero_division=0
                )
        return values

    return {
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "weights": weights.tolist(),
        "expected": both_modes(weights, compute),
    }


def regression(truth, predicted):
    # Powers of two: the weighted mean of a constant is then that constant in scikit-learn too, without rounding.
    weights = 2.0 ** rng.integers(-3, 2, len(truth))

    def compute(w):
        mse = m.mean_squared_error(truth, predicted, sample_weight=w)
        values = {
            "mse": mse,
            "rmse": mse**0.5,
            "mae": m.mean_absolute_error(truth, predicted, sample_weight=w),
            "mape": m.mean_absolute_percentage_error(truth, predicted, sample_weight=w),
            "explainedVariance": m.explained_variance_score(truth, predicted, sample_weight=w, force_finite=True),
            "medianAbsoluteError": m.median_absolute_error(truth, predicted, sample_weight=w),
            "pinball.0.1": m.mean_pinball_loss(truth, predicted, alpha=0.1, sample_weight=w),
            "huberLoss": np.average(huber(1, predicted - truth).mean(axis=1), weights=w),
        }
        if len(truth) > 1:
            values["r2"] = m.r2_score(truth, predicted, sample_weight=w)
        if truth.min() >= 0 and predicted.min() > 0:
            values["poissonDeviance"] = np.mean(
                [m.mean_poisson_deviance(truth[:, i], predicted[:, i], sample_weight=w) for i in range(truth.shape[1])]
            )
        if w is None:
            values["maxError"] = max(m.max_error(truth[:, i], predicted[:, i]) for i in range(truth.shape[1]))
        return values

    return {
        "truth": truth.tolist(),
        "predicted": predicted.tolist(),
        "weights": weights.tolist(),
        "expected": both_modes(weights, compute),
    }


def drawn_regression(rows, outputs):
    truth = 1000 + rng.normal(size=(rows, outputs)) * np.arange(1, outputs + 1)
    return regression(truth, truth + rng.normal(size=(rows, outputs)) * 0.5)


def real_regression():
    x, y = load_diabetes(return_X_y=True)
    parts = train_test_split(x, y, test_size=0.25, random_state=3)
    predicted = Ridge().fit(parts[0], parts[2]).predict(parts[1]).round(3)
    return regression(parts[3][:, None], predicted[:, None])


def ranking(queries, items):
    truth = rng.integers(0, 4, (queries, items)) * (rng.uniform(size=(queries, items)) < 0.4)
    truth[0] = 0
    scores = (truth * 0.2 + rng.uniform(size=(queries, items))).round(1)
    weights = rng.uniform(0, 2, queries).round(3)
    return {
        "truth": truth.tolist(),
        "scores": scores.tolist(),
        "weights": weights.tolist(),
        "expected": both_modes(
            weights,
            lambda w: {
                "ndcg": m.ndcg_score(truth, scores, sample_weight=w),
                "ndcg.5": m.ndcg_score(truth, scores, k=5, sample_weight=w),
            },
        ),
    }


one_class = drawn_classes(2, 20)
golden = {
    "sklearn": sklearn.__version__,
    "binary": drawn_classes(2, 60),
    "multiclass": drawn_classes(5, 90),
    "breast cancer": real_classes(load_breast_cancer),
    "wine": real_classes(load_wine),
    "digits": real_classes(load_digits),
    "one class only": classification(np.ones(20, int), one_class["scores"]),
    "a single row": classification([1], [[0.4, 0.6]]),
    "labels": labels(50, 4),
    "regression": drawn_regression(40, 3),
    "diabetes": real_regression(),
    "a constant truth": regression(np.full((12, 1), 3.0), rng.normal(size=(12, 1))),
    "counts": regression(rng.poisson(3, (30, 2)).astype(float), rng.uniform(1, 5, (30, 2))),
    "one row": regression(np.array([[2.0]]), np.array([[2.5]])),
    "ranking": ranking(25, 12),
}
pathlib.Path(__file__).with_name("metrics.json").write_text(json.dumps(golden) + "\n")
