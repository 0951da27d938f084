"""What tests type at the prompt, and what of the answer they compare."""

from __future__ import annotations

HEADER = "temp,load,site,open\n"
ROW = "20,40,north,true\n"


def results_of(rows: list[dict[str, str]]) -> list[tuple[str, ...]]:
    """The verdicts in rows of an output."""
    return [(row["anomaly_score"], row["anomaly_p_value"], row["is_anomaly"]) for row in rows]
