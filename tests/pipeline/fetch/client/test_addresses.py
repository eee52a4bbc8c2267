"""Tests of the table of addresses: every special range, and its neighbours on either side."""

import pytest

from openm3w.pipeline.fetch.client.addresses import PRIVATE, refuses

# Edges are those of the registries: first and last address of a range, and the ones just outside.
IPV4 = {
    "0.0.0.0": "this_network",  # noqa: S104
    "0.255.255.255": "this_network",
    "1.0.0.0": "",
    "1.1.1.1": "",
    "8.8.8.8": "",
    "9.255.255.255": "",
    "10.0.0.0": "private",
    "10.255.255.255": "private",
    "11.0.0.0": "",
    "100.63.255.255": "",
    "100.64.0.0": "shared",
    "100.100.100.200": "shared",
    "100.127.255.255": "shared",
    "100.128.0.0": "",
    "126.255.255.255": "",
    "127.0.0.0": "loopback",
    "127.0.0.1": "loopback",
    "127.255.255.255": "loopback",
    "128.0.0.0": "",
    "168.63.129.15": "",
    "168.63.129.16": "metadata",
    "168.63.129.17": "",
    "169.253.255.255": "",
    "169.254.0.0": "link_local",
    "169.254.169.254": "link_local",
    "169.254.255.255": "link_local",
    "169.255.0.0": "",
    "172.15.255.255": "",
    "172.16.0.0": "private",
    "172.31.255.255": "private",
    "172.32.0.0": "",
    "191.255.255.255": "",
    "192.0.0.0": "protocol",
    "192.0.0.9": "protocol",
    "192.0.0.192": "protocol",
    "192.0.0.255": "protocol",
    "192.0.1.0": "",
    "192.0.2.0": "documentation",
    "192.0.2.255": "documentation",
    "192.0.3.0": "",
    "192.31.196.1": "",
    "192.88.98.255": "",
    "192.88.99.0": "relay",
    "192.88.99.255": "relay",
    "192.88.100.0": "",
    "192.167.255.255": "",
    "192.168.0.0": "private",
    "192.168.255.255": "private",
    "192.169.0.0": "",
    "198.17.255.255": "",
    "198.18.0.0": "benchmarking",
    "198.19.255.255": "benchmarking",
    "198.20.0.0": "",
    "198.51.99.255": "",
    "198.51.100.0": "documentation",
    "198.51.100.255": "documentation",
    "198.51.101.0": "",
    "203.0.112.255": "",
    "203.0.113.0": "documentation",
    "203.0.113.255": "documentation",
    "203.0.114.0": "",
    "223.255.255.255": "",
    "224.0.0.0": "multicast",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.0": "reserved",
    "255.255.255.255": "reserved",
}
IPV6 = {
    "::": "unspecified",
    "::1": "loopback",
    "::2": "ipv4_compatible",
    "::7f00:1": "ipv4_compatible",
    "::10.0.0.1": "ipv4_compatible",
    "::8.8.8.8": "ipv4_compatible",
    "::1:0:0": "reserved",
    "::ffff:0:10.0.0.1": "reserved",  # IPv4-translated, RFC 2765
    "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff": "reserved",
    "64:ff9b::": "nat64",
    "64:ff9b::a00:1": "nat64",
    "64:ff9b::8.8.8.8": "nat64",
    "64:ff9b::ffff:ffff": "nat64",
    "64:ff9b::1:0:0": "reserved",
    "64:ff9b:1::1": "nat64",
    "64:ff9b:1:ffff:ffff:ffff:ffff:ffff": "nat64",
    "64:ff9b:2::": "reserved",
    "100::1": "reserved",  # discarded, RFC 6666
    "100:0:0:1::1": "reserved",
    "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "reserved",
    "2000::": "",
    "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "",
    "2001::": "teredo",
    "2001::4136:e378:8000:63bf:3fff:fdd2": "teredo",
    "2001:0:ffff:ffff:ffff:ffff:ffff:ffff": "teredo",
    "2001:1::1": "protocol",
    "2001:2::1": "protocol",
    "2001:10::1": "protocol",
    "2001:20::1": "protocol",
    "2001:30::1": "protocol",
    "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff": "protocol",
    "2001:200::": "",
    "2001:4860:4860::8888": "",
    "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff": "",
    "2001:db8::": "documentation",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff": "documentation",
    "2001:db9::": "",
    "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "",
    "2002::": "6to4",
    "2002:a00:1::1": "6to4",
    "2002:808:808::1": "6to4",
    "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "6to4",
    "2003::": "",
    "2606:4700:4700::1111": "",
    "2620:4f:8000::1": "",
    "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "",
    "3fff::": "documentation",
    "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff": "documentation",
    "3fff:1000::": "",
    "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "",
    "4000::": "reserved",
    "5f00::1": "reserved",  # segment routing, RFC 9602
    "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "reserved",
    "fc00::": "private",
    "fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff": "private",
    "fd00:ec2::254": "metadata",
    "fd00:ec3::": "private",
    "fd20:ce::254": "metadata",
    "fd20:cf::": "private",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "private",
    "fe00::": "reserved",
    "fe80::": "link_local",
    "fe80::1%eth0": "link_local",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "link_local",
    "fec0::1": "site_local",
    "ff00::": "multicast",
    "ff02::1": "multicast",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "multicast",
}
MAPPED = {
    "::ffff:127.0.0.1": "loopback",
    "::ffff:7f00:1": "loopback",
    "0:0:0:0:0:ffff:a9fe:a9fe": "link_local",
    "::ffff:10.0.0.1": "private",
    "::ffff:0.0.0.0": "this_network",
    "::ffff:8.8.8.8": "",
}
NO_ADDRESS = [
    "",
    "localhost",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.0.0.1.",
    " 127.0.0.1",
    "127.0.0.1/8",
    "[::1]",
    "::1::",
    "١٢٧.0.0.1",
]


@pytest.mark.parametrize(("address", "kind"), [*IPV4.items(), *IPV6.items(), *MAPPED.items()])
def test_of_an_address_the_registries_decide(address: str, kind: str) -> None:
    assert refuses(address) == kind


@pytest.mark.parametrize("address", IPV4)
def test_behind_nat64_an_ipv4_address_is_judged_where_that_is_asked_for(address: str) -> None:
    assert refuses(f"64:ff9b::{address}") == "nat64"
    assert refuses(f"64:ff9b::{address}", nat64=True) == ("nat64" if IPV4[address] else "")
    # Of local use: nobody else knows where it leads.
    assert refuses(f"64:ff9b:1::{address}", nat64=True) == "nat64"


def test_nat64_lets_nothing_else_through() -> None:
    others = {a: kind for a, kind in (IPV6 | MAPPED).items() if not a.startswith("64:ff9b::")}
    assert {address: refuses(address, nat64=True) for address in others} == others
    assert refuses("64:ff9b::1:0:0", nat64=True) == "reserved"  # beyond the prefix


@pytest.mark.parametrize("text", NO_ADDRESS)
def test_what_is_no_address_in_numbers_is_refused(text: str) -> None:
    assert refuses(text) == "invalid"


def test_only_loopback_and_private_networks_can_ever_be_let_through() -> None:
    passing = {address for address, kind in (IPV4 | IPV6 | MAPPED).items() if kind in PRIVATE}

    assert {"127.0.0.1", "10.0.0.0", "::1", "fc00::", "::ffff:127.0.0.1"} <= passing
    assert not passing & {"169.254.169.254", "fd00:ec2::254", "0.255.255.255", "64:ff9b::a00:1"}
