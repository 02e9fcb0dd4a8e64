"""A server that a browser takes for the public host of a page's files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.support import HOST, Server, serve, uvicorn

NAME = "unpkg.com"


@contextmanager
def serve_as_public(application: str, folder: Path) -> Iterator[Server]:
    """Serve over TLS, with a key and a certificate that nobody has signed, which are made in `folder`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    key, made = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}", "-days", "2"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    with serve(uvicorn(application, "--ssl-keyfile", str(key), "--ssl-certfile", str(made))) as running:
        yield running


def browser_options(server: Server) -> tuple[str, str]:
    """Return what makes a browser ask this server in the place of the public host."""
    return f"--host-resolver-rules=MAP {NAME} {HOST}:{server.port}", "--ignore-certificate-errors"
