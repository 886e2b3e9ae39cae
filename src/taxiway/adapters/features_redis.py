"""The online features in a Redis.

    …:live  view -> the generation that readers see     …:about  view -> what was told of it
    …:made  generation -> view, of all that were begun  …:rows:N key -> row, of generation N

A look-up and a switch are one script each: Redis runs nothing else meanwhile.
Source: https://redis.io/docs/latest/develop/programmability/eval-intro/
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import redis

from taxiway.core.errors import ConflictError, InputError, StoreError

PREFIX = "{taxiway:features:1}"
"""The number is the protocol: raise it when a key changes its meaning. In braces, so that a cluster
keeps all of it in one place."""
LIVE, ABOUT, MADE = (f"{PREFIX}:{name}" for name in ("live", "about", "made"))
BATCH = 5_000
SECONDS = 5.0
LOST = "NOTHELD"
"""What the script says before a view that was never materialised, or is lost."""

FETCH = f"""
local found = {{}}
for at = 1, #ARGV, 2 do
  local made = redis.call('HGET', '{LIVE}', ARGV[at])
  if not made then return redis.error_reply('{LOST} ' .. ARGV[at]) end
  found[#found + 1] = redis.call('HGET', '{PREFIX}:rows:' .. made, ARGV[at + 1])
end
return found
"""
SWITCH = f"""
for at = 1, #ARGV, 3 do
  if redis.call('HEXISTS', '{MADE}', ARGV[at + 1]) == 0 then return ARGV[at] end
end
for at = 1, #ARGV, 3 do
  redis.call('HSET', '{LIVE}', ARGV[at], ARGV[at + 1])
  redis.call('HSET', '{ABOUT}', ARGV[at], ARGV[at + 2])
end
return false
"""


class RedisFeatures:
    """The online features of one Redis database, such as `redis://127.0.0.1:6379/0`."""

    def __init__(self, url: str) -> None:
        try:
            self._redis: redis.Redis = redis.Redis.from_url(
                url, decode_responses=True, socket_timeout=SECONDS, socket_connect_timeout=SECONDS
            )
        except ValueError as error:
            raise InputError(f"This is no address of a Redis: {error}.") from None
        with self._failing():
            self._redis.ping()
        self._fetch = self._redis.register_script(FETCH)
        self._switch = self._redis.register_script(SWITCH)

    def write(self, view: str, rows: Iterable[tuple[str, str]]) -> int:
        left = iter(rows)
        with self._failing():
            made = int(self._redis.incr(f"{PREFIX}:generation"))
            self._redis.hset(MADE, str(made), view)
            while some := [word for pair in islice(left, BATCH) for word in pair]:
                self._redis.hset(f"{PREFIX}:rows:{made}", items=some)
        return made

    def switch(self, made: Mapping[str, tuple[int, Mapping[str, Any]]]) -> None:
        words = [word for view, (n, about) in made.items() for word in (view, n, json.dumps(about))]
        with self._failing():
            beaten = self._switch(keys=[LIVE, ABOUT, MADE], args=words)
            self._remove([n for n, _ in made.values()] if beaten else self._replaced(made))
        if beaten:
            raise ConflictError(
                f"{beaten} was materialised by somebody else in the meantime; nothing was switched."
            )

    def _replaced(self, made: Mapping[str, tuple[int, Mapping[str, Any]]]) -> list[int]:
        """Older generations, those too that somebody began and never finished."""
        begun = ((int(n), str(view)) for n, view in self._redis.hgetall(MADE).items())
        return [n for n, view in begun if view in made and n < made[view][0]]

    def _remove(self, generations: Iterable[int]) -> None:
        for number in generations:
            self._redis.hdel(MADE, str(number))
            self._redis.unlink(f"{PREFIX}:rows:{number}")

    def about(self, view: str) -> dict[str, Any] | None:
        with self._failing():
            found = self._redis.hget(ABOUT, view)
        return json.loads(found) if found else None

    def lookup(self, views: Sequence[str]) -> Callable[[Sequence[str]], Sequence[str | None]]:
        names, fetch, live = tuple(views), self._fetch, [LIVE]

        def fetched(keys: Sequence[str]) -> Sequence[str | None]:
            words = [word for pair in zip(names, keys, strict=True) for word in pair]
            with self._failing():
                try:
                    found: Sequence[str | None] = fetch(keys=live, args=words)
                except redis.ResponseError as error:
                    code, _, view = str(error).partition(" ")
                    if code != LOST:
                        raise
                    raise StoreError(
                        f"The Redis of the online features does not hold {view}.",
                        todo="Fill it with: taxiway data features materialise",
                    ) from error
            return found

        return fetched

    def close(self) -> None:
        self._redis.close()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except redis.RedisError as error:
            raise StoreError(
                f"The Redis of the online features does not answer: {error}.",
                todo="Check its address and that it runs; what readers saw before is whole.",
            ) from error
