"""The tests' own guards: nothing leaves this machine, no setting of the developer's shell comes in."""

from __future__ import annotations

import os
import socket

import pytest
import requests


def test_a_connection_to_another_machine_is_refused_by_its_address() -> None:
    with socket.socket() as client, pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        client.connect(("192.0.2.1", 80))


def test_a_datagram_to_another_machine_is_refused() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
        pytest.raises(RuntimeError, match=r"192\.0\.2\.1"),
    ):
        client.sendto(b"hello", ("192.0.2.1", 1812))


def test_names_of_other_machines_are_unknown() -> None:
    with pytest.raises(requests.ConnectionError):
        requests.get("http://crm.example", timeout=1)


def test_this_machine_can_be_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5),
    ):
        connection, _ = server.accept()
        connection.close()


def test_settings_of_the_shell_are_gone() -> None:
    assert [name for name in os.environ if name.startswith("KAITONG_")] == []
