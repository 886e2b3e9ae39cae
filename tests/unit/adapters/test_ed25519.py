"""Verifying never raises, and only the right key, content and signature hold."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from taxiway.adapters.ed25519 import verify

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = base64.b64encode(KEY.public_key().public_bytes_raw()).decode()
CONTENT = b"a release"
SIGNATURE = base64.b64encode(KEY.sign(CONTENT)).decode()

anything = st.text(max_size=100) | st.binary(max_size=80).map(
    lambda raw: base64.b64encode(raw).decode()
)
of_the_right_length = st.binary(min_size=64, max_size=64).map(
    lambda raw: base64.b64encode(raw).decode()
)


def test_the_right_one_holds() -> None:
    assert verify(PUBLIC, CONTENT, SIGNATURE)


def test_the_vector_of_the_standard() -> None:
    """RFC 8032, section 7.1, test 2."""
    public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    signature = (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    as_base64 = [base64.b64encode(bytes.fromhex(text)).decode() for text in (public, signature)]
    assert verify(as_base64[0], bytes.fromhex("72"), as_base64[1])


@given(public=anything, content=st.binary(max_size=50), signature=anything | of_the_right_length)
def test_never_raises(public: str, content: bytes, signature: str) -> None:
    assert verify(public, content, signature) in {True, False}
    assert verify(PUBLIC, content, signature) is False
    assert verify(public, CONTENT, SIGNATURE) is False


@given(at=st.integers(0, 63), bit=st.integers(0, 7))
def test_one_bit_of_the_signature(at: int, bit: int) -> None:
    raw = bytearray(base64.b64decode(SIGNATURE))
    raw[at] ^= 1 << bit
    assert not verify(PUBLIC, CONTENT, base64.b64encode(raw).decode())


@pytest.mark.parametrize(
    "signature",
    [
        "",
        SIGNATURE.rstrip("="),
        SIGNATURE + "\n",
        " " + SIGNATURE,
        SIGNATURE[:40] + "\n" + SIGNATURE[40:],
        base64.b64decode(SIGNATURE).hex(),
        SIGNATURE + "é",
    ],
)
def test_other_ways_of_writing_it(signature: str) -> None:
    assert not verify(PUBLIC, CONTENT, signature)
