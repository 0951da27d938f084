"""What tests of `encode`, `decode`, `clean`, `impute` and `sample` share."""

from __future__ import annotations

import pandas as pd

ROWS = """\
name,temp,load,site,open
a,20,40,north,true
b,500,-900,north,true
c,,40,,false
d,21,42.50,mars,false
"""


def text(path: str) -> pd.DataFrame:
    """A table as it was written."""
    return pd.read_csv(path, dtype=str, keep_default_na=False)
