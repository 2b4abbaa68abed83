"""Words of any script, and what counts them: entities, analogies, BM25, origins, calls."""

import unicodedata

import pytest

from lichen.envs import Tool
from lichen.memory.likeness.analogy import analogy, entities
from lichen.memory.likeness.grounding import ground
from lichen.memory.likeness.lexical import BM25
from lichen.memory.likeness.origins import origin_of
from lichen.memory.likeness.words import terms, words
from lichen.memory.tools.candidates import candidates
from lichen.memory.tools.lifted import bound_value, place_of


def weather(city: str) -> str:
    """Say the weather in a city."""
    return city


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Don't go_to desk12!", ["don", "t", "go", "to", "desk", "12"]),  # as it always was
        ("Bücher über Öl", ["bücher", "über", "öl"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("İzmir IĞDIR ığdır", ["izmir", "iğdir", "iğdir"]),
        ("Москва ёлка ЕЛКА", ["москва", "елка", "елка"]),
        ("الطَّقْس في أوسلو ٣٤", ["الطقس", "في", "اوسلو", "34"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("서울의 날씨", ["서울의", "날씨"]),
        ("打开iPhone手机", ["打", "开", "iphone", "手", "机"]),
        ("ケース５つ", ["ケース", "5", "つ"]),
        ("🙂 \ud800 \0", []),
    ],
)
def test_words_are_found_in_any_script(text: str, found: list[str]) -> None:
    assert words(text) == found
    assert words(unicodedata.normalize("NFD", text)) == found  # however it is composed


def test_an_index_finds_texts_of_any_script() -> None:
    index = BM25()
    for name, text in (("zh", "买 红球"), ("en", "buy a red ball"), ("pl", "Łódź order")):
        index.add(name, text)
    index.add("ko", "서울의 날씨")
    index.add("balls", "红色的大球")
    assert next(iter(index.scores("红球"))) == "zh"
    assert list(index.scores("ŁÓDŹ")) == ["pl"] and not index.scores("dź")
    assert list(index.scores("서울 날씨")) == ["ko"]
    assert terms("red ball") == words("red ball")


def test_names_are_known_and_exchanged_in_any_script() -> None:
    assert entities("Take the Äpfel from the Küche") == {"äpfel", "küche"}
    assert {"红", "球"} <= entities("把红球放进盒子") and "把" not in entities("把红球放进盒子")
    change = analogy("把红色球放进厨房", "把蓝色球放进花园")
    assert "".join(change.words("红色球在厨房")) == "蓝色球在花园"
    change = analogy("положи красный мяч в сад", "положи синий мяч в подвал")
    assert change.words("красный мяч") == ["синий", "мяч"]
    assert ground("查询(城市='北京')", "", "北京的天气").startswith("查询 > 城市 goal")


def test_values_are_found_where_nothing_parts_words() -> None:
    assert origin_of("北京", "北京的天气怎么样", "") == "goal"
    assert origin_of("Köln", "Wetter in KÖLN", "") == "goal"
    assert origin_of("öl", "Köln", "") == "made"  # no part of a word
    place = place_of("Zoë Åberg", "Order of Zoë Åberg, please", "")
    assert place is not None
    assert bound_value("Zoë Åberg", place, "Order of Łukasz Öst, please", "") == "Łukasz Öst"


@pytest.mark.parametrize(
    ("ask", "city"),
    [
        ("北京的天气怎么样？", "北京"),
        ("请查“北京”的天气", "北京"),
        ("天気は東京でどう?", "東京"),
        ("Какая погода в Москве?", "Москве"),
        ("İzmir hava durumu", "İzmir"),
        ("Wie ist das Wetter in Köln?", "Köln"),
        ("Wetter in Österreich", "Österreich"),
        ("Météo à «Saint Évian»", "Saint Évian"),
        ("¿Tiempo en Ávila?", "Ávila"),
        ("Weather in Saint-Étienne", "Saint-Étienne"),
        ("الطقس في القاهرة", "القاهرة"),
        ("मौसम दिल्ली में", "दिल्ली"),
        ("서울 날씨", "서울"),
    ],
)
def test_candidate_calls_have_the_names_of_any_script(ask: str, city: str) -> None:
    assert f"weather(city={city!r})" in candidates([Tool(weather).spec], ask)
