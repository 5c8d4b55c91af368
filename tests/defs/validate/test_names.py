"""Identifiers, case conversion and generated names against the reference's answers, and against the rules read literally."""

from __future__ import annotations

import gc
import gzip
import importlib
import json
import re
import subprocess
import sys
import unicodedata
import weakref
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defs.validate import names
from defs.validate.names import IdentifierFault, camel, identifier_fault, pascal, snake

regex: Any = importlib.import_module("regex")

REFERENCE = Path(__file__).parents[3] / "vectors" / "reference" / "names.jsonl.gz"


@cache
def reference_cases() -> list[dict[str, str]]:
    with gzip.open(REFERENCE, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# The reference's Debug text ---------------------------------------------------------------------------------

_FIELDS = r"name: \"(?P<name>.*?)\"(?:, invalid_(?:start|continue): '(?P<char>.*)')?"
_DEBUG = re.compile(rf"(?P<kind>\w+)(?: \{{ {_FIELDS} \}})?", re.DOTALL)
_ESCAPE = re.compile(r"\\u\{([0-9a-f]+)\}|\\(.)", re.DOTALL)
_LETTERS = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _LETTERS.get(found[2], found[2]), text)


def fault_in(debug: str) -> tuple[str, str, str | None] | None:
    """`InvalidStart { name: "9", invalid_start: '9' }` as its parts."""
    if debug == "valid":
        return None
    found = _DEBUG.fullmatch(debug)
    assert found, debug
    char = found["char"]
    return found["kind"], unescaped(found["name"] or ""), None if char is None else unescaped(char)


def parts(fault: IdentifierFault | None) -> tuple[str, str, str | None] | None:
    return None if fault is None else (fault.kind, fault.name, fault.char)


# Reference --------------------------------------------------------------------------------------------------


def test_every_reference_name_is_judged_alike() -> None:
    kinds = set()
    for case in reference_cases():
        assert parts(identifier_fault(case["name"])) == fault_in(case["identifier"]), case["id"]
        kinds.add(case["identifier"].split(" ")[0])
    assert kinds >= {"valid", "NotCanonicalized", "InvalidStart", "InvalidContinue"}


def test_every_reference_name_is_converted_alike() -> None:
    assert len(reference_cases()) == 1500
    for case in reference_cases():
        name = case["name"]
        assert (snake(name), camel(name), pascal(name)) == (case["snake"], case["camel"], case["pascal"]), case["id"]


