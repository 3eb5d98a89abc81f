"""Writes steps.json: what scikit-learn's preprocessing makes of real and awkward data.

Run with a Python that has scikit-learn: python3 tests/golden/sklearn/make_steps.py
"""

import json
import pathlib

import numpy as np
import sklearn
from scipy.stats import norm, rankdata
from sklearn import preprocessing as p
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.decomposition import PCA
from sklearn.utils import murmurhash3_32

rng = np.random.default_rng(11)


def steps(x):
    """x: [rows, features]; goldens are [rows, ...], made in float64 of float32 data."""
    made = {
        "standardize": p.StandardScaler().fit_transform(x),
        "minMax": p.MinMaxScaler().fit_transform(x),
        "maxAbs": p.MaxAbsScaler().fit_transform(x),
        "robust": p.RobustScaler().fit_transform(x),
        "l2": p.Normalizer().fit_transform(x),
        "l1": p.Normalizer("l1").fit_transform(x),
        "max": p.Normalizer("max").fit_transform(x),
        "bucketize": p.KBinsDiscretizer(4, encode="ordinal", strategy="uniform").fit_transform(x),
    }
    if len(x) > 1:
        if len(x) > 50:
            made["quantileUniform"] = p.QuantileTransformer(n_quantiles=50).fit_transform(x)
            quantile_normal = p.QuantileTransformer(n_quantiles=50, output_distribution="normal")
            made["quantileNormal"] = quantile_normal.fit_transform(x)
        else:
            # A quantile for each row: the share below is the mean rank. scikit-learn's quantiles round here, and tear
            # equal values apart.
            made["quantileUniform"] = mean_shares(x)
        made["power"] = p.PowerTransformer().fit_transform(x)
        wide = PCA(3, svd_solver="full").fit(x)
        made["pca"] = with_signs(wide, wide.transform(x))
        white = PCA(3, svd_solver="full", whiten=True).fit(x)
        made["pcaWhite"] = with_signs(white, white.transform(x))
    return {name: rounded(values) for name, values in made.items()}


def mean_shares(x):
    shares = (rankdata(x, axis=0) - 1) / (len(x) - 1)
    return np.where(x == x.min(axis=0), 0, np.where(x == x.max(axis=0), 1, shares))


def rounded(values):
    """Twelve digits: outputs of dcml are float32."""
    return [[float(f"{value:.12g}") for value in row] for row in np.asarray(values)]


def with_signs(fitted, projected):
    """The largest coefficient of each direction positive."""
    largest = np.abs(fitted.components_).argmax(axis=1)
    return projected * np.sign(fitted.components_[np.arange(len(largest)), largest])


def case(x):
    x = np.asarray(x, dtype=np.float32).astype(float)
    return {"x": x.tolist(), "steps": steps(x)}


skewed = np.stack(
    [rng.lognormal(size=40), rng.normal(size=40), rng.uniform(-1, 0, 40) ** 3, rng.poisson(2, 40)], axis=1
)
small = rng.normal(size=(5, 3))
golden = {
    "sklearn": sklearn.__version__,
    "cases": {
        "breast cancer": case(load_breast_cancer().data[:60, :6]),
        "wine": case(load_wine().data[::4, :8]),
        "skewed": case(skewed),
        "ties": case(rng.integers(0, 4, (40, 4))),
    },
    "polynomial": {
        "x": small.tolist(),
        "degree 3": p.PolynomialFeatures(3, include_bias=False).fit_transform(small).tolist(),
        "interactions, with bias": p.PolynomialFeatures(2, interaction_only=True).fit_transform(small).tolist(),
    },
    "murmur3": [[text, seed, int(murmurhash3_32(text, seed=seed, positive=True))]
                for text in ("", "a", "ab", "abc", "abcd", "héllo wörld", "a longer text, of 31 bytes") for seed in (0, 42)],
    "normalQuantile": [[q, float(norm.ppf(q))] for q in (1e-300, 1e-20, 1e-7, 0.01, 0.07, 0.3, 0.5, 0.6, 0.95, 1 - 1e-9)],
}
pathlib.Path(__file__).with_name("steps.json").write_text(json.dumps(golden) + "\n")
