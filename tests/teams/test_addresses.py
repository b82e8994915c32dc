"""Where an endpoint may lie: the public internet, and what the operator has named."""

import pytest

from arena.teams.addresses import refusal


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.8.8.8",
        "[::1]",
        "0.0.0.0",
        "[::]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fe80::1]",
        "[fc00::1]",
        "224.0.0.1",
        "[ff02::1]",
        "255.255.255.255",
        "192.0.2.1",
        "[2001:db8::1]",
        "[fec0::1]",
        "[4000::1]",
        "[64:ff9b:1::808:808]",
    ],
)
def test_an_address_that_is_not_public_is_refused(host: str) -> None:
    refused = refusal(f"http://{host}:8000/v1", [])
    assert refused is not None
    assert "ARENA_ENDPOINT_ALLOW" in refused


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "0",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::169.254.169.254]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::1]",
        "[2001:0:808:808::80ff:fffe]",
        "[fe80::1%25lo]",
    ],
)
def test_another_way_to_write_an_inward_address_is_refused_as_well(host: str) -> None:
    assert refusal(f"http://{host}/v1", []) is not None


@pytest.mark.parametrize("host", ["8.8.8.8", "1.1.1.1:8443", "[2606:4700:4700::1111]"])
def test_a_public_address_is_admitted(host: str) -> None:
    assert refusal(f"https://{host}/v1", []) is None


@pytest.mark.parametrize(
    "host", ["[::ffff:8.8.8.8]", "[64:ff9b::8.8.8.8]", "[2002:808:808::1]", "[2001:0:7f00:1::f7f7:f7f7]"]
)
def test_an_address_that_leads_to_a_public_ipv4_address_is_admitted(host: str) -> None:
    assert refusal(f"https://{host}/v1", []) is None


def test_a_name_is_refused_for_the_address_it_has() -> None:
    refused = refusal("http://localhost:8000/v1", [])
    assert refused is not None
    assert "is not a public address" in refused


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", "x..example"])
def test_a_name_without_an_address_is_refused(host: str) -> None:
    assert refusal(f"http://{host}/v1", []) == f"the host name {host} has no address"


@pytest.mark.parametrize(
    "url",
    [
        "http://user@8.8.8.8/v1",
        "http://user:word@8.8.8.8/v1",
        "http://:word@8.8.8.8/v1",
        "http://8.8.8.8/v1?key=1",
        "http://8.8.8.8/v1#part",
        "http://127.0.0.1@8.8.8.8/v1",
    ],
)
def test_credentials_and_queries_have_no_place_in_the_url(url: str) -> None:
    refused = refusal(url, [])
    assert refused is not None
    assert "without credentials" in refused


@pytest.mark.parametrize(
    "url",
    [
        "",
        "8.8.8.8/v1",
        "ftp://8.8.8.8/v1",
        "file:///etc/passwd",
        "http:///v1",
        "http://[::1/v1",
        "http://8.8.8.8:99999/v1",
        "http://8.8.8.8:port/v1",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    assert refusal(url, ["0.0.0.0/0", "::/0"]) is not None


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://127.0.0.1:9101/v1", ["127.0.0.0/8"]),
        ("http://127.0.0.1:9101/v1", ["127.0.0.1"]),
        ("http://127.1/v1", ["10.0.0.0/8", "127.0.0.0/8"]),
        ("http://[::ffff:127.0.0.1]/v1", ["127.0.0.0/8"]),
        ("http://[::1]/v1", ["::1/128"]),
        ("http://[64:ff9b::10.1.2.3]/v1", ["10.0.0.0/8"]),
        ("http://[64:ff9b::10.1.2.3]/v1", ["64:ff9b::/96"]),
        ("http://localhost/v1", ["localhost"]),
        ("http://LocalHost/v1", ["localhost"]),
        ("http://localhost/v1", ["LOCALHOST"]),
        ("http://models.internal/v1", ["models.internal"]),
    ],
)
def test_what_the_operator_has_named_is_admitted(url: str, allow: list[str]) -> None:
    assert refusal(url, allow) is None


@pytest.mark.parametrize(
    ("url", "allow"),
    [
        ("http://127.0.0.1/v1", ["10.0.0.0/8"]),
        ("http://10.1.2.3/v1", ["models.internal", "10.2.0.0/16"]),
        ("http://sub.localhost.localdomain.invalid/v1", ["localhost"]),
        ("http://127.0.0.1/v1", ["localhost"]),
        ("http://[::1]/v1", ["127.0.0.0/8"]),
    ],
)
def test_what_the_operator_has_named_admits_nothing_else(url: str, allow: list[str]) -> None:
    assert refusal(url, allow) is not None