#: name, snake, camel, Pascal: answers of the reference
CONVERTED = [
    ("", "", "", ""),
    ("HTTP2Server", "http_2_server", "http2Server", "Http2Server"),
    ("player1Name", "player_1_name", "player1Name", "Player1Name"),
    ("userIDs", "user_i_ds", "userIDs", "UserIDs"),
    ("x1y2", "x_1_y_2", "x1Y2", "X1Y2"),
    ("aBCd9E", "a_b_cd_9_e", "aBCd9E", "ABCd9E"),
    ("ABC", "abc", "abc", "Abc"),
    ("ABCd", "ab_cd", "abCd", "AbCd"),
    ("__init__", "init", "init", "Init"),
    ("_", "", "", ""),
    ("_1", "1", "1", "1"),
    ("a_", "a", "a", "A"),
    ("foo__bar", "foo_bar", "fooBar", "FooBar"),
    ("a.b", "a.b", "a.b", "A.b"),
    ("$AB$Cd", "$ab$cd", "$ab$cd", "$ab$cd"),
    ("a\r\nB", "a\r\nb", "a\r\nb", "A\r\nb"),
    ("東京Tower", "東京tower", "東京tower", "東京tower"),
    ("HTTP-日本 x", "http_日本_x", "http日本X", "Http日本X"),
    # final sigma: of the word; in a capitalised one, of what follows the first character
    ("ΣΑΣ", "σας", "σας", "Σας"),
    ("ΑΣ_x", "ας_x", "αςX", "ΑσX"),
    ("ΑΣ1", "ας_1", "ας1", "Ασ1"),
    ("ΑΣ-Σ", "ας_σ", "αςΣ", "ΑσΣ"),
    ("aΣ.b", "a_σ.b", "aΣ.b", "AΣ.b"),
    # letters that become several
    ("ßA", "ß_a", "ßA", "SSA"),
    ("ŉA", "ŉ_a", "ŉA", "ʼNA"),
    ("ﬁx_ﬁx", "ﬁx_ﬁx", "ﬁxFIx", "FIxFIx"),
    ("ᾳA", "ᾳ_a", "ᾳA", "ΑΙA"),
    ("aİB", "a_i̇b", "aİb", "Aİb"),
    ("ıI", "ı_i", "ıI", "II"),
    # neither upper nor lower
    ("ǅabc", "ǆabc", "ǆabc", "Ǆabc"),
    ("aǅB", "aǆb", "aǆb", "Aǆb"),
    ("ªB", "ªb", "ªb", "ªb"),
    # cased without being letters
    ("ⅧⅨa", "ⅷ_ⅸa", "ⅷⅨa", "ⅧⅨa"),
    ("ꭰᎠ", "ꭰ_ꭰ", "ꭰᎠ", "ᎠᎠ"),
    ("𐐀𐐨𐐀", "𐐨𐐨_𐐨", "𐐨𐐨𐐀", "𐐀𐐨𐐀"),
    # a digit is an ASCII digit
    ("٣a3", "٣a_3", "٣a3", "٣a3"),
    ("²a2A", "²a_2_a", "²a2A", "²a2A"),
    # clusters: a mark belongs to its base, and takes digits and separators out of their class
    ("x\u0302A", "x\u0302_a", "x\u0302A", "X\u0302A"),
    ("AB\u0301c", "a_b\u0301c", "aB\u0301c", "AB\u0301c"),
    ("aB\u00adC", "a_b\u00adc", "aB\u00adc", "AB\u00adc"),
    ("a1\u0301B", "a1\u0301b", "a1\u0301b", "A1\u0301b"),
    ("1\ufe0f\u20e3A", "1\ufe0f\u20e3a", "1\ufe0f\u20e3a", "1\ufe0f\u20e3a"),
    ("_\u0301a", "_\u0301a", "_\u0301a", "_\u0301a"),
    ("a-\u0301B", "a-\u0301b", "a-\u0301b", "A-\u0301b"),
    ("A👩\u200d👧b", "a👩\u200d👧b", "a👩\u200d👧b", "A👩\u200d👧b"),
    ("🇦🇧a", "🇦🇧a", "🇦🇧a", "🇦🇧a"),
    ("\u1100\u1161\u11a8B", "\u1100\u1161\u11a8b", "\u1100\u1161\u11a8b", "\u1100\u1161\u11a8b"),
    ("\u0915\u094d\u0937a1", "\u0915\u094d\u0937a_1", "\u0915\u094d\u0937a1", "\u0915\u094d\u0937a1"),
    ("a\u094d\u0915B", "a\u094d\u0915b", "a\u094d\u0915b", "A\u094d\u0915b"),  # Unicode 18 makes a\u094d\u0915 one cluster
]


@pytest.mark.parametrize(("name", "in_snake", "in_camel", "in_pascal"), CONVERTED, ids=ascii)
def test_conversions(name: str, in_snake: str, in_camel: str, in_pascal: str) -> None:
    assert (snake(name), camel(name), pascal(name)) == (in_snake, in_camel, in_pascal)


