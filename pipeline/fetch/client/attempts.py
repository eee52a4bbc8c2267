"""What is known of a request under way, and what its failure is called."""

import logging
import ssl
from contextvars import ContextVar
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError

from openm3w.pipeline.fetch.client.bodies import BadEncodingError, TooLargeError

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class Attempt:
    """What is known of a request under way, where aiohttp's hooks do not say which it is."""

    proxied: bool = False
    refused: bool = False
    connects: int = 0


class NoProxyError(OSError):
    """What the environment names as a proxy is none that can be asked."""


ATTEMPT: ContextVar[Attempt] = ContextVar("openm3w_attempt")
"""The attempt that this code runs for."""


_REASONS: tuple[tuple[type[BaseException], str], ...] = (  # the first that fits
    (NoProxyError, "connect_failure"),
    (TooLargeError, "too_large"),
    (BadEncodingError, "bad_encoding"),
    (aiohttp.SocketTimeoutError, "idle_timeout"),
    (TimeoutError, "total_timeout"),
    (aiohttp.ClientConnectorDNSError, "dns_failure"),
    (aiohttp.ClientSSLError, "tls_failure"),
    (ssl.SSLError, "tls_failure"),
    (aiohttp.ClientConnectorError, "connect_failure"),
    (aiohttp.ClientHttpProxyError, "connect_failure"),
    (aiohttp.InvalidURL, "bad_url"),
    (aiohttp.ClientResponseError, "bad_response"),
    (HttpProcessingError, "bad_response"),
    (aiohttp.ClientPayloadError, "connection_lost"),
    (aiohttp.ClientError, "connection_lost"),
    (OSError, "connection_lost"),
)


def fault(error: Exception, attempt: Attempt) -> str:
    """The reason, of outcomes.FAULTS or REFUSED, that an exception stands for."""
    if attempt.refused:
        return "private_address"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connect_timeout" if attempt.connects else "dns_failure"
    reason = next((reason for kind, reason in _REASONS if isinstance(error, kind)), "")
    if not reason:
        _LOGGER.error("a request failed in a way that should not be possible", exc_info=error)
    return reason or "bad_response"
