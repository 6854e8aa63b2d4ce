"""Zstandard for fsspec, which knows it by itself only where an optional package is installed; Arrow's has it always."""

import io
from typing import IO

import pyarrow as pa
from fsspec.compression import compr, register_compression


def register_zstd() -> None:
    """Let fsspec infer Zstandard from `.zst`."""
    if "zstd" not in compr:
        register_compression("zstd", _open_zstd, "zst")


def _open_zstd(file: IO[bytes], mode: str = "rb", **_: object) -> object:
    if "r" in mode:
        return io.BufferedReader(pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd"), 1 << 20)
    return pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd")
