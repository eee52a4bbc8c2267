"""Certificates for the hostile server: good ones, and bad ones of every kind."""

import datetime
import ipaddress
import itertools
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True, slots=True)
class Certificates:
    """Certificate and key files by what is wrong with them, and whom to trust."""

    authority: Path
    files: dict[str, tuple[Path, Path]]


def make_certificates(folder: Path) -> Certificates:
    """An authority, and certificates of its own for 127.0.0.1 and `localhost`: good ones and bad."""
    now = datetime.datetime.now(datetime.UTC)
    serial = itertools.count(1000)

    def make(name: str, signer: object, days: tuple[int, int], *names: x509.GeneralName):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer, signing = signer if isinstance(signer, tuple) else (subject, key)
        public = key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(next(serial))
            .not_valid_before(now + datetime.timedelta(days=days[0]))
            .not_valid_after(now + datetime.timedelta(days=days[1]))
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
        files = folder / f"{name}.pem", folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files, (subject, key)

    here = (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    (authority, _), signer = make("authority", None, (-2, 2))
    return Certificates(
        authority,
        {
            "right": make("right", signer, (-2, 2), *here)[0],
            "self-signed": make("self-signed", None, (-2, 2), *here)[0],
            "wrong-name": make("wrong-name", signer, (-2, 2), x509.DNSName("other.test"))[0],
            "expired": make("expired", signer, (-4, -2), *here)[0],
        },
    )
