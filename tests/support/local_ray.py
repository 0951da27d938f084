"""A Ray of this machine, for the tests that need a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator


@contextlib.contextmanager
def local_ray(cores: int = 2) -> Iterator[None]:
    """A cluster of so many workers of one core each, gone when the block ends."""
    import ray

    paths = [os.getcwd(), *filter(None, [os.environ.get("PYTHONPATH")])]
    ray.init(
        # Another Ray of this machine would be taken otherwise.
        "local",
        num_cpus=cores,
        include_dashboard=False,
        object_store_memory=200 << 20,
        log_to_driver=False,
        logging_level=logging.ERROR,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(paths)}},
    )
    try:
        yield
    finally:
        ray.shutdown()
