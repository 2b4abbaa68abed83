"""Words of texts in any script: what likeness, BM25, entities, candidate calls and skill matching count.

Words are cut as UAX 29 does without a dictionary: runs of letters with their marks, runs of digits, runs of
katakana; in scripts that put no spaces between words each character. An index counts their pairs too, as search
engines do (Lucene's CJKAnalyzer). Case, width, vowel points and letters that writers interchange are folded.
"""

import re
import unicodedata

import regex

_ASCII = re.compile(r"[a-z]+|\d+")
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_KANA = r"\p{Katakana}ー"
_RUNS = regex.compile(
    rf"[{_UNSPACED}]\p{{M}}*|[{_KANA}]+|(?P<number>\p{{Nd}}+)"
    rf"|(?:(?![{_UNSPACED}{_KANA}])\p{{L}}\p{{M}}*)+"
)
_JOINED = regex.compile(rf"[{_UNSPACED}\p{{Hangul}}](?:[{_UNSPACED}\p{{Hangul}}]|\p{{M}})+")
"""Runs whose pairs an index counts; Korean puts its particles behind the word."""
_ONE = regex.compile(rf"[{_UNSPACED}{_KANA}]")
_DENSE = regex.compile(rf"[{_UNSPACED}{_KANA}\p{{Hangul}}]")
_SMALL_WORDS = "的了在是把和与及吗呢吧请对从到给被让用为向里进去来它他她这那のはがをにでとも"
_SMALL = regex.compile(
    rf"怎么样|怎么|什么|哪里|如何|多少|[{_SMALL_WORDS}]"
    r"|(?<=[\p{Han}\p{Katakana}ー])\p{Hiragana}+|(?<=\p{Han})(?=\p{Katakana})"
)
"""Small words of Chinese, and what follows a word in Japanese."""
SMALL = frozenset(_SMALL_WORDS)
"""Characters that name nothing by themselves."""
_LONG = 4
"""Characters of the longest piece that is taken for one name."""
_POINTS = regex.compile("[\u0591-\u05c7\u0640\u064b-\u065f\u0670]|(?<=i)\u0307")
"""Vowel points of Hebrew and Arabic, which most leave out, and the dot that case folding leaves on I."""
_SAME = str.maketrans("ıёأإآى", "iеاااي")
"""Letters that are written one for the other: Turkish, Russian, Arabic."""


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, without case.

    >>> words("Go to Cabinet 12!")
    ['go', 'to', 'cabinet', '12']
    >>> words("Straße in İzmir, ٣٤"), words("把红球放进盒子")
    (['strasse', 'in', 'izmir', '34'], ['把', '红', '球', '放', '进', '盒', '子'])
    """
    if text.isascii():
        return _ASCII.findall(text.lower())
    return [
        "".join(str(unicodedata.decimal(digit)) for digit in run[0]) if run["number"] else run[0]
        for run in _RUNS.finditer(folded(text))
    ]


def terms(text: str) -> list[str]:
    """Return what an index counts of a text: its words, and pairs of characters where nothing parts words.

    >>> terms("买 红球")
    ['买', '红', '球', '红球']
    """
    found = words(text)
    if not text.isascii():
        found += [pair for run in _JOINED.findall(folded(text)) for pair in _pairs(run)]
    return found


def folded(text: str) -> str:
    """Return a text without what writers do differently: case, width, composition, vowel points.

    >>> folded("ＡＢＣ Köln ИЖЁ")
    'abc köln иже'
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKC", text).casefold()
    return unicodedata.normalize("NFC", _POINTS.sub("", plain).translate(_SAME))


def unspaced(text: str) -> bool:
    """Return whether a text has letters of a script that puts no spaces between words.

    >>> unspaced("红"), unspaced("red"), unspaced("красный")
    (True, False, False)
    """
    return not text.isascii() and _ONE.search(text) is not None


def dense(word: str) -> bool:
    """Return whether a word is of a script in which one or two characters are a name.

    >>> dense("红"), dense("서울"), dense("на")
    (True, True, False)
    """
    return not word.isascii() and _DENSE.search(word) is not None


def pieces(token: str) -> list[str]:
    """Return a token in pieces that may be names: of scripts without spaces what stands between small words.

    A piece that is still long is followed by its pairs; another token is its only piece.

    >>> pieces("北京的天气怎么样"), pieces("天気は東京で"), pieces("Köln")
    (['北京', '天气'], ['天気', '東京'], ['Köln'])
    """
    if not unspaced(token):
        return [token]
    found: list[str] = []
    for piece in filter(None, _SMALL.split(token)):
        found.append(piece)
        if unspaced(piece) and len(piece) > _LONG:
            found += _pairs(piece)
    inside = not ({token[0], token[-1]} & SMALL)  # a name may hold a small word
    if len(found) > 1 and len(token) <= _LONG and inside:
        found.append(token)
    return found


def bounded(pattern: str, said: str) -> str:
    """Return a pattern that matches a text only as whole words, where its script parts them.

    Args:
        pattern: A regular expression.
        said: The text that it stands for.
    """
    before = "" if unspaced(said[:1]) else r"(?<!\w)"
    behind = "" if unspaced(said[-1:]) else r"(?!\w)"
    return f"{before}{pattern}{behind}"


def _pairs(run: str) -> list[str]:
    letters: list[str] = regex.findall(r"\X", run)
    return [a + b for a, b in zip(letters, letters[1:], strict=False)]
