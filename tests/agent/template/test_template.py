"""Templates as users of Vault's agent write them say the same here; whatever could do more than that is refused by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.agent.template.errors import BadTemplate, CannotRender
from strongroom.agent.template.evaluate import OUTPUT_CHARACTERS_MAX
from strongroom.agent.template.refused import REASONS
from strongroom.agent.template.template import Template
from strongroom.agent.template.values import Record
from strongroom.client import exact_json

DATA: dict[str, Any] = {
    "user": "app",
    "password": 'p"<w>&',
    "port": 5432,
    "ratio": exact_json.decode("1.50"),
    "on": True,
    "off": False,
    "none": None,
    "empty": "",
    "hosts": ["a", "b", "c"],
    "nested": {"z": {"deep": 1}, "a": "first"},
    "pem": "line 1\nline 2\n\nline 4",
    "encoded": "aGVsbG8=",
    "json": '{"k": [1, 2]}',
}


class Secrets:
    """One secret in a store with versions, one without, and a list."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def secret(self, path: str, parameters: Sequence[str]) -> Record:
        self.asked.append((path, *parameters))
        return Record(LeaseID="lease-1", LeaseDuration=60, Data={"data": DATA, **DATA}, Auth=None)

    def names(self, path: str) -> list[str]:
        self.asked.append((path,))
        return ["one", "two"]

    def certificate(self, path: str, parameters: Sequence[str]) -> Record:
        self.asked.append((path, *parameters))
        return Record(Cert="CERT", Key="KEY", CA="CA")


def rendered(source: str, **options: Any) -> str:
    return Template(source, **options).render(Secrets())


