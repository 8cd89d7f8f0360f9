"""As much of Xet, by which buckets move their files, as a server of a test needs: what comes in is read, and goes out again.

A client cuts files into chunks, packs chunks into xorbs, and says in a shard which chunks make which file. What is
uncompressed alone is read (``UNCOMPRESSED`` in the client's environment sees to that).
"""

import hashlib
import struct

UNCOMPRESSED = {"HF_XET_XORB_COMPRESSION_POLICY": "none"}
ENTRY = 48  # bytes of every record in a shard
LARGEST_CHUNK = 65_536
_VERIFIED, _WITH_SHA = 1 << 31, 1 << 30  # flags of a file in a shard: what follows its segments


def files_of(shard: bytes, xorbs: dict[str, bytes]) -> dict[str, bytes]:
    """Put together the files that a shard describes, by their hash."""
    found, at = {}, ENTRY  # after the header
    while shard[at : at + 32] != b"\xff" * 32:
        name = hash_of(shard[at : at + 32])
        flags, count = struct.unpack_from("<II", shard, at + 32)
        at += ENTRY
        parts = [_segment(shard, at + ENTRY * number, xorbs) for number in range(count)]
        at += ENTRY * (count + (count if flags & _VERIFIED else 0) + (1 if flags & _WITH_SHA else 0))
        found[name] = b"".join(parts)
    return found


def hash_of(value: bytes) -> str:
    """Write a hash as Xet does: four numbers of 64 bits, the lowest byte of each first."""
    return "".join(f"{number:016x}" for number in struct.unpack("<4Q", value))


def pack(content: bytes) -> tuple[bytes, int]:
    """Pack a file into a xorb of its own, uncompressed: (the xorb, how many chunks it holds)."""
    pieces = [content[at : at + LARGEST_CHUNK] for at in range(0, len(content), LARGEST_CHUNK)]
    heads = [b"\0" + len(piece).to_bytes(3, "little") + b"\0" + len(piece).to_bytes(3, "little") for piece in pieces]
    return b"".join(head + piece for head, piece in zip(heads, pieces, strict=True)), len(pieces)


def name_of(content: bytes) -> str:
    """Give a hash for a file that did not come through a client: any that tells it from others will do."""
    return hash_of(hashlib.sha256(content).digest())


def _segment(shard: bytes, at: int, xorbs: dict[str, bytes]) -> bytes:
    xorb = hash_of(shard[at : at + 32])
    _flags, _size, first, end = struct.unpack_from("<4I", shard, at + 32)
    return b"".join(_chunks(xorbs[xorb])[first:end])


def _chunks(xorb: bytes) -> list[bytes]:
    found, at = [], 0
    while at + 8 <= len(xorb) and xorb[at] == 0:
        size = int.from_bytes(xorb[at + 1 : at + 4], "little")
        if xorb[at + 4]:
            raise ValueError("a compressed chunk: the client was started without UNCOMPRESSED")
        found.append(xorb[at + 8 : at + 8 + size])
        at += 8 + size
    return found
