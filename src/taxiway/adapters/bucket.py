"""Objects in a bucket: S3 and what speaks it, Google's, Azure's, through obstore.

Keys are `PREFIX/sha256/ab/abcd…`. An object appears there whole, by one request or by the one that
ends an upload in parts. What is read as a file is kept in a folder, where it is read next time.
Who may do what, and where the server is, comes from the environment, such as `AWS_ACCESS_KEY_ID`,
`AWS_REGION` and `AWS_ENDPOINT_URL`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from obstore.exceptions import BaseError, NotFoundError
from obstore.store import from_url

from taxiway.adapters.folder import CHUNK, FolderObjects
from taxiway.adapters.hashing import algorithm, digest, hashing
from taxiway.core.digest import DIGEST, PREFIX
from taxiway.core.errors import InputError, IntegrityError, MissingError, StoreError, shortened
from taxiway.core.ports import Stored

if TYPE_CHECKING:
    from obstore import ObjectMeta

GIVES_UP = timedelta(seconds=60)
"""How long a server that is away, or says that it is busy, is asked again."""
YOUNG = timedelta(hours=1)
"""An object that was put longer ago is put again, so that its time says so."""
AT_ONCE = 64 << 20
"""Files up to this size are read into memory and sent in one request."""
LOOKS = 8
"""How many requests ask at the same time; more than `LIST_FROM` of them become a listing."""
LIST_FROM = 64


class BucketObjects:
    """Content-addressed objects below a URL, with local copies of what was read as a file."""

    def __init__(self, url: str, copies: Path) -> None:
        self._url = url
        self._copies = FolderObjects(copies)
        try:
            self._store = from_url(url, retry_config={"retry_timeout": GIVES_UP, "max_retries": 6})
        except (BaseError, ValueError) as error:
            raise InputError(
                f"{url} can't be opened: {_first(error)}.",
                todo="See `objects` in taxiway.toml, or TAXIWAY_OBJECTS; for instance"
                " s3://bucket/folder.",
            ) from None

    def put(self, content: bytes, *, by: str = PREFIX, synced: bool = True) -> str:
        name = digest(content, by)
        if not self._young(name):
            with self._asking(name):
                self._store.put(_key(name), content)
        return name

    def put_file(
        self,
        path: Path,
        span: tuple[int, int] | None = None,
        *,
        by: str = PREFIX,
        synced: bool = True,
    ) -> str:
        offset, size = span or (0, path.stat().st_size)
        if size <= AT_ONCE:
            with path.open("rb") as file:
                file.seek(offset)
                return self.put(file.read(size), by=by)
        if span:
            raise ValueError(f"a span of {size} bytes is more than is sent at once")
        made = hashing(by)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                made.update(chunk)
        name = by + made.hexdigest()
        if not self._young(name):
            with self._asking(name):
                self._store.put(_key(name), path)
        return name

    def get(self, digest: str) -> bytes:
        with self._asking(digest):
            content = bytes(self._store.get(_key(digest)).bytes())
        self._require(digest, content)
        return content

    def path(self, digest: str) -> Path:
        with suppress(IntegrityError, MissingError):
            return self._copies.path(digest)
        # What is in the way, if anything, is no copy of it.
        self._copies.remove(digest, before=datetime.max.replace(tzinfo=UTC))
        self._copies.put(self.get(digest), by=algorithm(digest))
        return self._copies.path(digest)

    def has(self, digest: str) -> bool:
        return DIGEST.fullmatch(digest) is not None and self._head(digest) is not None

    def absent(self, digests: Iterable[str]) -> set[str]:
        wanted = set(digests)
        if len(wanted) > LIST_FROM:
            return wanted - {one.digest for one in self.listed()}
        with ThreadPoolExecutor(LOOKS) as looks:
            there = dict(zip(wanted, looks.map(self.has, wanted), strict=True))
        return {digest for digest, found in there.items() if not found}

    def listed(self) -> Iterator[Stored]:
        with self._asking(self._url):
            for page in self._store.list():
                for about in page:
                    by, _, name = about["path"].partition("/")
                    found = f"{by}:{name.rpartition('/')[2]}"
                    if DIGEST.fullmatch(found):
                        yield Stored(found, about["size"], about["last_modified"])

    def remove(self, digest: str, *, before: datetime) -> int:
        about = self._head(digest)
        if about is None or about["last_modified"] >= before:
            return 0
        with self._asking(digest):
            self._store.delete(_key(digest))
        self._copies.remove(digest, before=datetime.max.replace(tzinfo=UTC))
        return about["size"]

    def _young(self, digest: str) -> bool:
        """Whether the object is there and need not be put again for its time."""
        about = self._head(digest)
        return about is not None and datetime.now(UTC) - about["last_modified"] < YOUNG

    def _head(self, digest: str) -> ObjectMeta | None:
        try:
            with self._asking(digest):
                return self._store.head(_key(digest))
        except MissingError:
            return None

    @contextmanager
    def _asking(self, what: str) -> Iterator[None]:
        """What the server says becomes an error of ours."""
        try:
            yield
        except (NotFoundError, FileNotFoundError):
            raise MissingError(
                f"Object {what} is not in {self._url}.",
                todo="Restore the object store from its backup.",
            ) from None
        except (BaseError, OSError) as error:
            raise StoreError(
                f"{self._url} does not do what it was asked: {_first(error)}.",
                todo="Check that the server is there, and the rights of the key in the environment"
                " (AWS_ACCESS_KEY_ID and its like).",
            ) from None

    def _require(self, name: str, content: bytes) -> None:
        found = digest(content, algorithm(name))
        if found != name:
            raise IntegrityError(
                f"Object {name} is not what was stored in {self._url}: its content now has the"
                f" digest {found}.",
                todo="Restore the object store from its backup.",
            )


def _key(digest: str) -> str:
    if not DIGEST.fullmatch(digest):
        raise MissingError(
            f"{shortened(digest, 80)!r} is not a digest; expected sha256: and 64 hex digits."
        )
    by, _, name = digest.partition(":")
    return f"{by}/{name[:2]}/{name}"


def _first(error: Exception) -> str:
    """What a server said, without what the library adds for those who look for its faults."""
    text = str(error).strip().partition("\n\nDebug source")[0]
    return shortened(" ".join(text.split()).rstrip("."), 400)
