"""Metrics as text and as JSON: the text format 0.0.4 of Prometheus, and the shape in which Vault's library shows its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from strongroom.logical.instant import NANOSECONDS
from strongroom.telemetry.declaration import Declaration, Kind
from strongroom.telemetry.instruments import Cell, Family, Labels
from strongroom.telemetry.labels import text_of

PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def prometheus_text(families: Iterable[Family]) -> str:
    """The families in Prometheus' text format."""
    lines: list[str] = []
    for family in families:
        declaration = family.declaration
        lines.append(f"# HELP {declaration.name} {_escaped(declaration.help)}")
        lines.append(f"# TYPE {declaration.name} {declaration.kind}")
        for labels, number in sorted(family.numbers.items(), key=_by_text):
            lines.append(f"{declaration.name}{_braces(declaration, labels)} {_number(number)}")
        for labels, cell in sorted(family.cells.items(), key=_by_text):
            lines.extend(_histogram_lines(declaration, labels, cell))
    return "".join(f"{line}\n" for line in lines)


def json_document(families: Iterable[Family], now_ns: int) -> dict[str, Any]:
    """The families as the object that ``sys/metrics`` answers, with everything since the process began."""
    gauges: list[dict[str, Any]] = []
    counters: list[dict[str, Any]] = []
    samples: list[dict[str, Any]] = []
    for family in families:
        declaration = family.declaration
        for labels, number in sorted(family.numbers.items(), key=_by_text):
            named = {"Name": declaration.name}
            if declaration.kind is Kind.GAUGE:
                gauges.append({**named, "Value": _whole(number), "Labels": _as_object(declaration, labels)})
            else:
                counters.append({**named, **_aggregate_of_count(number), "Labels": _as_object(declaration, labels)})
        for labels, cell in sorted(family.cells.items(), key=_by_text):
            samples.append({"Name": declaration.name, **_aggregate(cell), "Labels": _as_object(declaration, labels)})
    time = datetime.fromtimestamp(now_ns // NANOSECONDS, UTC).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    return {"Timestamp": time, "Gauges": gauges, "Points": [], "Counters": counters, "Samples": samples}


def _histogram_lines(declaration: Declaration, labels: Labels, cell: Cell) -> Iterator[str]:
    seen = 0
    for bound, count in zip((*declaration.bounds, math.inf), cell.buckets, strict=True):
        seen += count
        yield f"{declaration.name}_bucket{_braces(declaration, labels, le=_number(bound))} {seen}"
    yield f"{declaration.name}_sum{_braces(declaration, labels)} {_number(cell.total)}"
    yield f"{declaration.name}_count{_braces(declaration, labels)} {cell.count}"


def _aggregate(cell: Cell) -> dict[str, Any]:
    mean = cell.total / cell.count
    variance = max(0.0, cell.squares / cell.count - mean * mean)
    return {
        "Count": cell.count,
        "Sum": cell.total,
        "Min": cell.least,
        "Max": cell.most,
        "Mean": mean,
        "Stddev": math.sqrt(variance),
    }


def _aggregate_of_count(number: float) -> dict[str, Any]:
    """A counter as the other library writes one; of single steps nothing is known but that there were this many."""
    step = 1 if number else 0
    return {"Count": _whole(number), "Sum": _whole(number), "Min": step, "Max": step, "Mean": step, "Stddev": 0}


def _as_object(declaration: Declaration, labels: Labels) -> dict[str, str]:
    return {label.name: text_of(value) for label, value in zip(declaration.labels, labels, strict=True)}


def _braces(declaration: Declaration, labels: Labels, le: str = "") -> str:
    members = [f'{name}="{_escaped(text, quotes=True)}"' for name, text in _as_object(declaration, labels).items()]
    if le:
        members.append(f'le="{le}"')
    return "{" + ",".join(members) + "}" if members else ""


def _escaped(text: str, *, quotes: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quotes else text


def _number(number: float) -> str:
    if math.isinf(number):
        return "+Inf" if number > 0 else "-Inf"
    return repr(_whole(number))


def _whole(number: float) -> float:
    """The number as whole where it is."""
    return int(number) if number == int(number) else number


def _by_text(item: tuple[Labels, object]) -> tuple[str, ...]:
    return tuple(text_of(value) for value in item[0])
