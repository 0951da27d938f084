"""Compress pictures: scikit-learn's handwritten digits as rows of pixels, to a few numbers and back.

Writes digits.png, originals above what their codes give back, and prints how much of them is kept.
Run it with `python sample_data/digits.py [NUMBERS IN A CODE]`; it needs matplotlib.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from aedetect import Detector

SHOWN, SIDE = 10, 8


def main(size: int) -> None:
    pixels = pd.DataFrame(load_digits().data).add_prefix("pixel_")
    learned, fresh = pixels[:1400], pixels[1400:]
    detector = Detector({"model.latent_dim": size, "training.fold_below": 0}).fit(learned)
    codes = detector.encode(fresh)
    # Pixels that never varied have no place in the model: blank before, blank after.
    rebuilt = detector.decode(codes).reindex(columns=pixels.columns, fill_value=0.0).astype(float)
    error = float(((rebuilt.to_numpy() - fresh.to_numpy()) ** 2).sum())
    variance = float(((fresh.to_numpy() - learned.to_numpy().mean(axis=0)) ** 2).sum())
    kept = 1 - error / variance
    print(f"{pixels.shape[1]} pixels in {codes.shape[1]} numbers: {kept:.1%} of the variance kept")
    draw([fresh.to_numpy()[:SHOWN], rebuilt.to_numpy()[:SHOWN]], "digits.png")


def draw(rows: list[np.ndarray[Any, Any]], path: str) -> None:
    """Write pictures [pictures, pixels], a list of them below one another, to `path`."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SHOWN, len(rows)), layout="constrained")
    for axes, picture in zip(figure.subplots(len(rows), SHOWN).flat, np.concatenate(rows), strict=True):
        axes.imshow(picture.reshape(SIDE, SIDE), cmap="gray_r", vmin=0, vmax=16)
        axes.axis("off")
    figure.savefig(path, dpi=100)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 16)
