"""Nothing leaves the machine: the demo runs with every socket closed."""

import subprocess
import sys

import pytest

CLOSED = """
import socket
def refuse(*a, **k):
    raise RuntimeError("a socket was opened")
socket.socket.connect = refuse
socket.socket.connect_ex = refuse
socket.create_connection = refuse
socket.getaddrinfo = refuse
"""


@pytest.mark.slow
def test_the_demo_runs_with_sockets_closed(tmp_path):
    script = CLOSED + f"from declinethemes.cli import main\nmain(['demo', '--out', {str(tmp_path / 'demo')!r}])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "findings" in done.stderr
    for name in ("study.db", "report.html", "tables/findings.csv", "tables/themes.csv", "tables/documents.csv"):
        assert (tmp_path / "demo" / name).stat().st_size > 0
    assert (tmp_path / "demo" / "identities.json").stat().st_mode & 0o777 == 0o600


def test_a_closed_socket_is_noticed():
    script = CLOSED + "import urllib.request\nurllib.request.urlopen('http://localhost:9')"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "a socket was opened" in done.stderr
