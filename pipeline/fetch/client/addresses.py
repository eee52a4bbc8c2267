"""Which IP addresses may be connected to.

Two tables of our own, and no `ipaddress.is_global`: what that says differs between Python 3.11,
3.12 and 3.13, and all of them call 6to4, NAT64 or multicast addresses global that lead into
private networks. The tables are the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890
and its successors; as of 2026-11), read strictly: what a registry sets aside is refused also where
it says "globally reachable", but for anycast services that stand in ordinary address space. Of
IPv6 only 2000::/3 can be reached at all; the rest is refused without being listed.
"""

import functools
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

PRIVATE: Final = frozenset({"loopback", "private"})
"""What `Limits.allow_private_networks` lets pass; link-local and metadata addresses never do."""

_IPV4: Final = tuple(
    (int(network[0]), int(network[-1]), kind)
    for network, kind in (
        (IPv4Network("0.0.0.0/8"), "this_network"),  # RFC 1122: on Linux 0.0.0.0 is loopback
        (IPv4Network("10.0.0.0/8"), "private"),  # RFC 1918
        (IPv4Network("100.64.0.0/10"), "shared"),  # RFC 6598, carrier NAT; Alibaba's metadata
        (IPv4Network("127.0.0.0/8"), "loopback"),  # RFC 1122
        (IPv4Network("168.63.129.16/32"), "metadata"),  # public by number, the host of an Azure VM
        (IPv4Network("169.254.0.0/16"), "link_local"),  # RFC 3927; metadata of most clouds
        (IPv4Network("172.16.0.0/12"), "private"),  # RFC 1918
        (IPv4Network("192.0.0.0/24"), "protocol"),  # RFC 6890; Oracle's metadata
        (IPv4Network("192.0.2.0/24"), "documentation"),  # RFC 5737
        (IPv4Network("192.88.99.0/24"), "relay"),  # RFC 7526: relays of 6to4
        (IPv4Network("192.168.0.0/16"), "private"),  # RFC 1918
        (IPv4Network("198.18.0.0/15"), "benchmarking"),  # RFC 2544
        (IPv4Network("198.51.100.0/24"), "documentation"),
        (IPv4Network("203.0.113.0/24"), "documentation"),
        (IPv4Network("224.0.0.0/4"), "multicast"),  # RFC 5771
        (IPv4Network("240.0.0.0/4"), "reserved"),  # RFC 1112, and limited broadcast
    )
)
_IPV6: Final = tuple(  # the first that holds an address names it
    (int(network[0]), int(network[-1]), kind)
    for network, kind in (
        (IPv6Network("::/128"), "unspecified"),
        (IPv6Network("::1/128"), "loopback"),
        (IPv6Network("::/96"), "ipv4_compatible"),  # RFC 4291: no such address is in use
        (IPv6Network("64:ff9b::/96"), "nat64"),  # RFC 6052: 64:ff9b::a00:1 is 10.0.0.1
        (IPv6Network("64:ff9b:1::/48"), "nat64"),  # RFC 8215
        (IPv6Network("2001::/32"), "teredo"),  # RFC 4380
        (IPv6Network("2001::/23"), "protocol"),  # RFC 2928: ORCHID, benchmarking, DRIP
        (IPv6Network("2001:db8::/32"), "documentation"),  # RFC 3849
        (IPv6Network("2002::/16"), "6to4"),  # RFC 3056: 2002:a00:1:: is 10.0.0.1
        (IPv6Network("3fff::/20"), "documentation"),  # RFC 9637
        (IPv6Network("fd00:ec2::/32"), "metadata"),  # Amazon's
        (IPv6Network("fd20:ce::/32"), "metadata"),  # Google's
        (IPv6Network("fc00::/7"), "private"),  # RFC 4193
        (IPv6Network("fe80::/10"), "link_local"),
        (IPv6Network("fec0::/10"), "site_local"),  # RFC 3879
        (IPv6Network("ff00::/8"), "multicast"),
    )
)
_GLOBAL: Final = IPv6Network("2000::/3")  # IANA: all global unicast that was ever given out


_NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052


@functools.lru_cache(maxsize=1 << 16)
def refuses(address: str, *, nat64: bool = False) -> str:
    """Why this address must not be connected to, in one word; "" where it may.

    `invalid` for what is no IPv4 or IPv6 address in numbers. IPv4-mapped addresses
    (`::ffff:127.0.0.1`) are judged as the IPv4 address that they are connected to as. `nat64`: so
    are those of the well-known prefix, of which what leads to a refused address stays `nat64`; the
    prefix for local use (RFC 8215) stays refused, since nobody else knows where it leads.
    """
    try:
        return _refuses4(int(IPv4Address(address)))
    except AddressValueError:
        pass
    try:
        found = IPv6Address(address)
    except AddressValueError:
        return "invalid"
    mapped = found.ipv4_mapped
    if nat64 and found in _NAT64:
        return "nat64" if _refuses4(int(found) & 0xFFFF_FFFF) else ""
    return _refuses6(int(found)) if mapped is None else _refuses4(int(mapped))


def _refuses4(number: int) -> str:
    return next((kind for first, last, kind in _IPV4 if first <= number <= last), "")


def _refuses6(number: int) -> str:
    for first, last, kind in _IPV6:
        if first <= number <= last:
            return kind
    return "" if int(_GLOBAL[0]) <= number <= int(_GLOBAL[-1]) else "reserved"
