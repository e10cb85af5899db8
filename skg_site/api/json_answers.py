"""JSON responses that cost no more than their content."""

from http.cookies import SimpleCookie

from django.http import HttpResponse
from django.http.response import ResponseHeaders
from django.utils.functional import cached_property

MEDIA_TYPE = "application/json"
JSON_TYPE = (b"Content-Type", MEDIA_TYPE.encode())


class JSONAnswer(HttpResponse):
    """Django's response, without cookies, and with headers only if somebody asks for them.

    Django checks and converts each header of each response, and puts the content into a list, which takes longer than
    to make the JSON of one fact.
    """

    # What the parent sets for each response, and never changes for these.
    _charset = "utf-8"
    _handler_class = None
    _reason_phrase = None

    def __init__(self, body: bytes, status: int = 200) -> None:
        # The parent is not called, see above.
        self.status_code = status
        self._container = [body]
        self.closed = False

    @property
    def has_only_its_type(self) -> bool:
        """True if nobody has asked for the headers, so that they are `JSON_TYPE`."""
        return "headers" not in self.__dict__

    @cached_property
    def headers(self) -> ResponseHeaders:  # type: ignore[override]  # an attribute that is made at its first use
        return ResponseHeaders({"Content-Type": MEDIA_TYPE})

    @cached_property
    def cookies(self) -> SimpleCookie:  # type: ignore[override]  # as above; the API sends none
        return SimpleCookie()

    @cached_property
    def _resource_closers(self) -> list[object]:
        return []
