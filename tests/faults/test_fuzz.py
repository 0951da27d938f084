"""Model files with any byte changed, and inputs that nobody would write."""

from __future__ import annotations

import io
import os
import random
import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faults.kit import SCORE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.prompt import Prompt
from support.tables import tiny_frame

import aedetect
from aedetect.errors import ModelError


def refused(path: Path) -> None:
    with pytest.raises(ModelError):
        aedetect.load(path)


@pytest.mark.slow
def test_30_every_byte_of_the_header_and_a_sample_of_the_rest(
    prompt: Prompt, survived: Callable[[str], None]
) -> None:
    model = Path("tiny.aed")
    data = model.read_bytes()
    header = 8 + struct.unpack("<Q", data[:8])[0]
    chosen = [*range(header), *random.Random(0).sample(range(header, len(data)), 2000)]
    with open(model, "r+b", buffering=0) as stream:
        for place in chosen:
            for change in (1, 0x80):
                os.pwrite(stream.fileno(), bytes([data[place] ^ change]), place)
                refused(model)
            os.pwrite(stream.fileno(), data[place : place + 1], place)
    assert model.read_bytes() == data
    survived(
        f"model files: {2 * len(chosen):,} changes of one bit, in every one of the {header:,} bytes of the "
        f"header and in {len(chosen) - header:,} of the rest; none was loaded"
    )


@pytest.mark.slow
def test_30_cut_anywhere(prompt: Prompt, survived: Callable[[str], None]) -> None:
    model = Path("tiny.aed")
    cuts = sorted(random.Random(0).sample(range(model.stat().st_size), 1000), reverse=True)
    for size in cuts:
        os.truncate(model, size)
        refused(model)
    survived(f"model files: cut in {len(cuts):,} places; none was loaded")


TOKENS = [
    b",",
    b'"',
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b";",
    b"1e400",
    b"NaN",
    b"=1+1",
    b"<html>",
]


@st.composite
def mutations(draw: st.DrawFn, seed: bytes) -> bytes:
    """The seed with pieces taken out, doubled, moved or replaced, as a fuzzer would."""
    data = bytearray(seed)
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, max(len(data) - 1, 0)))
        stop = min(start + draw(st.integers(0, 40)), len(data))
        match draw(st.integers(0, 4)):
            case 0:
                del data[start:stop]
            case 1:
                data[start:start] = data[start:stop]
            case 2:
                data[start:stop] = draw(st.binary(max_size=12))
            case 3:
                data[start:start] = draw(st.sampled_from(TOKENS))
            case 4:
                if data:
                    data[start] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


def seeds() -> dict[str, bytes]:
    frame = tiny_frame(12)
    columnar = io.BytesIO()
    frame.to_parquet(columnar)
    return {
        "csv": frame.to_csv(index=False).encode(),
        "jsonl": frame.to_json(orient="records", lines=True).encode(),
        "parquet": columnar.getvalue(),
    }


SEEDS = seeds()
EXAMPLES = int(os.environ.get("RELIABILITY_FUZZ_EXAMPLES", "400"))


def check(prompt: Prompt, kind: str, data: bytes) -> int:
    """Whatever the input holds, the run ends as the contract says, in one line; gives its exit code."""
    source = prompt.write(f"in.{kind}", data)
    output = prompt.folder / prompt.write("out.csv", "old")
    before = set(prompt.files())
    result = prompt(*SCORE, source)
    assert result.exit_code in (0, 2, 3, 4), result.stderr
    assert "Traceback" not in result.stderr
    if result.exit_code in (3, 4):
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("error: ")
        assert output.read_text() == "old"
    assert set(prompt.files()) == before
    Path(source).unlink()
    return result.exit_code


@pytest.mark.slow
@pytest.mark.parametrize("kind", list(SEEDS))
def test_inputs_that_nobody_would_write(prompt: Prompt, survived: Callable[[str], None], kind: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(mutations(SEEDS[kind]))
    def fuzz(data: Any) -> None:
        codes[check(prompt, kind, data)] += 1

    codes: Counter[int] = Counter()
    fuzz()
    ends = ", ".join(f"{count:,} with {code}" for code, count in sorted(codes.items()))
    survived(f"{kind} inputs: {codes.total():,} mutations; scoring ended {ends}")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(sorted(SEEDS)).flatmap(lambda kind: st.tuples(st.just(kind), mutations(SEEDS[kind]))))
def test_a_few_of_them(prompt: Prompt, case: tuple[str, bytes]) -> None:
    check(prompt, *case)
