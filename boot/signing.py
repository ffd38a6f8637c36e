# SPDX-License-Identifier: GPL-2.0-or-later
"""A lab's own certificate authority for code that iPXE verifies. Everything is done by openssl."""

import os
import pathlib
import tempfile

import tools

DAYS = 3650
BITS = 3072
CA_KEY, CA = "ca.key", "ca.crt"
KEY, CERTIFICATE = "codesign.key", "codesign.crt"
CA_EXTENSIONS = "basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
CODE_EXTENSIONS = ("basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n"
                   "extendedKeyUsage=critical,codeSigning\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")


class SigningError(Exception):
    """There is no usable authority; the text says why."""


def make_key(path):
    """Make a private key that only its owner can read."""
    tools.run(["openssl", "genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{BITS}", "-out", path])
    path.chmod(0o600)


def request(key, name):
    """A certificate request in PEM."""
    return tools.run(["openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-sha256"])


def issue(folder, output, wanted, extensions, signer):
    """Sign a request; `signer` is openssl's words for who signs."""
    with tempfile.NamedTemporaryFile("w", prefix="hedron-ca.") as file:
        file.write(extensions)
        file.flush()
        done = tools.run(["openssl", "x509", "-req", "-sha256", "-days", DAYS, "-extfile", file.name, *signer], wanted)
    (folder / output).write_bytes(done)


def make_ca(folder, name):
    """Make the authority and the certificate for signing code, in a folder that has none yet."""
    folder = pathlib.Path(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in (CA_KEY, CA, KEY, CERTIFICATE):
        if os.path.lexists(folder / file):
            raise SigningError(f"{folder / file} exists; an authority is never overwritten")
    make_key(folder / CA_KEY)
    issue(folder, CA, request(folder / CA_KEY, f"{name} CA"), CA_EXTENSIONS, ["-signkey", folder / CA_KEY])
    make_key(folder / KEY)
    issue(folder, CERTIFICATE, request(folder / KEY, f"{name} code"), CODE_EXTENSIONS,
          ["-CA", folder / CA, "-CAkey", folder / CA_KEY, "-set_serial", "1"])


def sign(folder, data):
    """A detached signature in the form that iPXE's imgverify takes. The same data and key give the same bytes."""
    folder = pathlib.Path(folder)
    for file in (CA, KEY, CERTIFICATE):
        if not (folder / file).is_file():
            raise SigningError(f"{folder / file} is missing: make it with boot/labca {folder}")
    with tempfile.NamedTemporaryFile(prefix="hedron-sign.") as file:
        file.write(data)
        file.flush()
        return tools.run(["openssl", "cms", "-sign", "-binary", "-noattr", "-md", "sha256", "-in", file.name, "-outform", "DER",
                          "-signer", folder / CERTIFICATE, "-inkey", folder / KEY, "-certfile", folder / CA])
