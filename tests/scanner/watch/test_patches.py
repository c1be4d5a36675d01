from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.scanner.watch.github import patch_of

from strongroom.scanner.watch.patches import additions_of

DIFF = b"""diff --git a/x.py b/x.py
index 1..2 100644
--- a/x.py
+++ b/x.py
@@ -1,3 +1,4 @@ def f
 one
-two
+TWO
+three
 four
@@ -10 +11,2 @@
+ten
 eleven
diff --git a/gone b/gone
deleted file mode 100644
--- a/gone
+++ /dev/null
@@ -1,2 +0,0 @@
-secret
-+++ b/not-a-head
"""


def test_added_lines_stand_where_they_are_in_the_new_version() -> None:
    found = [(one.path, one.line, one.data) for one in additions_of(DIFF)]
    assert found == [("x.py", 2, b"TWO\nthree"), ("x.py", 11, b"ten")]


def test_each_commit_of_several_has_its_author_and_its_message() -> None:
    patch = patch_of("a" * 40, {"f": "1\n2"}, "first") + patch_of("b" * 40, {"g": "3"}, "second")
    found = list(additions_of(patch))
    assert [(one.commit[0], one.path) for one in found] == [("a", ""), ("a", "f"), ("b", ""), ("b", "g")]
    assert b"first" in found[0].data
    assert {one.author for one in found} == {"Ann <ann@acme.example>"}


def test_an_added_line_that_looks_like_a_head_is_an_added_line() -> None:
    text = "From " + "c" * 40 + " Mon Sep 17 00:00:00 2001\ndiff --git a/z b/z\n++ b/evil\n@@ -1 +1 @@"
    found = [one for one in additions_of(patch_of("a" * 40, {"f": text})) if one.path]
    assert [(one.path, one.commit[0], one.data.decode()) for one in found] == [("f", "a", text)]


def test_names_in_quotes_are_names() -> None:
    patch = b'diff --git "a/x y" "b/x y"\n--- /dev/null\n+++ "b/x \\"y"\n@@ -0,0 +1 @@\n+a\n'
    assert [one.path for one in additions_of(patch)] == ['x "y']


@given(
    st.dictionaries(
        st.sampled_from(["a", "b c", "d/e.py"]),
        st.lists(st.text(st.characters(exclude_characters="\n\r", codec="utf-8"), min_size=1), min_size=1, max_size=5),
        min_size=1,
    )
)
def test_whatever_a_commit_adds_is_found_again(files: dict[str, list[str]]) -> None:
    written = {name: "\n".join(lines) for name, lines in files.items()}
    found = {one.path: one.data.decode() for one in additions_of(patch_of("a" * 40, written)) if one.path}
    assert found == written


@given(st.binary(max_size=300) | st.lists(st.sampled_from(DIFF.split(b"\n"))).map(b"\n".join))
def test_nothing_makes_the_reader_fail(data: bytes) -> None:
    for one in additions_of(data):
        assert one.line >= 0
