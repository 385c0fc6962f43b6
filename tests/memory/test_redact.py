"""Secrets go, prose about secrets stays. The secrets are made up, and put together here so that no
scanner takes this file for a leak."""

import random
import string
import time

import pytest

from learnctl.memory.redact import passes_luhn, redact

_LETTERS = string.ascii_letters + string.digits


def some(n: int, alphabet: str = _LETTERS) -> str:
    return "".join(random.Random(n).choices(alphabet, k=n))


TOKENS = [
    "AKIA" + "Q7ZX2MNB4KJH6TYU",
    "ghp_" + some(36),
    "gho_" + some(36),
    "github_pat_" + some(22) + "_" + some(59),
    "glpat-" + some(20),
    "xoxb-" + "123456789012-1234567890123-" + some(24),
    "sk_live_" + some(24),
    "sk-" + some(48),
    "sk-proj-" + some(60),
    "sk-ant-api03-" + some(80),
    "AIza" + some(35),
    "hf_" + some(34, string.ascii_letters),
    "npm_" + some(36),
    "pypi-AgE" + some(120),
    "SG." + some(22) + "." + some(43),
    "123456789:AA" + some(33),
    "eyJ" + some(30) + ".eyJ" + some(60) + "." + some(43),
]


@pytest.mark.parametrize("token", TOKENS)
def test_provider_tokens(token: str) -> None:
    assert redact(f"Use {token}, please.") == "Use [API TOKEN], please."
    assert redact(f'key="{token}"\n') == 'key="[API TOKEN]"\n'


def test_bearer_header() -> None:
    assert redact(f"Authorization: Bearer {some(40)}") == "Authorization: Bearer [API TOKEN]"


@pytest.mark.parametrize("kind", ["RSA ", "OPENSSH ", "EC ", "", "ENCRYPTED "])
def test_private_keys(kind: str) -> None:
    body = "\n".join(some(64) for _ in range(20))
    key = f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"
    assert redact(f"before\n{key}\nafter") == "before\n[PRIVATE KEY]\nafter"


def test_a_private_key_that_was_cut_off_takes_no_prose_with_it() -> None:
    cut = f"-----BEGIN RSA PRIVATE KEY-----\n{some(64)}\n{some(63)}\nThat was the key."
    assert redact(cut) == "[PRIVATE KEY]\nThat was the key."


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005", "6011000990139424"],
)
def test_card_numbers(number: str) -> None:
    assert redact(f"Card {number} expires") == "Card [CARD NUMBER] expires"


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1112",  # wrong checksum
        "9111 1111 1111 1111",  # no such brand
        "0000 0000 0000 0000",
        "1732884242.539525",
        "978-3-16-148410-0",
        "+49 170 1234567890",
        "DE89 3704 0044 0532 0130 00",
        "3.14159265358979323846",
    ],
)
def test_other_numbers_stay(number: str) -> None:
    assert redact(f"It is {number} here.") == f"It is {number} here."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password = hunter2!", "password = [PASSWORD]"),
        ("DB_PASSWORD='correct-horse'", "DB_PASSWORD='[PASSWORD]'"),
        ("Wifi password: swordfish\nNext", "Wifi password: [PASSWORD]\nNext"),
        ('"password": "s3cret99"', '"password": "[PASSWORD]"'),
        ("api_key: 9f8e7d6c5b4a", "api_key: [API TOKEN]"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG",
            "aws_secret_access_key = [API TOKEN]",
        ),
        ("postgres://ann:pa55word@db/app", "postgres://ann:[PASSWORD]@db/app"),
    ],
)
def test_assignments(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I forgot my password: could you reset it for me?",
        "The password = the thing you type.",
        "password: required",
        "A good password: nobody guesses it.",
        "api_key = os.environ['API_KEY']",
        "password = getpass.getpass()",
        "Password: [PASSWORD]",
        "Bearer of good news, the secret key to success is patience.",
        "See https://example.org:8080/path@1 and mail ann@example.org.",
        "The hf_transformers package, an sk-learn model and the AKIA airport.",
        "token eyJ is how they begin",
    ],
)
def test_prose_stays(text: str) -> None:
    assert redact(text) == text


def test_twice_changes_nothing_more() -> None:
    text = "\n".join([*TOKENS, "password = hunter2!", "4111 1111 1111 1111"])
    assert redact(redact(text)) == redact(text)


def test_luhn() -> None:
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "1 ",
        "4111",
        "eyJaaaaaaaaaa.eyJ",
        "a" * 50,
        "a_",
        "password=",
        "api_key_",
        "ab://c:",
        "sk-",
        " ",
        "authorization: ",
        "xoxb-",
    ],
)
def test_takes_linear_time(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = time.perf_counter()
    redact(text)
    assert time.perf_counter() - began < 5
