"""What a text is compared by, where it is not equal: the words and phrases in it."""

from typing import Final

__all__ = ["Words", "excerpt", "words_of"]

_SHORT: Final = 2048
_LONG: Final = 8192
_WINDOWS: Final = 16
_WINDOW: Final = 128
_FEW: Final = 24
_BETWEEN_WORDS: Final = bytes.maketrans(b'"{}[],:\\/()\n\r\t', b" " * 14)
_BETWEEN_PHRASES: Final = bytes.maketrans(b'"{}[]:;.,!?\\\n', b"\n" * 13)

Words = frozenset[bytes]


def excerpt(text: bytes) -> bytes:
    """What of a long text is kept to compare it by: its beginning and its end."""
    return text if len(text) <= _LONG else text[: _LONG // 2] + text[-_LONG // 2 :]


def words_of(text: bytes) -> Words:
    """An excerpt's words; of a longer one its phrases, or words here and there, where it has none."""
    if len(text) <= _SHORT:
        return _spelled(text)
    phrases = text.translate(_BETWEEN_PHRASES).split(b"\n")
    if len(phrases) > _FEW and len(phrases) * 512 > len(text):
        return frozenset(phrases)
    step = (len(text) - _WINDOW) // (_WINDOWS - 1)
    return _spelled(b" ".join([text[start : start + _WINDOW] for start in range(0, step * _WINDOWS, step)]))


def _spelled(text: bytes) -> Words:
    words = text.translate(_BETWEEN_WORDS).split()
    if len(words) * 32 > len(text):
        return frozenset(words)
    # written without spaces
    return frozenset([text[start : start + 4] for start in range(max(1, len(text) - 3))])