def within(source: str, **options: Any) -> str:
    return rendered('{{ with secret "secret/data/app" }}' + source + "{{ end }}", **options)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain text { } }} {", "plain text { } }} {"),
        ('{{ with secret "secret/data/app" }}{{ .Data.data.user }}{{ end }}', "app"),
        ('{{ $s := secret "secret/data/app" }}{{ $s.Data.data.user }}', "app"),
        ('{{ (secret "secret/data/app").Data.data.user }}', "app"),
        ('{{- with secret "x" -}}\n  {{ .Data.user }}\n{{- end -}}\n', "app"),
        ("a {{- /* nothing */ -}} b", "ab"),
        ("{{/* nothing */}}x", "x"),
        ('{{ range secrets "secret/metadata/" }}[{{ . }}]{{ end }}', "[one][two]"),
        ('{{ range $i, $n := secrets "x" }}{{ $i }}={{ $n }};{{ end }}', "0=one;1=two;"),
        ('{{ with pkiCert "pki/issue/r" "common_name=a" }}{{ .Key }}{{ .Cert }}{{ .CA }}{{ end }}', "KEYCERTCA"),
        ('{{ printf "%s:%d %q %5s|%-5s|%05d|%.1f|%x|%t|%v%%" "a" 5 "q" "r" "l" 42 0.25 "az" true 7 }}',
         'a:5 "q"     r|l    |00042|0.2|617a|true|7%'),
        ("{{ if and true 1 }}yes{{ else }}no{{ end }}", "yes"),
        ("{{ if or false 0 }}yes{{ else if eq 1 2 }}two{{ else }}no{{ end }}", "no"),
        ('{{ if not "" }}empty{{ end }}', "empty"),
        ("{{ if eq 2 1 2 3 }}in{{ end }}{{ if ne 1 2 }}ne{{ end }}{{ if lt 1 2 }}lt{{ end }}{{ if ge 1 2 }}ge{{ end }}", "innelt"),
        ("{{ range loop 3 }}{{ . }}{{ end }}", "012"),
        ("{{ range loop 2 5 }}{{ if eq . 3 }}{{ continue }}{{ end }}{{ . }}{{ end }}", "24"),
        ("{{ range loop 9 }}{{ if eq . 2 }}{{ break }}{{ end }}{{ . }}{{ end }}", "01"),
        ("{{ range loop 0 }}x{{ else }}none{{ end }}", "none"),
        ("{{ $x := 1 }}{{ if true }}{{ $x = 2 }}{{ end }}{{ $x }}", "2"),
        ("{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ $x }}{{ end }}{{ $x }}", "21"),
        ("{{ add 1 2 }} {{ 5 | subtract 2 }} {{ multiply 2 3 }} {{ 7 | divide 2 }} {{ 7 | modulo 4 }}", "3 3 6 3 3"),
        ("{{ 5 | minimum 3 }} {{ 5 | maximum 3 }}", "3 5"),
        ('{{ "a,b" | split "," | join "-" }}', "a-b"),
        ('{{ " x " | trimSpace }}{{ "--y--" | trim "-" }}{{ "pre-z" | trimPrefix "pre-" }}{{ "w.txt" | trimSuffix ".txt" }}', "xyzw"),
        ('{{ "Abc" | toLower }}{{ "Abc" | toUpper }}{{ "foo bar" | toTitle }}', "abcABCFoo Bar"),
        ('{{ "a.b.c" | replaceAll "." "-" }}', "a-b-c"),
        ('{{ "hi" | base64Encode }} {{ "aGk=" | base64Decode }} {{ "aGk_" | base64URLDecode | len }}', "aGk= hi 3"),
        ('{{ "abc" | sha256Hex }}', "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ('{{ index (split "," "a,b") 1 }}{{ slice "abcd" 1 3 }}{{ len "é" }}', "bbc2"),
        ('{{ "true" | parseBool }}{{ "12" | parseInt }}{{ "1.5" | parseFloat }}', "true121.5"),
        ('{{ `raw "text"` }}{{ "tab\\there" }}', 'raw "text"tab\there'),
        ('{{ print "a" 1 2 "b" }}|{{ println "x" 1 }}', "a1 2b|x 1\n"),
        ('{{ "<a>" | html }}{{ "a b&c" | urlquery }}', "&lt;a&gt;a+b%26c"),
        ("{{ nil | toJSON }}", "null"),
    ],
)  # fmt: skip
def test_it_says_what_consul_template_says(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ .Data.data.port }} {{ .Data.data.ratio }} {{ .Data.data.on }}", "5432 1.50 true"),
        ("{{ .Data.data.nested.z.deep }}", "1"),
        ("{{ .Data.data.nested }}", "map[a:first z:map[deep:1]]"),
        ("{{ .Data.data.hosts }}", "[a b c]"),
        ("{{ .Data.data.missing }}", "<no value>"),
        ("{{ range $k, $v := .Data.data.nested }}{{ $k }};{{ end }}", "a;z;"),
        ("{{ range .Data.data.hosts }}{{ . }}{{ $.x }}{{ end }}", None),
        ("{{ .Data.data.nested | toJSON }}", '{"a":"first","z":{"deep":1}}'),
        ("{{ .Data.data.nested.z | toJSONPretty }}", '{\n  "deep": 1\n}'),
        ("{{ .Data.data.password | toJSON }}", '"p\\"\\u003cw\\u003e\\u0026"'),
        ("{{ .Data.data.password | toUnescapedJSON }}", '"p\\"<w>&"'),
        ("{{ .Data.data.pem | indent 2 }}", "  line 1\n  line 2\n\n  line 4"),
        ("{{ .Data.data.encoded | base64Decode }}", "hello"),
        ("{{ with .Data.data.json | parseJSON }}{{ index .k 1 }}{{ end }}", "2"),
        ('{{ if .Data.data.hosts | contains "b" }}yes{{ end }}', "yes"),
        ('{{ if in .Data.data.hosts "d" }}yes{{ else }}no{{ end }}', "no"),
        ('{{ if eq .Data.data.port 5432 }}a{{ end }}{{ if eq .Data.data.port "5432" }}b{{ end }}', "ab"),
        ("{{ .LeaseDuration }} {{ .LeaseID }}", "60 lease-1"),
        ("{{ with .Data.data.empty }}x{{ else }}y{{ end }}", "y"),
    ],
)
def test_it_reads_secrets_as_consul_template_does(source: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(CannotRender):
            within(source)
        return
    assert within(source) == expected


def test_parameters_make_it_a_write() -> None:
    secrets = Secrets()
    Template('{{ with secret "pki/issue/web" "common_name=a.b" "ttl=1h" }}{{ end }}').render(secrets)
    assert secrets.asked == [("pki/issue/web", "common_name=a.b", "ttl=1h")]


def test_other_delimiters_leave_the_usual_ones_alone() -> None:
    assert rendered('[[ "x" ]] {{ y }}', delimiters=("[[", "]]")) == "x {{ y }}"


def test_a_missing_key_is_an_error_where_that_is_asked_for() -> None:
    with pytest.raises(CannotRender, match="there is no key missing"):
        within("{{ .Data.data.missing }}", strict=True)


def test_values_that_look_like_actions_are_not_looked_at_again() -> None:
    class Hostile(Secrets):
        def secret(self, path: str, parameters: Sequence[str]) -> Record:
            return Record(Data={"v": '{{ secret "other" }}'})

    assert Template('{{ with secret "x" }}{{ .Data.v }}{{ end }}').render(Hostile()) == '{{ secret "other" }}'


@pytest.mark.parametrize("name", sorted(REASONS))
def test_what_could_do_more_is_refused_by_name_with_a_reason(name: str) -> None:
    with pytest.raises(BadTemplate, match=f"{name} is not supported: "):
        Template(f'{{{{ {name} "x" }}}}')


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{", "never closed"),
        ("{{ if true }}x", "this if is never closed"),
        ("{{ end }}", "without a block"),
        ("{{ if true }}{{ else }}{{ else }}{{ end }}", "expected end after else"),
        ("{{ }}", "nothing between"),
        ("{{ $x }}", "not set before"),
        ("{{ range $i, $v := loop 2 }}{{ end }}{{ $v }}", "not set before"),
        ("{{ nonsense }}", "there is no function nonsense"),
        ("{{ sprig_env }}", "only consul-template's own"),
        ('{{ define "x" }}{{ end }}', "define is not supported"),
        ('{{ template "x" }}', "template is not supported"),
        ("{{ break }}", "outside of a range"),
        ('{{ "unclosed }}', "expected a name, a value"),
        ("{{ 0x10 }}", "expected a number like"),
        ('{{ "\\x41" }}', "expected one of the escapes"),
        ('{{ "\\ud800" }}', "half of a surrogate"),
        ("{{ /* x }}", "never closed"),
        ("{{ 1 2 }}", "only a function takes arguments"),
        ('{{ "a" | "b" }}', "expected a function after |"),
        ("{{ (1 }}", r"expected \)"),
        ("{{ 1 -}}{{ 2-}}", "expected a space before"),
        ("x\n\n{{ nonsense }}", "line 3"),
        ("{{ if true }}" * 100 + "{{ end }}" * 100, "nested deeper"),
        ("{{ " + "(" * 100 + "1" + ")" * 100 + " }}", "nested deeper"),
        ("{{ 1 }}" * 60_000, "more than 50,000 words"),
        ("x" * (1 << 20) + "y", "longer than"),
    ],
)
def test_what_is_no_template_is_refused_at_the_start(source: str, expected: str) -> None:
    with pytest.raises(BadTemplate, match=expected):
        Template(source)


