import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from aedetect.sklearn import AutoencoderDetector


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks([AutoencoderDetector(epochs=3)])
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_flags_what_is_far_off():
    X, _ = make_blobs(300, centers=1, n_features=4, random_state=0)
    detector = AutoencoderDetector(contamination="auto").fit(X)
    far = X.mean(axis=0) + 30
    assert detector.predict(far[None]) == [-1]
    assert (detector.predict(X) == 1).mean() > 0.9


def test_contamination_sets_the_share_of_training_rows_flagged():
    X = np.random.default_rng(0).standard_normal((200, 3))
    detector = AutoencoderDetector(contamination=0.2, epochs=3).fit(X)
    assert (detector.predict(X) == -1).sum() == 40


def test_wrong_contamination_is_refused():
    with pytest.raises(ValueError, match=r"^contamination must be 'auto' or in \(0, 0.5\], got 0.9$"):
        AutoencoderDetector(contamination=0.9).fit(np.zeros((10, 2)))


def test_works_in_a_pipeline_and_clones():
    X = np.random.default_rng(0).standard_normal((60, 3))
    pipeline = clone(make_pipeline(StandardScaler(), AutoencoderDetector(epochs=2)))
    assert pipeline.fit(X).predict(X).shape == (60,)