#: answers of the reference
JUDGED = [
    ("", "Empty", None),
    ("9a", "InvalidStart", "9"),
    ("-", "InvalidStart", "-"),
    ("a-b$", "InvalidContinue", "-"),
    ("a.b", "InvalidContinue", "."),
    ("a\n", "InvalidContinue", "\n"),
    ("é\0", "InvalidContinue", "\0"),
    ("日-", "InvalidContinue", "-"),
    ("٣", "InvalidStart", "٣"),
    ("\u200da", "InvalidStart", "\u200d"),
    ("\u0345", "InvalidStart", "\u0345"),
    ("\u037a", "InvalidStart", "\u037a"),  # in ID_Start, not in XID_Start
    ("a\u037a", "InvalidContinue", "\u037a"),
    ("\u0e33", "InvalidStart", "\u0e33"),
    ("a\ud7ff", "InvalidContinue", "\ud7ff"),
    ("a😀", "InvalidContinue", "😀"),
    ("e\u0301", "NotCanonicalized", None),
    ("-e\u0301", "NotCanonicalized", None),  # before anything is said of `-`
    ("e\u0301-", "NotCanonicalized", None),
    ("\u212b", "NotCanonicalized", None),
    ("\u0387", "NotCanonicalized", None),
]


@pytest.mark.parametrize(("name", "kind", "char"), JUDGED, ids=ascii)
def test_what_is_no_identifier(name: str, kind: str, char: str | None) -> None:
    assert parts(identifier_fault(name)) == (kind, name, char)


@pytest.mark.parametrize(
    "name",
    ["_", "__x__", "a1", "select", "table", "é", "日本", "\ufb01", "\u2118", "a\u00b7", "a٣", "a\u0e33", "\u1e9b\u0323"],
    ids=ascii,
)
def test_what_is_an_identifier(name: str) -> None:
    assert identifier_fault(name) is None


@pytest.mark.parametrize("name", ["a\u200c", "a\u200d", "a\u30fb", "a\uff65"], ids=ascii)
def test_what_is_an_identifier_since_unicode_15_1_whatever_this_python_says(name: str) -> None:
    assert identifier_fault(name) is None


def test_pythons_letters_are_all_identifiers_by_unicode_17() -> None:
    """What makes the short way through `identifier_fault` sound, for every character this Python knows."""
    every = "".join(map(chr, range(sys.maxunicode + 1)))
    start = {char for char in every if char.isidentifier()}
    follow = {char for char in every if ("a" + char).isidentifier()}
    assert start <= {*regex.findall(r"\p{XID_Start}", every), "_"}
    assert follow <= set(regex.findall(r"\p{XID_Continue}", every))


# The rules read literally -----------------------------------------------------------------------------------


def literal_words(name: str) -> list[str]:
    """The splitting rule of the specification, grapheme by grapheme."""
    graphemes = regex.findall(r"\X", name)

    def kind(at: int) -> str:
        if not 0 <= at < len(graphemes):
            return ""
        grapheme = graphemes[at]
        if grapheme.lower() != grapheme.upper():
            return "upper" if grapheme == grapheme.upper() else "lower" if grapheme == grapheme.lower() else ""
        return "digit" if all(char in "0123456789" for char in grapheme) else ""

    words = [""]
    for at, grapheme in enumerate(graphemes):
        if grapheme in ("_", "-", " "):
            words.append("")
            continue
        pair = kind(at - 1), kind(at)
        starts = pair in {("lower", "upper"), ("upper", "digit"), ("digit", "upper"), ("digit", "lower"), ("lower", "digit")}
        if starts or (pair == ("upper", "upper") and kind(at + 1) == "lower"):
            words.append("")
        words[-1] += grapheme
    return [word for word in words if word]


def literal_fault(name: str) -> tuple[str, str, str | None] | None:
    if not name:
        return "Empty", name, None
    if unicodedata.normalize("NFC", name) != name:
        return "NotCanonicalized", name, None
    if not regex.match(r"[\p{XID_Start}_]", name[0]):
        return "InvalidStart", name, name[0]
    return next((("InvalidContinue", name, char) for char in name[1:] if not regex.match(r"\p{XID_Continue}", char)), None)


TRICKY = "aAbB19_- .$\r\nßİıΣσςǅŉﬁÉée\u0301\u0307\u0345ᾳⅧªア日각\u1100\u1161\u11a8\u0915\u094d\u0937\u200d\ufe0f👩👧🇦🇧٣²\u0600"
NAMES = st.one_of(
    st.text(st.sampled_from(TRICKY), max_size=100), st.text(max_size=20), st.text(st.sampled_from("aAbB19_- $"), max_size=100)
)
ASCII = st.text(st.characters(max_codepoint=127), max_size=100)


