"""An S3 server on this machine alone, in a process of its own, which notes the requests that it gets.

`python s3_server.py LOG` prints its port and serves until its standard input closes. In a process of its own:
a call of Arrow's that holds Python's lock would wait for ever for a server in the same process.

Keys decide what is refused, as in `REFUSED`: each is an access key with a pattern of 'METHOD path?query'. Of
parts that the key SLOW sends, the second and later take a while, and are noted when they begin. Whatever the
key FAR asks for takes a twentieth of a second longer.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

# Access keys, and which of their requests get which answer.
REFUSED = {
    "NOBODY": (r".*", "403 Forbidden", "AccessDenied"),
    "READER": (r"(PUT|POST|DELETE) .*", "403 Forbidden", "AccessDenied"),
    "UNKNOWN": (r".*", "403 Forbidden", "InvalidAccessKeyId"),
    "NOSTART": (r"POST .*uploads", "400 Bad Request", "InvalidRequest"),
    "NOPART": (r"PUT .*partNumber=2", "400 Bad Request", "InvalidRequest"),
    "NOPUT": (r"PUT .*(?<!probe)", "400 Bad Request", "InvalidRequest"),
    "NOEND": (r"POST .*uploadId=.*", "400 Bad Request", "InvalidRequest"),
}
Start = Callable[..., Any]


def main(log: str) -> None:
    """Serve; each request is a line of `log`: method, path with query, status, range."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, type: str, message: str, *args: object) -> None:
            return

    served = DomainDispatcherApplication(create_backend_app)
    with open(log, "a", buffering=1) as lines:

        def app(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
            asked = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"

            def begin(status: str, headers: list[tuple[str, str]], *rest: object) -> Any:
                lines.write(f"{asked} {status.split()[0]} {environ.get('HTTP_RANGE', '-')}\n")
                return start(status, headers, *rest)

            key = re.search(r"Credential=(\w+)/", environ.get("HTTP_AUTHORIZATION", ""))
            pattern, status, code = REFUSED.get(key[1] if key else "", ("", "", ""))
            if key and key[1] == "FAR":
                time.sleep(0.05)
            if key and key[1] == "SLOW" and re.search("PUT .*partNumber=[2-9]", asked):
                lines.write(f"BEGIN {environ['RAW_URI']} 0 -\n")
                time.sleep(2)
            if pattern and re.fullmatch(pattern, asked.split("&")[0] if "POST" not in asked else asked):
                environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                begin(status, [("Content-Type", "application/xml")])
                return [f"<Error><Code>{code}</Code><Message>refused</Message></Error>".encode()]
            return served(environ, begin)

        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        print(server.server_port, flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
