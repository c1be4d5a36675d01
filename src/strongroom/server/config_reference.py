"""The page that documents the configuration, made from the tables of ``config_schema``."""

from __future__ import annotations

from strongroom.server.config_schema import SECTIONS, Section


def reference() -> str:
    """Every setting as Markdown, for the page that documents them."""
    return "\n".join(_section_text(section) for section in SECTIONS)


def _section_text(section: Section) -> str:
    lines = [f"### {section.title}", ""]
    if section.settings:
        lines += ["| setting | default | meaning | written as |", "|---|---|---|---|"]
        lines += [
            f"| `{item.name}` | {item.shown} | {item.meaning} | {item.kind.expected} |" for item in section.settings
        ]
        lines.append("")
    for heading, names in (
        ("Accepted without effect", section.ignored),
        ("Refused, because ignoring them would be dangerous", section.refused),
    ):
        if names:
            lines += [f"{heading}:", "", *(f"- `{name}`: {why}" for name, why in sorted(names.items())), ""]
    return "\n".join(lines)
