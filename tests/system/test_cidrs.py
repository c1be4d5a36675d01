from __future__ import annotations

import pytest

from strongroom.logical.errors import InvalidRequest
from strongroom.system.cidrs import check_cidrs


@pytest.mark.parametrize(
    ("texts", "blocks"),
    [
        ([], []),
        (["10.0.0.0/8"], ["10.0.0.0/8"]),
        (["10.1.2.3/8"], ["10.0.0.0/8"]),
        (["10.1.2.3"], ["10.1.2.3"]),
        (["2001:DB8::/32", "2001:db8:0::/32"], ["2001:db8::/32"]),
        (["10.0.0.0/8", "10.0.0.0/8"], ["10.0.0.0/8"]),
    ],
    ids=str,
)
def test_blocks_are_written_in_one_spelling_and_once(texts: list[str], blocks: list[str]) -> None:
    assert check_cidrs(texts) == blocks


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.0/33", "10.0.1", "10.0.0.0/-1", "::1/129", "10.0.0.0 /8"])
def test_what_is_no_block_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(InvalidRequest, match="malformed") as refused:
        check_cidrs([text])
    assert text == "" or text not in str(refused.value)