def test_a_function_can_be_denied_by_the_configuration() -> None:
    with pytest.raises(BadTemplate, match="function_denylist"):
        Template('{{ "x" | base64Encode }}', denied=["base64Encode"])


@pytest.mark.parametrize(
    "source",
    [
        "{{ range loop 10000 }}{{ range loop 10000 }}{{ end }}{{ end }}",
        '{{ $x := "0123456789" }}{{ range loop 40 }}{{ $x = print $x $x }}{{ end }}',
        '{{ $x := "0123456789" }}{{ range loop 400 }}{{ $x = base64Encode $x }}{{ end }}',
        '{{ $x := "aaaaaaaaaa" }}{{ range loop 40 }}{{ $x = replaceAll "a" "aaaaaaaaaa" $x }}{{ end }}',
        '{{ $x := printf "%1000s" "" }}{{ range loop 10000 }}{{ $x }}{{ end }}',
        "{{ loop 100000000 }}",
        '{{ printf "%9999s" "x" }}',
        '{{ "x" | indent 100000 }}',
        "{{ $x := 9 }}{{ range loop 100 }}{{ $x = multiply $x $x }}{{ end }}",
    ],
)
def test_nothing_grows_without_a_limit(source: str) -> None:
    with pytest.raises(CannotRender):
        Template(source).render(Secrets())


