"""The speeds as a picture: a bar for each engine, in groups for each kind of row; the axis is logarithmic, as ratios are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import log10

from bench.engines import CONSTRUCT, NATIVE, PYTHON, RUST, TYPESCRIPT
from bench.measure import Direction, Timings
from bench.run import Results
from bench.tables import rate
from bench.workloads import Workload


@dataclass(frozen=True, slots=True)
class Series:
    says: str
    colour: str
    engine: str
    direction: Direction


_NATIVE, _PYTHON, _CONSTRUCT, _RUST, _TYPESCRIPT = "#1f77b4", "#6baed6", "#c6dbef", "#8c564b", "#e6842a"
PANELS: dict[str, tuple[Series, ...]] = {
    "Rows decoded per second": (
        Series("bsatn, to Arrow columns", "#2ca02c", NATIVE, "columns"),
        Series("bsatn, native engine", _NATIVE, NATIVE, "decode"),
        Series("bsatn, Python engine", _PYTHON, PYTHON, "decode"),
        Series("bsatn, Construct engine", _CONSTRUCT, CONSTRUCT, "decode"),
        Series("Rust crate, dynamic values", _RUST, RUST, "decode"),
        Series("TypeScript SDK, node", _TYPESCRIPT, TYPESCRIPT, "decode"),
    ),
    "Rows encoded per second": (
        Series("bsatn, native engine", _NATIVE, NATIVE, "encode"),
        Series("bsatn, Python engine", _PYTHON, PYTHON, "encode"),
        Series("bsatn, Construct engine", _CONSTRUCT, CONSTRUCT, "encode"),
        Series("Rust crate, dynamic values", _RUST, RUST, "encode"),
        Series("TypeScript SDK, node", _TYPESCRIPT, TYPESCRIPT, "encode"),
    ),
}

WIDTH, LEFT, RIGHT = 860, 80, 70
BAR, GAP, HEAD, AXIS = 11, 9, 34, 24
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1b1f24}.t{font-size:15px;font-weight:600}.v{font-size:10px}"
    ".a{fill:#6b7280;font-size:10px}line{stroke:#d0d7de}.b{fill:#fff}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.a{fill:#9aa4b2}line{stroke:#30363d}.b{fill:#0d1117}}"
)


def svg(results: Results) -> str:
    """The picture of a run. Engines that were not there have no bars."""
    found = [(workload, timings) for workload, timings in results.speeds if workload.unit == "row"]
    parts: list[str] = []
    top = 8
    for title, series in PANELS.items():
        there = [one for one in series if any(timings.typical(one.direction, one.engine) for _, timings in found)]
        drawn, top = panel(title, there, found, top)
        parts += drawn
    measured = f"{results.header.get('date', '')}; {results.header.get('cpu', '')}"
    parts.append(f'<text class="a" x="8" y="{top}">{escape(measured)}</text>')
    size = f'width="{WIDTH}" height="{top + 10}" viewBox="0 0 {WIDTH} {top + 10}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Rows decoded and encoded per second">'
    return (
        "\n".join([head, f"<style>{_STYLE}</style>", '<rect class="b" width="100%" height="100%"/>', *parts, "</svg>"]) + "\n"
    )


def panel(title: str, series: Sequence[Series], found: Sequence[tuple[Workload, Timings]], top: int) -> tuple[list[str], int]:
    """One panel's elements, and where the next begins."""
    speeds = {
        (workload.name, one.says): 1e9 / nanoseconds
        for workload, timings in found
        for one in series
        if (nanoseconds := timings.typical(one.direction, one.engine))
    }
    if not speeds:
        return [], top
    low, high = int(log10(min(speeds.values()))), int(log10(max(speeds.values()))) + 1
    scale = (WIDTH - LEFT - RIGHT) / (high - low)

    def across(speed: float) -> float:
        return LEFT + (log10(speed) - low) * scale

    parts = [f'<text class="t" x="8" y="{top + 16}">{escape(title)}</text>', *legend(series, top + 36)]
    top += HEAD + 18 * ((len(series) + 2) // 3)
    end = top + len(found) * (len(series) * BAR + GAP)
    for power in range(low, high + 1):
        x = across(10.0**power)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{end}"/>')
        parts.append(f'<text class="a" x="{x:.1f}" y="{end + 14}" text-anchor="middle">{rate(1e9 / 10.0**power)}</text>')
    for workload, _ in found:
        middle = top + len(series) * BAR / 2 + 4
        parts.append(f'<text x="{LEFT - 8}" y="{middle:.0f}" text-anchor="end">{escape(workload.name)}</text>')
        parts += bars(series, {says: speed for (name, says), speed in speeds.items() if name == workload.name}, top, across)
        top += len(series) * BAR + GAP
    return parts, end + AXIS + 16


def bars(series: Sequence[Series], speeds: dict[str, float], top: int, across: Callable[[float], float]) -> Iterator[str]:
    for row, one in enumerate(series):
        if one.says in speeds:
            end, y = across(speeds[one.says]), top + row * BAR
            says = rate(1e9 / speeds[one.says])
            yield (
                f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR - 2}" fill="{one.colour}">'
                f"<title>{escape(one.says)}: {says}</title></rect>"
            )
            yield f'<text class="v" x="{end + 4:.1f}" y="{y + BAR - 3}">{says}</text>'


def legend(series: Sequence[Series], top: int) -> Iterator[str]:
    for index, one in enumerate(series):
        x, y = LEFT + index % 3 * 240, top + index // 3 * 18
        yield f'<rect x="{x}" y="{y - 9}" width="12" height="10" fill="{one.colour}"/>'
        yield f'<text class="v" x="{x + 18}" y="{y}">{escape(one.says)}</text>'
