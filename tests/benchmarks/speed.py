"""How fast aedetect scores and trains, beside PyOD's AutoEncoder (`make bench-speed`).

Data: synthetic, 20 float32 columns. A row is a point of five independent normal variables, sent
through a fixed random network (tanh, 32 units) and disturbed by normal noise (0.1 of each column's
spread). In an anomaly, six columns chosen at random come from another row: each value is ordinary, their
combination is not. Everything is drawn from numpy's default_rng(SEED).

Scoring: a model is trained with default settings on 20,000 rows; `aedetect score` then reads
2,000,000 rows from a Parquet file and writes them, with their scores, to another. The same command on a
file of 100 rows gives the start-up time (best of three), which is taken off. Peak memory is the
process's resident set. PyOD is timed on 100,000 of the rows, in memory, standardisation included.

Training: 100,000 normal rows in memory; `Detector.fit` with default settings beside
PyOD's AutoEncoder with its defaults on standardised columns, one after the other in this process.
PyOD is given one thread: with several its small batches are many times slower on a busy machine;
aedetect chooses its own number. Fit times include all that the call does: reading roles and calibration
here, scores of the training rows there. AUROC is over 20,000 other rows, 1,000 of them anomalies.

--quick: a tenth of the rows.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from common import aedetect, machine

SEED = 0
COLUMNS, LATENT, HIDDEN, MOVED = 20, 5, 32, 6
CHUNK = 100_000

Matrix = np.ndarray[Any, np.dtype[np.float32]]


class Source:
    """Normal rows and anomalies of the synthetic data."""

    def __init__(self) -> None:
        self.random = np.random.default_rng(SEED)
        self.first = self.random.normal(0, 1, (LATENT, HIDDEN)).astype(np.float32)
        self.second = self.random.normal(0, 1 / np.sqrt(HIDDEN), (HIDDEN, COLUMNS)).astype(np.float32)

    def normal(self, rows: int) -> Matrix:
        latent = self.random.standard_normal((rows, LATENT), dtype=np.float32)
        clean = np.tanh(latent @ self.first) @ self.second
        noise = self.random.standard_normal((rows, COLUMNS), dtype=np.float32)
        return np.asarray(clean + 0.1 * clean.std(axis=0) * noise, dtype=np.float32)

    def anomalies(self, rows: int) -> Matrix:
        own, other = self.normal(rows), self.normal(rows)
        order = self.random.random((rows, COLUMNS)).argsort(axis=1)
        return np.where(order < MOVED, other, own)


def table(matrix: Matrix) -> pa.Table:
    return pa.table({f"c{index}": matrix[:, index] for index in range(matrix.shape[1])})


def write(path: Path, source: Source, rows: int) -> None:
    writer = None
    for start in range(0, rows, CHUNK):
        part = table(source.normal(min(CHUNK, rows - start)))
        writer = writer or pq.ParquetWriter(path, part.schema)
        writer.write_table(part)
    assert writer
    writer.close()


def scoring(folder: Path, rows: int) -> float:
    """Prints, and returns, rows a second."""
    source = Source()
    train, tiny, full, model = (
        folder / name for name in ("train.parquet", "tiny.parquet", "full.parquet", "m.aed")
    )
    for path, count in ((train, 20_000), (tiny, 100), (full, rows)):
        write(path, source, count)
    aedetect("train", train, "-o", model)
    starts = [
        aedetect("score", tiny, "-m", model, "-o", folder / "tiny-out.parquet").seconds for _ in range(3)
    ]
    run = aedetect("score", full, "-m", model, "-o", folder / "full-out.parquet")
    assert run.summary["rows"] == rows
    assert pq.read_metadata(folder / "full-out.parquet").num_rows == rows
    rate = rows / (run.seconds - min(starts))
    print(f"scoring {rows:,} x {COLUMNS} from Parquet to Parquet, command line")
    print(f"  start-up             {min(starts):10.2f} s")
    print(f"  whole run            {run.seconds:10.2f} s")
    print(f"  on top of start-up   {rate:10,.0f} rows/s")
    print(f"  peak memory          {run.peak_mb:10,.0f} MB", flush=True)
    return rate


def training(rows: int, our_rate: float) -> None:
    import pandas as pd
    from sklearn.metrics import roc_auc_score

    from aedetect import Detector

    source = Source()
    learn, normal, odd = (
        source.normal(rows),
        source.normal(rows // 5 - rows // 100),
        source.anomalies(rows // 100),
    )
    test = np.concatenate([normal, odd])
    labels = np.repeat([0, 1], [len(normal), len(odd)])
    names = [f"c{index}" for index in range(COLUMNS)]

    clock = time.perf_counter()
    detector = Detector({"training.device": "cpu"}).fit(pd.DataFrame(learn, columns=names))
    seconds = time.perf_counter() - clock
    auroc = roc_auc_score(labels, detector.score(pd.DataFrame(test, columns=names))["anomaly_score"])
    print(
        f"\ntraining on {rows:,} x {COLUMNS} in memory; AUROC on {len(test):,} rows, {len(odd):,} anomalies"
    )
    print(f"  aedetect             {seconds:10.2f} s   AUROC {auroc:.4f}", flush=True)

    try:
        import torch
        from pyod.models.auto_encoder import AutoEncoder
        from sklearn.preprocessing import StandardScaler
    except ImportError as missing:
        print(f"  PyOD's AutoEncoder: not run ({missing}); pip install -e '.[bench]'")
        return
    torch.set_num_threads(1)
    clock = time.perf_counter()
    scaler = StandardScaler()
    peer = AutoEncoder(verbose=0, device="cpu", random_state=SEED).fit(scaler.fit_transform(learn))
    peer_seconds = time.perf_counter() - clock
    peer_auroc = roc_auc_score(labels, peer.decision_function(scaler.transform(test)))
    clock = time.perf_counter()
    peer.decision_function(scaler.transform(learn))
    peer_rate = len(learn) / (time.perf_counter() - clock)
    print(f"  PyOD's AutoEncoder   {peer_seconds:10.2f} s   AUROC {peer_auroc:.4f}")
    print(f"  PyOD's scoring       {peer_rate:10,.0f} rows/s on {len(learn):,} rows in memory")
    print("\nratios")
    print(f"  training time, theirs : ours   {peer_seconds / seconds:6.1f}")
    print(f"  scoring rate, ours : theirs    {our_rate / peer_rate:6.1f}")
    print(f"  AUROC, ours - theirs          {auroc - peer_auroc:+7.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    share = 10 if parser.parse_args().quick else 1
    print(f"{machine('pyod')}\nsynthetic data, seed {SEED}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        rate = scoring(Path(folder), 2_000_000 // share)
    training(100_000 // share, rate)


if __name__ == "__main__":
    main()
