from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.auth.networks import allows, are_within, check_blocks, only_block_of, without_full_length
from strongroom.logical.errors import InvalidRequest


def test_addresses_and_blocks_are_kept_in_one_canonical_form_with_their_host_bits() -> None:
    blocks = check_blocks(["10.0.0.1/24", "192.168.1.1", "2001:DB8:0:0::/32", "::1"], "f")
    assert blocks == ("10.0.0.1/24", "192.168.1.1/32", "2001:db8::/32", "::1/128")
    assert without_full_length(blocks) == ("10.0.0.1/24", "192.168.1.1", "2001:db8::/32", "::1")


@pytest.mark.parametrize(
    "block",
    [
        "nonsense",
        "10.0.0.0/33",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.0.0.255",
        "10.0.0/8",
        "127.1",
        "0x7f000001",
        "2130706433",
        "::/129",
        "10.0.0.0/８",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "fe80::1%eth0",
        "/77",
    ],
)
def test_what_is_no_block_is_refused_without_being_quoted(block: str) -> None:
    with pytest.raises(InvalidRequest, match="field 'f' must hold IP addresses") as caught:
        check_blocks([block], "f")
    assert block not in str(caught.value)


def test_no_blocks_allow_every_address_even_an_unknown_one() -> None:
    assert allows((), "")
    assert allows((), "10.0.0.1")


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("::1", False),
        ("2001:db8::7", True),
        ("2001:db8::7%eth0", True),
        ("", False),
        ("a socket", False),
    ],
)
def test_an_address_must_lie_in_a_block_and_an_unreadable_one_lies_in_none(address: str, *, is_allowed: bool) -> None:
    assert allows(("10.0.0.0/8", "2001:db8::/32"), address) is is_allowed


def test_blocks_lie_within_others_only_of_their_own_kind() -> None:
    assert are_within(["10.1.0.0/16", "10.0.0.1/32"], ("10.0.0.0/8",))
    assert are_within(["192.168.0.0/16"], ())
    assert are_within((), ("10.0.0.0/8",))
    assert not are_within(["10.0.0.0/7"], ("10.0.0.0/8",))
    assert not are_within(["10.1.0.0/16", "::/0"], ("10.0.0.0/8",))
    assert not are_within(["10.1.0.0/16"], ("::/0",))


def test_a_token_can_be_bound_to_the_one_address_of_its_login() -> None:
    assert only_block_of("::ffff:10.0.0.7") == ("10.0.0.7/32",)
    assert only_block_of("2001:db8::1") == ("2001:db8::1/128",)
    with pytest.raises(InvalidRequest, match="not known"):
        only_block_of("")


@given(st.ip_addresses(), st.integers(0, 32))
def test_every_address_lies_in_the_block_around_it(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    (block,) = check_blocks([f"{address}/{length}"], "f")
    assert allows([block], str(address)) or (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped)
    assert are_within([block], [block])


@given(st.lists(st.text(max_size=60)))
def test_any_text_is_a_block_or_an_invalid_request(blocks: list[str]) -> None:
    try:
        checked = check_blocks(blocks, "f")
    except InvalidRequest:
        return
    assert check_blocks(checked, "f") == checked
