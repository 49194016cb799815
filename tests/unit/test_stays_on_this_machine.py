import socket

import pytest

REFUSED = "tests talk to this machine only"


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(pytest.fail.Exception, match=REFUSED):
        socket.getaddrinfo("api.openai.com", 443)


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")], ids=["v4", "v6"]
)
def test_an_address_is_not_connected_to(family: socket.AddressFamily, address: str) -> None:
    with socket.socket(family) as client, pytest.raises(pytest.fail.Exception, match=REFUSED):
        client.connect((address, 9))


def test_this_machine_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()
