from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.path import PATH_BYTES_MAX, SEGMENTS_MAX, TemplateTree, check_canonical, parse_template

segment = st.from_regex(r"[a-z0-9_.@:-]{1,12}", fullmatch=True).filter(lambda text: text not in {".", ".."})
paths = st.lists(segment, min_size=1, max_size=6).map("/".join)


@given(paths, st.booleans())
def test_a_plain_path_is_canonical_with_and_without_a_trailing_slash(path: str, slash: bool) -> None:  # noqa: FBT001 -- drawn
    text = path + "/" * slash
    assert check_canonical(text) == text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/a",
        "a//b",
        "a//",
        "a/./b",
        "a/../b",
        "..",
        ".",
        "a/..",
        "a/.",
        "a/%2e%2E/b",
        "a\\b",
        "a\\..\\b",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\u200bb",
        "a\u202eb",
        "a\u2028b",
        "a\ufeffb",
        "a\ue000b",
        "a\ud800b",
        unicodedata.normalize("NFD", "é"),
        "a" * (PATH_BYTES_MAX + 1),
        "é" * (PATH_BYTES_MAX // 2 + 1),
        "/".join(["a"] * (SEGMENTS_MAX + 1)),
    ],
    ids=lambda path: ascii(path[:16]),
)
def test_every_other_spelling_of_a_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_canonical(path)
    assert len(path) < 4 or path not in str(refused.value)


@pytest.mark.parametrize(
    "path",
    [
        "é",
        "日本語/ключ",
        "a b",
        "a%2fb",
        "...",
        "a/...",
        ".hidden",
        "a" * PATH_BYTES_MAX,
        "/".join(["a"] * SEGMENTS_MAX),
    ],
    ids=lambda path: ascii(path[:16]),
)
def test_unusual_but_single_spellings_are_kept_as_they_are(path: str) -> None:
    assert check_canonical(path) == path


@given(st.text(max_size=40))
def test_any_text_is_canonical_as_it_is_or_refused(text: str) -> None:
    try:
        assert check_canonical(text) is text
    except InvalidRequest:
        return
    assert unicodedata.is_normalized("NFC", text)
    assert not {"", ".", ".."} & set(text.removesuffix("/").split("/"))


@pytest.mark.parametrize("template", ["a//b", "/a", "a/", "{A}", "{a}/{a}", "{a*}/b", "a{b}", "{", "{a", "{}", "{a..}"])
def test_a_malformed_template_is_a_mistake_of_ours(template: str) -> None:
    with pytest.raises(ValueError, match=r"template|capture|segment"):
        parse_template(template)


def tree(*templates: str) -> TemplateTree[str]:
    made: TemplateTree[str] = TemplateTree()
    for template in templates:
        made.add(template, template)
    return made


@pytest.mark.parametrize(
    ("path", "template", "captures"),
    [
        ("", "{any*}", {"any": ""}),
        ("keys", "keys", {}),
        ("keys/a", "keys/{name}", {"name": "a"}),
        ("keys/a/rotate", "keys/{name}/rotate", {"name": "a"}),
        ("keys/config", "keys/config", {}),
        ("keys/a/b", "{any*}", {"any": "keys/a/b"}),
        ("data/a", "data/{path...}", {"path": "a"}),
        ("data/a/b/c", "data/{path...}", {"path": "a/b/c"}),
        ("data/a/b/tune", "data/{path...}/tune", {"path": "a/b"}),
        ("data/tune", "data/{path...}", {"path": "tune"}),
        ("data/tune/tune", "data/{path...}/tune", {"path": "tune"}),
        ("data", "{any*}", {"any": "data"}),
        ("other", "{any*}", {"any": "other"}),
    ],
    ids=lambda value: str(value) or "root",
)
def test_the_most_specific_template_wins_whatever_the_order(path: str, template: str, captures: dict[str, str]) -> None:
    templates = [
        "{any*}",
        "data/{path...}",
        "data/{path...}/tune",
        "keys/{name}",
        "keys/config",
        "keys/{name}/rotate",
        "keys",
    ]
    for ordered in (templates, templates[::-1]):
        assert next(tree(*ordered).find(path)) == (template, captures)


def test_a_path_that_no_template_matches_finds_nothing() -> None:
    assert list(tree("a/{b}").find("a")) == []
    assert list(tree("a/{b}").find("a/b/c")) == []
    assert list(tree("a/{b}").find("")) == []
    assert list(tree("a/{b...}").find("a")) == []


@given(paths)
def test_captures_put_back_into_the_template_give_the_path(path: str) -> None:
    for template, captures in tree("{any*}", "{one}", "{one}/{rest...}", "{rest...}").find(path):
        filled = "/".join(captures[part.name] for part in parse_template(template))
        assert filled == path
