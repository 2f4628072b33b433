"""Numbers as people read them."""

from __future__ import annotations


def percent(rate: float | None, digits: int = 2) -> str:
    """0.98123 -> "98.12%". Only exactly 0 and 1 read as 0% and 100%, however near another rate lies."""
    if rate is None:
        return "-"
    if rate in (0.0, 1.0):
        return f"{rate:.0%}"
    finest: float = 10.0**-digits
    return f"{min(max(100 * rate, finest), 100 - finest):.{digits}f}%"


def duration(seconds: float) -> str:
    """12.34 -> "12.3 s", 75 -> "1 min 15 s", 3700 -> "1 h 1 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def number(value: float) -> str:
    """Four significant digits: 3208.466 -> "3208", 0.012345 -> "0.01234"."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.4g}"


def short(name: str) -> str:
    """How a parameter is called in a line of norms: "0.W" -> "0_W"."""
    return name.replace(".", "_")


def size(count: int) -> str:
    """Bytes: 900 -> "900 B", 123456 -> "123 kB", 2500000 -> "2.5 MB"."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.3g} kB" if count < 999_500 else f"{count / 1e6:.3g} MB"
