"""An S3 server that tests start, and buckets on it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

_numbers = count(1)


@dataclass
class S3Server:
    """A running server. `log`: where it notes requests."""

    port: int
    log: Path

    @classmethod
    @contextlib.contextmanager
    def started(cls, log: Path) -> Iterator[S3Server]:
        """A server that runs within the block."""
        log.touch()
        program = [sys.executable, str(Path(__file__).with_name("s3_server.py")), str(log)]
        with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            yield cls(int(process.stdout.readline()), log)
            assert process.stdin is not None
            process.stdin.close()
            process.terminate()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables of who uses it."""
        return {
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def bucket(self) -> Bucket:
        """A new bucket."""
        import boto3

        client = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=self.endpoint,
            aws_access_key_id="tester",
            aws_secret_access_key="secret",
        )
        name = f"bucket-{next(_numbers)}"
        client.create_bucket(Bucket=name)
        return Bucket(self, name, client)


@dataclass
class Bucket:
    """A bucket as seen by another program than ours."""

    server: S3Server
    name: str
    client: Any
    _seen: int = field(default=0)

    def address(self, key: str) -> str:
        return f"s3://{self.name}/{key}"

    def put(self, key: str, content: str | bytes) -> str:
        """Its address."""
        data = content.encode() if isinstance(content, str) else content
        self.client.put_object(Bucket=self.name, Key=key, Body=data)
        return self.address(key)

    def get(self, key: str) -> bytes:
        content = self.client.get_object(Bucket=self.name, Key=key)["Body"].read()
        assert isinstance(content, bytes)
        return content

    def keys(self) -> list[str]:
        """The names of all objects, but for those that stand for folders."""
        listed = self.client.list_objects_v2(Bucket=self.name).get("Contents", [])
        return [item["Key"] for item in listed if not item["Key"].endswith("/")]

    def unfinished(self) -> int:
        """How many uploads were begun and not ended."""
        return len(self.client.list_multipart_uploads(Bucket=self.name).get("Uploads", []))

    def requests(self) -> list[str]:
        """What was asked of the server since this was called last: method and path of each."""
        with self.server.log.open() as lines:
            lines.seek(self._seen)
            new = lines.readlines()
            self._seen = lines.tell()
        return [" ".join(line.split()[:2]) for line in new]
