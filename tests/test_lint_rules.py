"""The linter refuses what could run code from a file, in every spelling."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def codes(source: str) -> set[str]:
    """The rules that the linter finds broken in a module of the package."""
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise",
         "--stdin-filename", "aedetect/model_file.py", "-"],
        input=source, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    return {line.split()[1] for line in done.stdout.splitlines() if line.startswith("aedetect/")}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\n",
        "from pickle import loads\n",
        "import joblib\n",
        "import dill\n",
        "import cloudpickle\n",
        "import marshal\n",
        "import shelve\n",
        "import torch\n\ntorch.load('m')\n",
        "import torch\n\ntorch.save({}, 'm')\n",
        "from torch import load\n",
        "import torch as t\n\nt.load('m')\n",
        "import torch\n\ntorch.jit.load('m')\n",
        "import pandas as pd\n\npd.read_pickle('m')\n",
    ],
)
def test_pickle_and_torch_load_are_banned(source: str) -> None:
    assert "TID251" in codes(source)


@pytest.mark.parametrize("call", ["exec('1')", "eval('1')"])
def test_code_from_text_is_banned(call: str) -> None:
    assert codes(f"{call}\n") & {"S102", "S307"}


def test_what_is_used_instead_is_not() -> None:
    assert codes("from safetensors.numpy import load\n\nload(b'')\n") == set()
