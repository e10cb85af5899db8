"""A real nginx with the configuration that is shipped, at addresses and with a certificate of the test's own."""

import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import orjson
import trustme

from skg_site.env import BASE_DIR
from tests.support.service import free_port
from tests.support.tools import require_tool

TEMPLATE = BASE_DIR / "deploy/nginx/skg-api.conf.template"
DOMAIN = "localhost"
SECONDS = 20


class Proxy:
    """nginx in front of what listens at `upstream`; `changes` are texts of the configuration to be replaced."""

    def __init__(self, folder: Path, upstream: str, changes: Mapping[str, str] | None = None) -> None:
        self.program = require_tool("nginx")
        self.folder = folder
        self.http_port, self.https_port = free_port(), free_port()
        self.url = f"https://{DOMAIN}:{self.https_port}"
        self.upstream = upstream
        self.changes = {
            "/etc/nginx/tls": str(folder),
            "/var/log/nginx": str(folder),
            "/var/lib/nginx/acme": str(folder),
        } | dict(changes or {})
        self.process: subprocess.Popen[bytes] | None = None
        authority = trustme.CA()
        certificate = authority.issue_cert(DOMAIN)
        certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
        for part in certificate.cert_chain_pems:
            part.write_to_path(str(folder / "fullchain.pem"), append=True)
        self.authority = authority.cert_pem.bytes().decode("ascii")
        self.trust = ssl.create_default_context(cadata=self.authority)
        self.configuration = folder / "nginx.conf"
        (folder / "skg-api.conf").write_text(self._site())
        self.configuration.write_text(self._main())

    def _site(self) -> str:
        """The shipped file, filled in as envsubst does, with the test's ports and folders."""
        text = TEMPLATE.read_text(encoding="utf-8")
        text = text.replace("${NGINX_DOMAIN}", DOMAIN).replace("${NGINX_UPSTREAM}", self.upstream)
        text = re.sub(r"^ *listen \[::\].*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"\blisten 80\b", f"listen 127.0.0.1:{self.http_port}", text)
        text = re.sub(r"\blisten 443\b", f"listen 127.0.0.1:{self.https_port}", text)
        for shipped, own in self.changes.items():
            assert shipped in text, f"the configuration has no {shipped}"
            text = text.replace(shipped, own)
        return text

    def _main(self) -> str:
        # Workers of a master that is root would become another user, whom the test's folder does not let in.
        user = "user root;" if os.geteuid() == 0 else ""
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        folders = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in kinds)
        return (
            f"{user} daemon off; pid {self.folder}/nginx.pid; error_log {self.folder}/error.log info;\n"
            f"events {{}}\nhttp {{\n{folders}include {self.folder}/skg-api.conf;\n}}\n"
        )

    def check(self) -> subprocess.CompletedProcess[str]:
        """`nginx -t`"""
        command = [self.program, "-t", "-c", str(self.configuration)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)

    def start(self) -> None:
        with (self.folder / "output").open("ab") as output:
            command = [self.program, "-c", str(self.configuration)]
            self.process = subprocess.Popen(command, stdout=output, stderr=output)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                httpx.get(f"http://{DOMAIN}:{self.http_port}/", timeout=5)
            except httpx.TransportError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"nginx did not start:\n{(self.folder / 'output').read_text()}")

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)

    def connect(self, context: ssl.SSLContext | None = None, name: str = DOMAIN) -> ssl.SSLSocket:
        """A connection whose every byte the test decides; its handshake may fail with SSLError."""
        plain = socket.create_connection(("127.0.0.1", self.https_port), timeout=30)
        return (context or self.trust).wrap_socket(plain, server_hostname=name)

    def client(self, key: str | None = None, *, address: str = "127.0.0.1") -> httpx.Client:
        """A client that comes from this address of the loopback network."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        transport = httpx.HTTPTransport(verify=self.trust, local_address=address)
        return httpx.Client(base_url=self.url, headers=headers, transport=transport, timeout=30)

    def async_client(self, key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"}
        return httpx.AsyncClient(base_url=self.url, headers=headers, verify=self.trust, timeout=30)

    @property
    def access_log_lines(self) -> list[dict[str, Any]]:
        """The log so far, each line an object."""
        return [orjson.loads(line) for line in (self.folder / "access.log").read_bytes().splitlines()]
