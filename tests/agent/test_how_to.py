"""What the how-to page shows is what the agent reads."""

from __future__ import annotations

import re

import pytest
from tests.tidy.source import ROOT

from strongroom.agent.config import parse_config
from strongroom.agent.template.evaluate import known_functions
from strongroom.agent.template.template import Template

PAGE = (ROOT / "docs" / "how-to" / "agent.md").read_text()
EXAMPLES = re.findall(r"^```hcl\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_a_configuration_without_a_warning(text: str) -> None:
    config = parse_config(text, "agent.hcl")
    assert config.warnings == ()
    credentials = config.systemd_credentials.credentials if config.systemd_credentials else ()
    sources = [
        *(item.source for item in config.templates),
        *(item.source for item in config.env_templates),
        *(item.source for item in credentials),
    ]
    for source in sources:
        Template(source.text)


def test_every_function_is_on_the_page_and_no_other() -> None:
    listed = next(part for part in PAGE.split("\n\n") if part.startswith("`secret` `secrets`"))
    assert set(re.findall(r"`(\w+)`", listed)) == known_functions()
