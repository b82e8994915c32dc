"""Signed notes: the published example verifies, and nothing that was changed, forged or malformed does."""

import base64
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from arena.proofs.merkle import EMPTY_ROOT
from arena.proofs.notes import NOTE_LIMIT, Checkpoint, NoteError, SigningKey, VerifierKey, promise_text
from tests.support import KEY

# The example of https://c2sp.org/signed-note.
FOO = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
BY_FOO = (
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
EXAMPLE_TEXT = "This is an example message.\n"
EXAMPLE = f"{EXAMPLE_TEXT}\n{BY_FOO}"

ORIGIN = KEY.origin("stage-1")
MINE = KEY.verifier(ORIGIN)
CHECKPOINT = Checkpoint(ORIGIN, 1234, bytes(range(32)))
NOTE = KEY.sign(ORIGIN, CHECKPOINT.text())
any_text = st.text(st.characters())
in_names = st.characters(exclude_categories=["Cc", "Cs", "Z"], exclude_characters="+")
any_name = st.text(in_names, min_size=1, max_size=9)
any_bytes = st.binary().map(lambda data: data.decode("latin-1"))


@st.composite
def changed(draw: st.DrawFn, text: str) -> str:
    """A text in which a stretch is replaced by another."""
    start = draw(st.integers(0, len(text)))
    stop = draw(st.integers(start, min(len(text), start + 3)))
    usual = st.sampled_from(sorted({*text, "\n", " ", "=", "+", "\r", "\u2028", "\ud800", "0", "A"}))
    found = text[:start] + draw(st.text(usual | st.characters(), max_size=3)) + text[stop:]
    return found if found != text else text + draw(usual)


def rows(*lines: str) -> str:
    return "".join(line + "\n" for line in lines)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_published_example_verifies() -> None:
    foo = VerifierKey.parse(FOO)
    assert (foo.name, foo.id.hex(), str(foo)) == ("example.com/foo", "530d903a", FOO)
    assert foo.signed(EXAMPLE) == EXAMPLE_TEXT


@given(any_name, st.binary(min_size=32, max_size=32), any_text)
def test_what_a_key_signs_its_verifier_key_verifies(name: str, private: bytes, text: str) -> None:
    text = "".join(letter for letter in text if letter.isprintable()) + "\n"
    key = SigningKey.parse(SigningKey(name, private).secret())
    verifier = VerifierKey.parse(str(key.verifier(key.origin("stage-1"))))
    assert verifier.signed(key.sign(verifier.name, text)) == text


@given(st.integers(0, 10**19 - 1), st.binary(min_size=32, max_size=32), st.lists(any_name, max_size=3))
def test_a_checkpoint_is_read_as_it_was_written_whatever_extensions_follow(
    size: int, root: bytes, extensions: list[str]
) -> None:
    checkpoint = Checkpoint(ORIGIN, size, root)
    assert Checkpoint.parse(checkpoint.text() + rows(*extensions)) == checkpoint


def test_a_checkpoint_and_a_promise_are_the_lines_of_their_formats() -> None:
    empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    assert Checkpoint(ORIGIN, 0, EMPTY_ROOT).text() == rows("arena.example/rounds/stage-1", "0", empty)
    assert promise_text(ORIGIN, EMPTY_ROOT) == rows("arena.example/rounds/stage-1", "promise", empty)


def test_a_generated_key_is_new_each_time_and_signs() -> None:
    one, other = (SigningKey.generate("arena.example") for _ in range(2))
    assert one.private != other.private
    assert one.verifier("x").signed(one.sign("x", "text\n")) == "text\n"


def test_a_cosigned_note_verifies_for_each_of_its_signers() -> None:
    witness = SigningKey("witness.example", bytes(32))
    by_witness = witness.sign("witness.example", CHECKPOINT.text()).rpartition("\n\n")[2]
    by_arena = NOTE.rpartition("\n\n")[2]
    by_cosigner = f"— other.example {encoded(b'1234' + b'of an algorithm that is not ours')}\n"
    for signatures in (by_arena + by_witness, by_witness + by_cosigner + by_arena):
        note = f"{CHECKPOINT.text()}\n{signatures}"
        assert MINE.signed(note) == witness.verifier("witness.example").signed(note) == CHECKPOINT.text()


def test_another_key_of_the_same_name_did_not_sign() -> None:
    other = SigningKey(KEY.name, bytes(32))
    with pytest.raises(NoteError, match="is not signed by"):
        other.verifier(ORIGIN).signed(NOTE)
    with pytest.raises(NoteError, match="is not signed by"):
        MINE.signed(other.sign(ORIGIN, CHECKPOINT.text()))


def test_a_signature_for_one_log_does_not_verify_for_another() -> None:
    with pytest.raises(NoteError):
        KEY.verifier(KEY.origin("stage-2")).signed(NOTE)
    with pytest.raises(NoteError):
        KEY.verifier(KEY.origin("stage-2")).signed(NOTE.replace("stage-1", "stage-2"))


def test_a_false_signature_under_the_keys_own_id_does_not_verify() -> None:
    """An id is not secret: anybody can write it before 64 bytes of his own."""
    for signature in (b"", bytes(64), bytes(63), bytes(65)):
        note = f"{CHECKPOINT.text()}\n— {ORIGIN} {encoded(MINE.id + signature)}\n"
        with pytest.raises(NoteError, match="is wrong"):
            MINE.signed(note)


@given(changed(NOTE))
@example(NOTE.rstrip("\n"))
@example(NOTE + "\n")
@example(NOTE.replace("\n\n", "\n"))
@example(NOTE.replace("\n", "\r\n"))
@example(NOTE[:-1] + " more\n")
@example(NOTE[:-1] + "\u2028— other QUJDRA==\n")
@example(NOTE.replace("— ", "- "))
def test_a_note_that_was_changed_does_not_verify(note: str) -> None:
    with pytest.raises(NoteError):
        MINE.signed(note)


def test_a_signature_has_one_spelling_only() -> None:
    """The last letter before the padding holds bits that no byte needs."""
    assert BY_FOO.endswith("M=\n")
    with pytest.raises(NoteError):
        VerifierKey.parse(FOO).signed(EXAMPLE.replace("M=\n", "N=\n"))
    with pytest.raises(NoteError):
        VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2")


def test_a_note_as_long_as_a_book_is_refused() -> None:
    with pytest.raises(NoteError):
        MINE.signed(KEY.sign(ORIGIN, "a" * NOTE_LIMIT + "\n"))


def test_a_note_with_control_characters_is_refused() -> None:
    for character in "\0\t\r\x0b\x1f":
        with pytest.raises(NoteError, match="control characters"):
            MINE.signed(KEY.sign(ORIGIN, f"text{character}\n"))


@given(changed(FOO))
@example(FOO.replace("530d903a", "530D903A"))
@example("example.com/foo+530d903a")
@example("+".join(["", *FOO.split("+")[1:]]))
@example("example.com/foo+530d903a+" + encoded(b"\1" + bytes(31)))
@example("example.com/foo+530d903a+" + encoded(b"\2" + bytes(32)))
def test_a_verifier_key_that_was_changed_is_refused(text: str) -> None:
    with pytest.raises(NoteError):
        VerifierKey.parse(text)


@given(changed(KEY.secret()))
def test_a_signing_key_that_was_changed_is_refused_and_not_shown(text: str) -> None:
    if text.strip() == KEY.secret():
        return
    with pytest.raises(NoteError) as refused:
        SigningKey.parse(text)
    assert encoded(b"\1" + KEY.private) not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{0!r}".format])
def test_a_signing_key_does_not_show_itself(show: Callable[[SigningKey], str]) -> None:
    shown = show(KEY)
    assert shown == "SigningKey(arena.example)"


@given(changed(CHECKPOINT.text()))
@example(CHECKPOINT.text().replace("1234", "01234"))
@example(CHECKPOINT.text().replace("1234", "-1"))
@example(CHECKPOINT.text().replace("1234", "1234567890123456789012345678901"))
@example(CHECKPOINT.text().replace("1234", "١٢٣٤"))
@example(CHECKPOINT.text() + "\nextension\n")
@example(rows(ORIGIN, "5", encoded(bytes(31))))
@example(rows("", "5", encoded(bytes(32))))
def test_a_checkpoint_that_was_changed_is_another_or_none(text: str) -> None:
    try:
        found = Checkpoint.parse(text)
    except NoteError:
        return
    assert text.startswith(found.text())


@pytest.mark.parametrize("parse", [VerifierKey.parse, SigningKey.parse, Checkpoint.parse, MINE.signed])
@given(any_text | st.builds(rows, any_text, any_text, any_text) | any_bytes)
def test_any_text_is_refused(parse: Callable[[str], Any], text: str) -> None:
    with pytest.raises(NoteError):
        parse(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "a\nb", "a\0b", "\ud800", "x" * 201, "\u3000"])
def test_a_key_has_a_name_that_fits_on_a_line(name: str) -> None:
    with pytest.raises(NoteError):
        SigningKey.generate(name)
    for parse, prefix in ((VerifierKey.parse, ""), (SigningKey.parse, "PRIVATE+KEY+")):
        with pytest.raises(NoteError):
            parse(f"{prefix}{name}+00000000+" + encoded(b"\1" + bytes(32)))