@settings(deadline=None)
@given(NAMES)
def test_conversions_follow_the_splitting_rule(name: str) -> None:
    words = literal_words(name)
    capitals = [word[0].upper() + word[1:].lower() for word in words]
    assert snake(name) == "_".join(word.lower() for word in words)
    assert camel(name) == "".join([word.lower() for word in words[:1]] + capitals[1:])
    assert pascal(name) == "".join(capitals)


@settings(deadline=None)
@given(NAMES)
def test_faults_follow_the_order_of_the_checks(name: str) -> None:
    assert parts(identifier_fault(name)) == literal_fault(name)


@settings(deadline=None)
@given(st.text(st.characters(), max_size=20))  # lone surrogates too
def test_no_text_is_too_strange(name: str) -> None:
    assert all(isinstance(convert(name), str) for convert in (snake, camel, pascal))
    assert identifier_fault(name + "\ud800") is not None


@settings(deadline=None)
@given(ASCII)
def test_snake_of_ascii_is_its_own_snake(name: str) -> None:
    once = snake(name)
    assert snake(once) == once
    assert not re.search(r"[A-Z\- ]|^_|__|_$", once)


@settings(deadline=None)
@given(ASCII)
def test_camel_and_pascal_of_ascii_hold_no_separators(name: str) -> None:
    assert not re.search(r"[_\- ]", camel(name) + pascal(name))
    assert pascal(name).lower() == camel(name).lower() == snake(name).replace("_", "")


def test_beyond_ascii_snake_is_not_always_its_own_snake() -> None:
    assert snake("ǅ1") == "ǆ1"
    assert snake("ǆ1") == "ǆ_1"


# Hostile input, memory, loading -----------------------------------------------------------------------------


LONG = ["A" * 10**6 + "b", "$" * 10**6, "$A" * 10**5, "aA" * 10**5, "_" * 10**6 + "é", "é" * 10**5, "a\u0301" * 10**5]


@pytest.mark.parametrize("name", LONG, ids=len)
def test_time_is_linear(name: str) -> None:
    assert len(snake(name).replace("_", "")) == len(name.replace("_", ""))
    assert identifier_fault(name + "\n") is not None


class Name(str):
    """A text one can watch go."""


def test_long_names_are_converted_but_not_kept() -> None:
    long = Name("aB" * 1000)
    assert snake(long) == "a_" + "ba_" * 999 + "b"
    assert len(camel(long)) == len(pascal(long)) == 2000
    watched = weakref.ref(long)
    del long
    gc.collect()
    assert watched() is None


WITHOUT_REGEX = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("names", sys.argv[1])
names = sys.modules["names"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(names)
assert (names.snake("fooBar"), names.identifier_fault("é"), names.identifier_fault("a-").char) == ("foo_bar", None, "-")
assert "regex" not in sys.modules
sys.modules["regex"] = None
try:
    names.snake("éA")
except ImportError as error:
    print(error)
"""


def test_only_names_beyond_ascii_need_regex_and_say_so_without_it() -> None:
    run = [sys.executable, "-c", WITHOUT_REGEX, names.__file__]
    said = subprocess.run(run, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert said.strip() == f"names beyond ASCII need the package regex: pip install '{names.REGEX_REQUIREMENT}'"


# Generated names --------------------------------------------------------------------------------------------


def test_generated_names() -> None:
    assert names.generated_index_name("player", ["x", "y"], "btree") == "player_x_y_idx_btree"
    assert names.generated_index_name("player", iter(["id"]), "direct") == "player_id_idx_direct"
    assert names.generated_key_name("player", ["id", "at"]) == "player_id_at_key"
    assert names.generated_sequence_name("player", "id") == "player_id_seq"
    assert names.generated_schedule_name("timers") == "timers_sched"
