"""Why an image element of a page is no part of its document."""

from enum import StrEnum


class Reason(StrEnum):
    """The closed set of reasons; every image element left out has exactly one."""

    OUTSIDE_CONTENT = "outside_content"
    """Stands outside the content region: header, navigation, sidebar, related pages."""
    HIDDEN = "hidden"
    """Is not shown: hidden attribute or style, template."""
    ICON_NAME = "icon_name"
    """Its name or class says icon, logo, avatar, button or the like."""
    TRACKING_PIXEL = "tracking_pixel"
    """Declared as at most two pixels, or named as a spacer or beacon."""
    DECLARED_TOO_SMALL = "declared_too_small"
    """Declared narrower or lower than 64 pixels (Flamingo, 2204.14198, A.3)."""
    DATA_URI = "data_uri"
    """Names nothing but inline data."""
    NO_URL = "no_url"
    """Names no address, or one that does not resolve."""
    NOT_HTTP = "not_http"
    """Names only addresses of other schemes (file:, blob:, cid:)."""
    REPEATED = "repeated"
    """The same image stands earlier in the content, or it stands there four times and more, as
    bullets and rating stars do."""
    NOSCRIPT_TWIN = "noscript_twin"
    """Repeats, for browsers without scripts, the lazy image beside it."""
