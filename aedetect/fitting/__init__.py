"""From training inputs to a fitted model: survey, encode, split, train, calibrate."""

from aedetect.fitting.fit import Fitted, fit

__all__ = ["Fitted", "fit"]
