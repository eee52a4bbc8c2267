"""Certificates for servers on loopback: good ones, and bad ones of every kind."""

import datetime
import ipaddress
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Files = tuple[Path, Path]
"""Of a certificate and of its key."""
_DAYS = (-2, 2)


class Authority:
    """Signs certificates; whoever trusts `file` trusts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = datetime.datetime.now(datetime.UTC)
        self._serial = itertools.count(1000)
        self._issuer = self._name("authority")
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.file, _ = self._make("authority", self._key, (), _DAYS, by=(self._issuer, self._key))

    def signed(
        self, name: str, names: Iterable[x509.GeneralName], days: tuple[int, int] = _DAYS
    ) -> Files:
        """A certificate for these names, from and until so many days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._make(name, key, tuple(names), days, by=(self._issuer, self._key))

    def self_signed(self, name: str, names: Iterable[x509.GeneralName]) -> Files:
        """A certificate that nobody vouches for."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self._make(name, key, tuple(names), _DAYS, by=(self._name(name), key))

    @staticmethod
    def _name(name: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])

    def _make(
        self,
        name: str,
        key: ec.EllipticCurvePrivateKey,
        names: tuple[x509.GeneralName, ...],
        days: tuple[int, int],
        *,
        by: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    ) -> Files:
        issuer, signing = by
        public = key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(self._name(name))
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(next(self._serial))
            .not_valid_before(self._now + datetime.timedelta(days=days[0]))
            .not_valid_after(self._now + datetime.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
                critical=False,
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(signing, hashes.SHA256())
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificate and key files by what is wrong with them, and whom to trust."""

    authority: Path
    files: dict[str, Files]


def make_certificates(folder: Path) -> Certificates:
    """An authority, and certificates of its own for 127.0.0.1 and `localhost`: good ones and bad."""
    here = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    authority = Authority(folder)
    return Certificates(
        authority.file,
        {
            "right": authority.signed("right", here),
            "self-signed": authority.self_signed("self-signed", here),
            "wrong-name": authority.signed("wrong-name", (x509.DNSName("other.test"),)),
            "expired": authority.signed("expired", here, (-4, -2)),
        },
    )
