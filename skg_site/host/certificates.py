"""Certificates of this machine."""

from datetime import datetime


def expiry(pem: bytes) -> datetime:
    """The time at which the first certificate of a PEM file expires. Raises ValueError for other content."""
    # Loaded only where a certificate is looked at: it takes memory in every process.
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415

    return load_pem_x509_certificates(pem)[0].not_valid_after_utc
