"""Ports of the local parts: chosen seconds before a part listens there, and nobody may come in between."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from localhost import processes
from localhost.processes import PORTS, Azurite, ProcessError, reserve_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def only_port(monkeypatch: pytest.MonkeyPatch) -> int:
    """One port that is free, and no other to choose from."""
    port, token = reserve_port()
    token.close()
    monkeypatch.setattr(processes, "PORTS", range(port, port + 1))
    return port


def test_outgoing_connections_take_none_of_them() -> None:
    """Linux gives them 32768 and up, macOS and Windows 49152 and up (their defaults)."""
    assert PORTS.stop <= 32_768


def test_a_reserved_port_can_be_listened_to(only_port: int) -> None:
    port, token = reserve_port()
    with token, socket.create_server(("127.0.0.1", port)):
        assert port == only_port


def test_a_port_that_somebody_listens_to_is_not_free(only_port: int) -> None:
    with socket.create_server(("127.0.0.1", only_port)), pytest.raises(ProcessError, match=str(only_port)):
        reserve_port()


def test_a_port_that_another_process_has_reserved_is_not_free_until_that_one_is_dead(only_port: int) -> None:
    code = f"""if True:
        import sys
        from localhost import processes
        processes.PORTS = range({only_port}, {only_port + 1})
        port, token = processes.reserve_port()
        print(port, flush=True)
        sys.stdin.read()"""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == f"{only_port}\n"
        with pytest.raises(ProcessError):
            reserve_port()
        other.send_signal(signal.SIGKILL)
        other.wait()
    port, token = reserve_port()
    token.close()
    assert port == only_port


def test_a_part_keeps_its_ports_while_it_is_stopped_and_gives_them_back_with_itself(tmp_path: Path) -> None:
    part = Azurite(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", part.port))
    port = part.port
    del part
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", port))
