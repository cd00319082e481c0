"""Scores to a learning platform: LTI Assignment and Grade Services 2.0, with a token of OAuth 2 client credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

import httpx
from qcrbox.contract.errors import NotAllowed, QcError, Unreachable, UserInputError

from qcrbox_hub.accounts.lti_launches import LINE_ITEM_SCOPE, SCORE_SCOPE

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LINE_ITEM = "application/vnd.ims.lis.v2.lineitem+json"
_LINE_ITEMS = "application/vnd.ims.lis.v2.lineitemcontainer+json"
_SCORE = "application/vnd.ims.lis.v1.score+json"
# Waiting times between attempts, s; the platform may ask for longer ones.
DELAYS_S = (0.5, 2.0, 5.0)
LONGEST_WAIT_S = 15.0
# Where platforms put the reason of a refusal.
_REASON_FIELDS = ("message", "error_description", "detail", "error")
_AGAIN = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Score:
    """The points of a student. subject: the student's id at the platform. at: Unix time, s."""

    subject: str
    points: float
    most: float
    at: float


@dataclass(frozen=True, slots=True)
class Access:
    """How to get a token. assertion: makes a signed statement that we are the client, a new one each time."""

    token_url: str
    assertion: Callable[[], str]


class ScoreService:
    """The columns of marks of one course at a learning platform. Raises UserInputError, NotAllowed, Unreachable."""

    def __init__(
        self,
        access: Access,
        line_items: str,
        http: httpx.AsyncClient,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        _require_safe(access.token_url, access.token_url)
        _require_safe(line_items, access.token_url)
        self._access, self._line_items, self._http, self._sleep = access, line_items, http, sleep
        self._token = ""
        self._signing_in = asyncio.Lock()

    async def column(self, key: str, label: str, most: float) -> str:
        """Address of the column of an exercise, which is made when it is not there. key: our id of it."""
        query = {"resource_id": key, "limit": "100"}
        answer = await self._call("GET", self._line_items, params=query, headers={"Accept": _LINE_ITEMS})
        for item in _list_of(answer):
            if item.get("resourceId") == key and item.get("id"):
                return self._of_platform(str(item["id"]))
        body = {"scoreMaximum": most, "label": label[:250], "resourceId": key, "tag": "qcrbox"}
        answer = await self._call(
            "POST", self._line_items, json=body, headers={"Content-Type": _LINE_ITEM, "Accept": _LINE_ITEM}
        )
        made = _json(answer)
        if not isinstance(made, dict) or not made.get("id"):
            raise Unreachable(
                "The learning platform made no column for the marks.",
                why="Its answer names none.",
                part="marks",
            )
        return self._of_platform(str(made["id"]))

    async def send(self, column: str, score: Score) -> None:
        """Set the score of a student. Sending the same again changes nothing there but its time."""
        parts = urlsplit(column)
        address = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/scores"))
        body = {
            "userId": score.subject,
            "scoreGiven": score.points,
            "scoreMaximum": score.most,
            "timestamp": datetime.fromtimestamp(score.at, UTC).isoformat(timespec="microseconds"),
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
        }
        await self._call("POST", address, json=body, headers={"Content-Type": _SCORE})

    # ------------------------------------------------------------ inside

    def _of_platform(self, address: str) -> str:
        """An address that the platform answered. The token goes only to the scheme and host that the launch named."""
        if _parts(address)[:2] != _parts(self._line_items)[:2]:
            raise NotAllowed("The learning platform names a column of marks at another host.", where=address)
        return address

    async def _call(self, method: str, address: str, **more: Any) -> httpx.Response:
        """An answer below 400; after a 401 once more with a new token."""
        for fresh in (False, True):
            headers = {**more["headers"], "Authorization": f"Bearer {await self._bearer(fresh=fresh)}"}
            answer = await self._patiently(method, address, **{**more, "headers": headers})
            if answer.status_code != 401:
                break
        if answer.is_error:
            raise _refused(answer)
        return answer

    async def _bearer(self, *, fresh: bool) -> str:
        async with self._signing_in:
            if fresh or not self._token:
                self._token = await self._new_token()
            return self._token

    async def _new_token(self) -> str:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._access.assertion(),
            "scope": f"{LINE_ITEM_SCOPE} {SCORE_SCOPE}",
        }
        answer = await self._patiently("POST", self._access.token_url, data=form)
        if answer.is_error:
            raise NotAllowed(
                "The learning platform gives no access to its marks.",
                why=f"It answered {answer.status_code}: {_words(answer)}",
                next="Does it know the address of our keys, /hub/lti13/keys, and may this tool send marks?",
            )
        found = _json(answer)
        token = found.get("access_token") if isinstance(found, dict) else None
        if not isinstance(token, str) or not token:
            raise Unreachable("The learning platform answered without an access token.", part="marks")
        return token

    async def _patiently(self, method: str, address: str, **more: Any) -> httpx.Response:
        """An answer, after some attempts when the platform is busy or does not answer. Follows no redirect."""
        for delay_s in (*DELAYS_S, None):
            try:
                answer = await self._http.request(method, address, **more)
            except httpx.InvalidURL as error:
                raise _unusable(address, error) from None
            except httpx.HTTPError as error:
                if delay_s is None:
                    raise Unreachable(
                        "The learning platform does not answer.",
                        why=f"{type(error).__name__}: {error}",
                        part="marks",
                    ) from None
            else:
                if answer.status_code not in _AGAIN or delay_s is None:
                    return answer
                asked = answer.headers.get("retry-after", "")
                if asked.isdecimal():
                    delay_s = min(max(delay_s, float(asked)), LONGEST_WAIT_S)
            await self._sleep(delay_s)
        raise AssertionError("the last attempt returns or raises")


def _require_safe(address: str, token_url: str) -> None:
    """Tokens go over https; over http only where the site itself has configured http, on a machine of its own."""
    scheme = _parts(address).scheme
    if scheme != "https" and not (scheme == "http" and urlsplit(token_url).scheme == "http"):
        raise UserInputError("Marks are sent to https addresses alone.", where=address[:200])


def _parts(address: str) -> SplitResult:
    """Raises UserInputError for what is no address."""
    try:
        return urlsplit(address)
    except ValueError as error:
        raise _unusable(address, error) from None


def _unusable(address: str, error: Exception) -> UserInputError:
    return UserInputError(
        "The learning platform names an address that cannot be used.", where=address[:200], why=f"{error}."
    )


def _refused(answer: httpx.Response) -> QcError:
    words = f"It answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in _AGAIN:
        return Unreachable("The learning platform is busy.", why=words, part="marks")
    return NotAllowed("The learning platform refused.", why=words)


def _words(answer: httpx.Response) -> str:
    """What the platform says of a refusal: the text in its JSON, or its answer as it is."""
    found = _json(answer)
    reasons = [found.get(name) for name in _REASON_FIELDS] if isinstance(found, dict) else []
    text = next((each for each in reasons if isinstance(each, str) and each.strip()), answer.text)
    return " ".join(text[:300].split()) or answer.reason_phrase


def _json(answer: httpx.Response) -> Any:
    try:
        return answer.json()
    except ValueError:
        return None


def _list_of(answer: httpx.Response) -> list[dict[str, Any]]:
    found = _json(answer)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
