"""Requests whose client asks before it sends the body (`Expect: 100-continue`)."""

from uvicorn._types import ASGIReceiveEvent, ASGISendEvent

from skg_site.server.connections.cycles import Cycle


class ExpectingCycle(Cycle):
    """uvicorn's cycle, but the connection ends if the client was never told to send its body.

    Such a client may send the body or not (RFC 9110, 10.1.1): the next bytes may be a body or a request.
    """

    async def receive(self) -> ASGIReceiveEvent:
        if self.body or not self.more_body:
            # The client has not waited.
            self.waiting_for_100_continue = False
        return await super().receive()

    async def send(self, message: ASGISendEvent) -> None:
        if self.waiting_for_100_continue and self.more_body:
            self.keep_alive = False
        await super().send(message)
