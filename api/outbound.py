"""What goes out over HTTP: a POST to a witness or a timestamp authority, and never further.

All of it runs on one event loop in one thread, so that a limit of time is one of the wall clock: a
peer that sends a byte now and then is hung up on like one that sends nothing.
"""

import asyncio
import threading
from concurrent.futures import CancelledError
from typing import Final, Self

import httpx

from ledger.vouching.sending import Answer, Unanswered

ANSWER_BYTES_MAX: Final = 64 * 1024
"""No cosignature and no timestamp comes near it; what is longer is not read on."""

GRACE_SECONDS: Final = 1.0
CONNECTIONS_MAX: Final = 64


class Outbound:
    """A `ledger.vouching.sending.Send` over HTTP/1.1; close it, or use it in a `with`.

    Redirects are answers like others. Neither proxies nor passwords of the environment are used.
    """

    def __init__(self) -> None:
        trusted = httpx.create_ssl_context(trust_env=False)
        trusted.load_default_certs()  # also those that this machine's administrator trusts
        self._loop = asyncio.new_event_loop()
        self._turn = threading.Lock()
        self._closed = False
        self._client = httpx.AsyncClient(
            verify=trusted,
            follow_redirects=False,
            trust_env=False,
            timeout=None,  # noqa: S113 (every request has one limit for the whole of it)
            limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
            headers={"User-Agent": "hireledger", "Accept-Encoding": "identity"},
        )
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="hireledger-outbound", daemon=True
        )
        self._thread.start()

    def __call__(self, url: str, content_type: str, body: bytes, seconds_max: float) -> Answer:
        """See `Send`; raises `Unanswered`, and nothing else for what a peer does."""
        with self._turn:
            if self._closed:
                raise Unanswered("nothing goes out any more")
            asking = self._asked(url, content_type, body, seconds_max)
            future = asyncio.run_coroutine_threadsafe(asking, self._loop)
        try:
            return future.result(seconds_max + GRACE_SECONDS)
        except TimeoutError:
            future.cancel()
            raise Unanswered(f"no whole answer within {seconds_max:g} s") from None
        except CancelledError:
            raise Unanswered("nothing goes out any more") from None
        except Unanswered:
            raise
        except Exception as error:  # libraries fail in many ways at odd addresses
            raise Unanswered(f"no answer ({type(error).__name__})") from error

    async def _asked(self, url: str, content_type: str, body: bytes, seconds_max: float) -> Answer:
        headers = {"Content-Type": content_type}
        async with (
            asyncio.timeout(seconds_max),
            self._client.stream("POST", url, content=body, headers=headers) as response,
        ):
            said = bytearray()
            async for chunk in response.aiter_raw():
                said += chunk
                if len(said) > ANSWER_BYTES_MAX:
                    raise Unanswered(f"an answer of more than {ANSWER_BYTES_MAX} bytes")
            kind = response.headers.get("content-type", "")
            return Answer(response.status_code, kind, bytes(said))

    def close(self) -> None:
        """Hang up on everybody; who waits for an answer gets `Unanswered`."""
        with self._turn:
            if self._closed:
                return
            self._closed = True
        # Nothing is begun any more: what runs now is all there is to end.
        asyncio.run_coroutine_threadsafe(self._hung_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _hung_up(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
