"""Certificates as kubeadm and the cluster issue them, with dates of the test's choice."""

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.waiting import wait_for

PEM = serialization.Encoding.PEM


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def redated(certificate: bytes, authority: Path, *, age: timedelta, left: timedelta) -> tuple[bytes, bytes]:
    """Issue a certificate anew, with a new key; *authority* is its CA's path without suffix."""
    old = x509.load_pem_x509_certificate(certificate)
    issuer = x509.load_pem_x509_certificate(authority.with_suffix(".crt").read_bytes())
    signer = serialization.load_pem_private_key(authority.with_suffix(".key").read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _like(old, key.public_key(), issuer.subject, age=age, left=left)
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    issued = builder.sign(signer, hashes.SHA256())  # type: ignore[arg-type]  # kubeadm's keys are RSA or EC
    return issued.public_bytes(PEM), _private(key)


def new_authority(like: bytes) -> tuple[bytes, bytes]:
    """Make a CA of the same name with a key of its own, as a rotation does."""
    old = x509.load_pem_x509_certificate(like)
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _like(old, key.public_key(), old.subject, age=timedelta(minutes=5), left=timedelta(days=3650))
    for extension in old.extensions:
        if extension.oid not in (x509.SubjectKeyIdentifier.oid, x509.AuthorityKeyIdentifier.oid):
            builder = builder.add_extension(extension.value, critical=extension.critical)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = builder.add_extension(identifier, critical=False).sign(key, hashes.SHA256())
    return made.public_bytes(PEM), _private(key)


def _like(
    old: x509.Certificate,
    key: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    *,
    age: timedelta,
    left: timedelta,
) -> x509.CertificateBuilder:
    """Begin a certificate of the same subject, without extensions."""
    now = datetime.fromtimestamp(time.time(), UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=old.subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - age,
        not_valid_after=now + left,
    )


def kubelet_client_by_request(cluster: Cluster, node: str) -> bytes:
    """Have the cluster sign a kubelet's client certificate; return the pair as the kubelet keeps it."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
        x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{node}"),
    ]
    request = x509.CertificateSigningRequestBuilder(x509.Name(names)).sign(key, hashes.SHA256())
    wanted = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": f"test-{node}-"},
        "spec": {
            "signerName": "kubernetes.io/kube-apiserver-client-kubelet",
            "request": base64.b64encode(request.public_bytes(PEM)).decode(),
            "usages": ["digital signature", "client auth"],
        },
    }
    created = cluster.kubectl("create", "-f", "-", "-o", "name", given=json.dumps(wanted)).strip()
    cluster.kubectl("certificate", "approve", created.rpartition("/")[2])
    asked = ("get", created, "-o", "jsonpath={.status.certificate}")
    issued = wait_for("the signed request", lambda: cluster.kubectl(*asked), seconds=30)
    return base64.b64decode(issued) + _private(key)
