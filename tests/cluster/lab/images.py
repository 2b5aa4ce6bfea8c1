"""Image archives that hold a few files, made without a daemon."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

FOLDERS = ("etc", "run", "tmp", "usr", "usr/local", "usr/local/bin", "var")


def _add(
    archive: tarfile.TarFile, name: str, data: bytes, *, mode: int = 0o644, kind: bytes = tarfile.REGTYPE
) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.type = len(data), mode, kind
    archive.addfile(info, io.BytesIO(data))


def _layer(files: Mapping[str, Path]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for folder in FOLDERS:
            _add(archive, folder, b"", mode=0o1777 if folder == "tmp" else 0o755, kind=tarfile.DIRTYPE)
        for name, source in files.items():
            _add(archive, name.lstrip("/"), source.read_bytes(), mode=0o755)
    return out.getvalue()


def write_image(target: Path, reference: str, files: Mapping[str, Path]) -> None:
    """Write a docker-archive of one layer; the first file is the entrypoint."""
    layer = _layer(files)
    digest = hashlib.sha256(layer).hexdigest()
    environment = ["PATH=/usr/local/bin:/usr/bin:/bin"]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": environment, "Entrypoint": [next(iter(files))]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        "history": [{}],
    }
    name = f"{digest[:32]}.json"
    manifest = [{"Config": name, "RepoTags": [reference], "Layers": [f"{digest}/layer.tar"]}]
    unfinished = target.with_suffix(".part")
    with tarfile.open(unfinished, "w") as archive:
        _add(archive, name, json.dumps(config).encode())
        _add(archive, f"{digest}/layer.tar", layer)
        _add(archive, "manifest.json", json.dumps(manifest).encode())
    unfinished.rename(target)
