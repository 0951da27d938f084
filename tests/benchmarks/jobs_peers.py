"""What others do with the same rows: principal components, scikit-learn's imputers, a Gaussian copula.

All work on standardised columns: training rows and test rows as float arrays [rows, columns].
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd

Array = np.ndarray[Any, Any]

# Kernel density estimates on more rows take a copula minutes a set.
COPULA_ROWS, COPULA_COLUMNS = 1000, 120
# One regression per column and round: out of reach for very wide sets.
ITERATIVE_COLUMNS = 200
KNN_ROWS = 8000


def pca_rebuilt(train: Array, test: Array, size: int) -> Array:
    from sklearn.decomposition import PCA

    pca = PCA(min(size, *train.shape)).fit(train)
    return np.asarray(pca.inverse_transform(pca.transform(test)))


def pca_denoised(train: Array, noisy: Array, noise: float, seed: int) -> Array:
    """The projection on as many components as denoise the training rows best, under the same noise."""
    from sklearn.decomposition import PCA

    pca = PCA(random_state=0).fit(train)
    spoiled = train + noise * np.random.default_rng(seed).standard_normal(train.shape)
    codes, truth = pca.transform(spoiled), pca.transform(train)
    # In the rotated space, k components cost their own noise and the variance of all others.
    own = ((codes - truth) ** 2).sum(axis=0)
    left = (truth**2).sum(axis=0)
    costs = own.cumsum() + left.sum() - left.cumsum()
    kept = int(costs.argmin()) + 1
    basis = pca.components_[:kept]
    return np.asarray((noisy - pca.mean_) @ basis.T @ basis + pca.mean_)


def knn_imputed(train: Array, gaps: Array) -> Array:
    from sklearn.impute import KNNImputer

    return np.asarray(KNNImputer(keep_empty_features=True).fit(train[:KNN_ROWS]).transform(gaps))


def iterative_imputed(train: Array, gaps: Array) -> Array | None:
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    if train.shape[1] > ITERATIVE_COLUMNS:
        return None
    with warnings.catch_warnings():
        # Rounds that have not settled after the default number are this imputer's usual way.
        warnings.simplefilter("ignore")
        imputer = IterativeImputer(random_state=0, keep_empty_features=True)
        return np.asarray(imputer.fit(train).transform(gaps))


def categories_imputed(train: pd.DataFrame, gaps: pd.DataFrame, how: str) -> Array:
    """Categories [rows, columns] filled by an imputer on their indicators: the likeliest of each column.

    `how`: 'knn' or 'iterative'.
    """
    known = train.astype(object)
    indicators = pd.get_dummies(known, prefix_sep="=", dtype=float)
    asked = pd.get_dummies(gaps.astype(object), prefix_sep="=", dtype=float)
    asked = asked.reindex(columns=indicators.columns, fill_value=0.0)
    names = {column: [n for n in indicators if n.startswith(f"{column}=")] for column in train}
    for column, own in names.items():
        asked.loc[gaps[column].isna().to_numpy(), own] = np.nan
    impute = knn_imputed if how == "knn" else iterative_imputed
    filled = impute(indicators.to_numpy()[:KNN_ROWS], asked.to_numpy())
    if filled is None:
        raise ValueError(f"{indicators.shape[1]} categories are too many for an IterativeImputer here")
    result = gaps.astype(object).to_numpy(copy=True)
    for index, (column, own) in enumerate(names.items()):
        values = np.asarray(sorted(known[column].dropna().unique()), dtype=object)
        places = filled[:, [indicators.columns.get_loc(name) for name in own]].argmax(axis=1)
        empty = gaps[column].isna().to_numpy()
        result[empty, index] = values[places[empty]]
    return result


def copula_sampled(train: pd.DataFrame, count: int, seed: int) -> pd.DataFrame | None:
    """Rows of a Gaussian copula with its default margins; whole columns are rounded for it."""
    if find_spec("copulas") is None or train.shape[1] > COPULA_COLUMNS:
        return None
    from copulas.multivariate import GaussianMultivariate

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copula = GaussianMultivariate(random_state=seed)
        copula.fit(train.sample(min(COPULA_ROWS, len(train)), random_state=seed))
        drawn = copula.sample(count)[list(train.columns)]
    whole = [name for name in train if (train[name] == train[name].round()).all()]
    drawn[whole] = drawn[whole].round()
    return drawn.clip(train.min(), train.max(), axis=1)
