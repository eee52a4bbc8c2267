"""What the clients of object stores raise, without importing any of them."""

import sys

_CLIENT_FAULTS = (
    ("botocore.exceptions", "BotoCoreError"),  # no credentials, no such endpoint
    ("botocore.exceptions", "ClientError"),
    ("aiohttp", "ClientError"),
    ("gcsfs.retry", "HttpError"),
    ("google.auth.exceptions", "GoogleAuthError"),
    ("azure.core.exceptions", "AzureError"),
)
"""Errors of fsspec's clients that are no OSError, by the module that has them where it is used."""


def faults() -> tuple[type[Exception], ...]:
    """What a store may raise: OSError, and what the clients that are loaded have of their own."""
    modules = ((sys.modules.get(module), name) for module, name in _CLIENT_FAULTS)
    return (OSError, *(getattr(module, name) for module, name in modules if module is not None))


def is_denied(error: BaseException) -> bool:
    """Whether a store answered that this account may not do that."""
    # s3fs raises PermissionError, gcsfs an OSError in words, and of what it does not know an
    # HttpError with the code.
    codes = (getattr(error, name, None) for name in ("code", "status", "status_code"))
    is_forbidden = 403 in codes or str(error).startswith("Forbidden")
    return isinstance(error, PermissionError) or is_forbidden


def told(error: Exception) -> str:
    """An error in one line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())
