"""What kind of file it is: text of which encoding, or none."""

from __future__ import annotations

from pathlib import Path

from ...errors import HistoryError

HEAD = 1 << 13
_BOMS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_KNOWN = {
    b"\x1f\x8b": "a gzip file: unpack it first",
    b"PK\x03\x04": "a zip archive, a checkpoint perhaps: name the log or the history instead",
    b"\x89HDF": "an HDF5 file, a checkpoint perhaps: name the log or the history instead",
    b"\x93NUMPY": "a NumPy array: write the history as JSON",
    b"\x89PNG": "a picture: name the log or the history instead",
    b"\x80\x04": "a pickle, which is not read because it may run anything: write the history as JSON",
    b"\x80\x05": "a pickle, which is not read because it may run anything: write the history as JSON",
}
_PLAIN = frozenset(b"\t\n\r\f\b\x1b") | frozenset(range(32, 256))


def encoding_of(path: Path, head: bytes) -> str:
    """The encoding that a text begins with. Raises HistoryError for what is empty or no text."""
    if not head.strip():
        raise HistoryError("the file is empty", where=str(path), hint="a run that wrote nothing tells nothing")
    for bom, encoding in _BOMS.items():
        if head.startswith(bom):
            return encoding
    odd = sum(byte not in _PLAIN for byte in head)
    if odd == 0 and not any(map(head.startswith, _KNOWN)):
        return "utf-8"
    if b"brain.Event" in head:
        hint = "a TensorBoard event file: name the run's folder, its log or its history instead"
    else:
        hint = next((hint for magic, hint in _KNOWN.items() if head.startswith(magic)), "")
    if hint or odd > len(head) // 50 or b"\0" in head[:64]:
        raise HistoryError(
            "the file is not text",
            where=str(path),
            expected="a folder that RunDir wrote, a history as JSON, or a log as text",
            actual=f"{odd} of the first {len(head)} bytes are no characters",
            hint=f"this is {hint}" if hint else None,
        )
    return "utf-8"
