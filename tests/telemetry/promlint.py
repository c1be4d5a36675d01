"""What ``promtool check metrics`` asks of a scrape, and a little more: every line is read by the grammar of the text format."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

HELP = re.compile(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)")
TYPE = re.compile(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)")
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\+Inf|-Inf|NaN|-?[0-9][0-9.e+-]*)")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)')

ABBREVIATIONS = {"s", "ms", "us", "ns", "sec", "b", "kb", "mb", "gb", "tb", "pb", "m", "h", "d"}
NOT_BASE_UNITS = {
    unit + plural
    for unit in (
        "millisecond", "microsecond", "nanosecond", "minute", "hour", "day", "week", "kilobyte", "megabyte", "gigabyte", "bit",
        "percent", "celsius_degree", "fahrenheit", "kelvin", "milliwatt", "gram", "kilogram", "meter_per", "kilometer",
    )
    for plural in ("", "s")
}  # fmt: skip
TYPE_WORDS = {"counter", "gauge", "histogram", "summary", "untyped"}


@dataclass
class Metric:
    """A metric of the scrape: its kind, its help and its samples with their labels."""

    name: str
    help: str = ""
    kind: str = ""
    samples: list[tuple[str, dict[str, str], float]] = field(default_factory=list)


def read(text: str) -> dict[str, Metric]:
    """The metrics of a scrape. Raises ValueError where a line is not of the format, or stands where it must not."""
    metrics: dict[str, Metric] = {}
    current: Metric | None = None
    if not text.endswith("\n"):
        raise ValueError("the last line does not end")
    for line in text.splitlines():
        if match := HELP.fullmatch(line):
            if match[1] in metrics:
                raise ValueError(f"{match[1]} comes twice")
            current = metrics[match[1]] = Metric(match[1], match[2])
        elif match := TYPE.fullmatch(line):
            if current is None or current.name != match[1] or current.kind or current.samples:
                raise ValueError(f"the type of {match[1]} stands in the wrong place")
            current.kind = match[2]
        elif match := SAMPLE.fullmatch(line):
            if current is None or not belongs(match[1], current):
                raise ValueError(f"a sample of {match[1]} stands in the wrong place")
            current.samples.append((match[1], labels_of(match[2] or ""), float(match[3])))
        else:
            raise ValueError(f"not a line of the format: {line!r}")
    return metrics


def belongs(name: str, metric: Metric) -> bool:
    """Whether a sample is one of this metric."""
    if metric.kind == "histogram":
        return name in {f"{metric.name}_bucket", f"{metric.name}_sum", f"{metric.name}_count"}
    return name == metric.name


def labels_of(text: str) -> dict[str, str]:
    """The labels between the braces. Raises ValueError."""
    labels: dict[str, str] = {}
    at = 0
    while at < len(text):
        match = LABEL.match(text, at)
        if match is None or match[1] in labels:
            raise ValueError(f"not a list of labels: {text!r}")
        labels[match[1]] = match[2]
        at = match.end()
    return labels


def problems(text: str) -> list[str]:
    """Everything that is wrong with a scrape."""
    found: list[str] = []
    for metric in read(text).values():
        found += [f"{metric.name}: {problem}" for problem in [*about_the_name(metric), *about_the_samples(metric)]]
    return found


def about_the_name(metric: Metric) -> list[str]:
    words = set(metric.name.split("_"))
    checks = {
        "has no help": not metric.help,
        "has no type": not metric.kind,
        "a counter does not end in _total": metric.kind == "counter" and not metric.name.endswith("_total"),
        "what is no counter ends in _total": metric.kind != "counter" and metric.name.endswith("_total"),
        "ends like a part of a histogram": metric.name.endswith(("_bucket", "_count", "_sum")),
        "has its type in its name": bool(words & TYPE_WORDS),
        "has a unit that is no base unit": bool(words & NOT_BASE_UNITS),
        "has an abbreviated unit": bool(words & ABBREVIATIONS),
        "has a colon": ":" in metric.name,
        "is in camel case": metric.name != metric.name.lower(),
        "has a unit before its end": bool(words & {"seconds", "bytes"})
        and not metric.name.removesuffix("_total").endswith(("_seconds", "_bytes")),
    }
    return [problem for problem, holds in checks.items() if holds]


def about_the_samples(metric: Metric) -> list[str]:
    found: list[str] = []
    series = [(name, tuple(sorted(labels.items()))) for name, labels, _ in metric.samples]
    if len(set(series)) != len(series):
        found.append("has the same series twice")
    if not series:
        found.append("has no sample")
    names = {label for _, labels, _ in metric.samples for label in labels}
    if names & {"quantile"} or ("le" in names and metric.kind != "histogram"):
        found.append("has a reserved label")
    if any(name != name.lower() for name in names):
        found.append("has a label in camel case")
    if metric.kind == "counter" and any(value < 0 for _, _, value in metric.samples):
        found.append("counts below zero")
    if metric.kind == "histogram":
        found += about_the_buckets(metric)
    return found


def about_the_buckets(metric: Metric) -> list[str]:
    groups: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = {}
    counts: dict[tuple[tuple[str, str], ...], float] = {}
    for name, labels, value in metric.samples:
        rest = tuple(sorted((key, text) for key, text in labels.items() if key != "le"))
        if name.endswith("_bucket"):
            groups.setdefault(rest, []).append((float(labels["le"]), value))
        elif name.endswith("_count"):
            counts[rest] = value
    found = []
    for rest, buckets in groups.items():
        if buckets != sorted(buckets) or [count for _, count in buckets] != sorted(count for _, count in buckets):
            found.append("has buckets that are not cumulative or not in order")
        if buckets[-1] != (float("inf"), counts.get(rest)):
            found.append("has no last bucket that holds all")
    return found
