"""Whether this machine computes as the one did on which the expected results were written.

Single precision gives other last digits where other instructions add in another order.
"""

from __future__ import annotations

import hashlib
import platform

import torch

PRIMES = (3, 7, 11)


def machine() -> dict[str, str]:
    """What the last digits of a score depend on."""
    return {
        "machine": platform.machine(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "torch": torch.__version__,
        "arithmetic": _digest_of_products(),
    }


def _digest_of_products() -> str:
    """Digest of a few products as networks take them; the same where sums run in the same order."""
    digest = hashlib.sha256()
    for prime in PRIMES:
        numbers = torch.arange(60 * 16, dtype=torch.float32).reshape(60, 16)
        rows = torch.frac(numbers / prime) - 0.5
        for result in (rows @ rows.T, torch.exp(rows).sum(1), torch.tanh(rows @ rows.T[:, :16])):
            digest.update(result.contiguous().numpy().tobytes())
    return digest.hexdigest()
