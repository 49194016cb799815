"""What every test shares: nothing leaves this machine, and where the neighbouring folder of real recordings is."""

import ipaddress
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import settings

ROOT: Final = Path(__file__).parents[1]

# a busy machine makes an example slow, not wrong
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


def _is_loopback(host: object) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "")
    if text in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _stay_here(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = args[0]
    elif event == "socket.connect" and isinstance(args[1], tuple):  # a path is a socket on this machine
        host = args[1][0]
    else:
        return
    if not _is_loopback(host):
        # `Failed` is no `Exception`: an SDK would wrap one into a connection error and try again
        pytest.fail(f"a test reached out to {host!r}: tests talk to this machine only")


sys.addaudithook(_stay_here)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real recordings and published figures beside the repository; it is not part of it."""
    folder = ROOT.parent / "shared"
    if not (folder / "corpus").is_dir():
        pytest.skip("the recordings in ../shared are not on this machine")
    return folder
