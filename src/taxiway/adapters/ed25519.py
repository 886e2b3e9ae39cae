"""Verifying Ed25519 signatures."""

from __future__ import annotations

import base64
import binascii


def verify(public_key: str, content: bytes, signature: str) -> bool:
    """Whether a signature over content is of this public key (both base64). Never raises."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key, validate=True))
        key.verify(base64.b64decode(signature, validate=True), content)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, binascii.Error):
        return False
    return True