@pytest.mark.parametrize(
    "source",
    ['{{ indent "x" 2 }}', "{{ divide 0 1 }}", "{{ add 1 }}", '{{ "%%" | base64Decode }}',
     '{{ secret "x" "novalue" }}', '{{ secret "" }}', '{{ "x" | parseJSON }}', "{{ index (loop 2) 5 }}", '{{ "x".y }}',
     '{{ lt 1 "a" }}', '{{ printf "%d" "x" }}', '{{ printf "%s" }}', '{{ printf "x" 1 }}', "{{ join 1 2 }}", "{{ and }}",
     "{{ range 5 }}{{ end }}", '{{ "\\u0000" | slice 5 }}'],
)  # fmt: skip
def test_what_does_not_go_together_is_an_error_without_a_value(source: str) -> None:
    with pytest.raises((CannotRender, BadTemplate)):
        Template(source).render(Secrets())


def test_no_error_shows_a_value() -> None:
    for inner in (".Data.data.password.x", "base64Decode .Data.data.password", "parseJSON .Data.data.password"):
        with pytest.raises(CannotRender) as caught:
            within("{{ " + inner + " }}")
        assert DATA["password"] not in str(caught.value)
        assert DATA["password"] not in repr(caught.value)


def test_a_value_that_is_nested_beyond_reason_is_an_error() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]

    class Deep(Secrets):
        def secret(self, path: str, parameters: Sequence[str]) -> Record:
            return Record(Data=deep)

    for use in ("{{ .Data }}", "{{ .Data | toJSON }}"):
        with pytest.raises(CannotRender):
            Template('{{ with secret "x" }}' + use + "{{ end }}").render(Deep())


WORDS = st.sampled_from(
    ["{{", "}}", "{{-", "-}}", " ", "if", "range", "with", "end", "else", "$x", ":=", "=", "|", "(", ")", ".", ".Data",
     "secret", '"a"', "1", "loop", "print", "index", "toJSON", "break", ",", "`", '"', "/*", "*/", "\n", "é", "\\"]
)  # fmt: skip


@given(st.lists(WORDS, max_size=40).map(" ".join) | st.text(max_size=60))
def test_any_text_is_rendered_or_refused(source: str) -> None:
    try:
        out = Template(source).render(Secrets())
    except (BadTemplate, CannotRender):
        return
    assert len(out) <= OUTPUT_CHARACTERS_MAX


@given(st.text(alphabet=st.characters(exclude_characters="{", exclude_categories=["Cs"])))
def test_a_text_without_actions_is_rendered_as_it_is(source: str) -> None:
    assert rendered(source) == source


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_to_json_and_back_is_the_same(value: Any) -> None:
    class One(Secrets):
        def secret(self, path: str, parameters: Sequence[str]) -> Record:
            return Record(Data=value)

    for name in ("toJSON", "toUnescapedJSON", "toJSONPretty"):
        out = Template(f'{{{{ with secret "x" }}}}{{{{ .Data | {name} }}}}{{{{ end }}}}').render(One())
        assert json.loads(out) == value
