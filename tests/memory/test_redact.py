"""Secrets go, prose about secrets stays. The secrets are made up, and put together here so that no
scanner takes this file for a leak."""

import json
import os
import random
import re
import string
from concurrent.futures import Executor
from pathlib import Path

import pytest

from learnctl.memory import readers
from learnctl.memory.checksums import is_iban, passes_luhn
from learnctl.memory.errors import UnreadableSource
from learnctl.memory.home import Home
from learnctl.memory.ingest import ingest
from learnctl.memory.records import Document
from learnctl.memory.redact import PLACEHOLDER, Redactor, redact
from learnctl.memory.store import Store
from learnctl.trainer import chats, notes
from learnctl.trainer.options import set_config

_LETTERS = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_LARGE = string.ascii_uppercase + string.digits


def some(n: int, alphabet: str = _LETTERS) -> str:
    return "".join(random.Random(n).choices(alphabet, k=n))


TOKENS = [
    "AKIA" + "Q7ZX2MNB4KJH6TYU",
    "ASIA" + some(16, _LARGE),
    "LTAI" + some(20),
    "ghp_" + some(36),
    "gho_" + some(36),
    "ghs_" + some(36),
    "github_pat_" + some(22) + "_" + some(59),
    "glpat-" + some(20),
    "glrt-" + some(20),
    "GR1348941" + some(20),
    "ATATT3" + some(180),
    "ATBB" + some(32),
    "xoxb-" + "123456789012-1234567890123-" + some(24),
    "xoxp-" + "123456789012-123456789012-" + some(32, _HEX),
    "xapp-1-" + some(40),
    "sk_live_" + some(24),
    "rk_test_" + some(24),
    "whsec_" + some(32),
    "sq0atp-" + some(22),
    "sk-" + some(48),
    "sk-proj-" + some(60),
    "sk-ant-api03-" + some(80),
    "sk-or-v1-" + some(64, _HEX),
    "gsk_" + some(52),
    "pplx-" + some(48),
    "xai-" + some(80),
    "r8_" + some(37),
    "AIza" + some(35),
    "ya29." + some(60),
    "GOCSPX-" + some(28),
    "hf_" + some(34, string.ascii_letters),
    "npm_" + some(36),
    "pypi-AgE" + some(120),
    "rubygems_" + some(48, _HEX),
    "dckr_pat_" + some(27),
    "SG." + some(22) + "." + some(43),
    "xkeysib-" + some(64, _HEX) + "-" + some(16),
    "key-" + some(32, _HEX),
    "SK" + some(32, _HEX),
    "dop_v1_" + some(64, _HEX),
    "shpat_" + some(32, _HEX),
    "lin_api_" + some(40),
    "ntn_" + some(46),
    "figd_" + some(40),
    "PMAK-" + some(24, _HEX) + "-" + some(34, _HEX),
    "dapi" + some(32, _HEX),
    "NRAK-" + some(27, _LARGE),
    "glsa_" + some(32) + "_" + some(8, _HEX),
    "sntrys_" + some(60),
    "hvs." + some(90),
    "pul-" + some(40, _HEX),
    "dp.pt." + some(43),
    "pscale_tkn_" + some(43),
    "tskey-auth-" + some(30),
    "sbp_" + some(40, _HEX),
    "AGE-SECRET-KEY-1" + some(58, _LARGE),
    some(32, _HEX) + "-us12",
    "123456789:AA" + some(33),
    "M" + some(23) + "." + some(6) + "." + some(27),
    some(3) + "8Q~" + some(34),
    "eyJ" + some(30) + ".eyJ" + some(60) + "." + some(43),
    "xoxc-" + some(20),
    "sk-None-" + some(20) + "T3BlbkFJ" + some(21)[1:],
    "sk-service-ann_s-robot-" + some(20) + "T3BlbkFJ" + some(21)[1:],
    "gloas-" + some(64, _HEX),
    "glft-" + some(20),
    "glffct-" + some(20),
    "sk_org_live_" + some(200),
    "pat" + some(14) + "." + some(64, _HEX),
    "ATCTT3" + some(180),
    "sb_secret_" + some(22) + "_" + some(8),
    "bkua_" + some(40, _HEX),
    "fm2_" + some(200) + "==",
    "rnd_" + some(28),
    "access_token$production$" + some(16, string.ascii_lowercase) + "$" + some(32, _HEX),
    "xoxd-" + some(20) + "%2B" + some(12) + "%3D",
]


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: str(token)[:8])
def test_provider_tokens(token: str) -> None:
    assert redact(f"Use {token}, please.") == "Use [API TOKEN], please."
    assert redact(f'key="{token}"\n') == 'key="[API TOKEN]"\n'
    assert redact(f"见{token}。") == "见[API TOKEN]。"
    assert token[-16:] not in redact(f"https://{token}@x.org/a")
    assert redact(f"https://x.org/{token}?a=b") == "https://x.org/[API TOKEN]?a=b"
    assert redact(rf'{{"said":"a\n{token}"}}') == r'{"said":"a\n[API TOKEN]"}'


@pytest.mark.parametrize("scheme", ["Bearer", "Basic", "token"])
def test_authorization_headers(scheme: str) -> None:
    assert redact(f"Authorization: {scheme} {some(40)}") == f"Authorization: {scheme} [API TOKEN]"


def test_webhooks_and_passwords_of_commands() -> None:
    hook = "https://hooks.slack.com/services/" + "T00000000/B00000000/" + some(24)
    assert redact(f"Post to {hook}!") == "Post to https://hooks.slack.com/services/[API TOKEN]!"
    assert (
        redact("curl -u ann:" + "hunter2 https://x.org") == "curl -u ann:[PASSWORD] https://x.org"
    )


@pytest.mark.parametrize(
    "hashed",
    [
        "$2b$12$" + some(53),
        "$6$" + some(16) + "$" + some(86),
        "$argon2id$v=19$m=65536,t=3,p=4$" + some(22) + "$" + some(43),
    ],
)
def test_hashed_passwords(hashed: str) -> None:
    assert redact(f"root:{hashed}:19000") == "root:[PASSWORD]:19000"


@pytest.mark.parametrize("kind", ["RSA ", "OPENSSH ", "EC ", "", "ENCRYPTED ", "PGP "])
def test_private_keys(kind: str) -> None:
    body = "\n".join(some(64) for _ in range(20))
    end = " BLOCK" if kind == "PGP " else ""
    key = f"-----BEGIN {kind}PRIVATE KEY{end}-----\n{body}\n-----END {kind}PRIVATE KEY{end}-----"
    assert redact(f"before\n{key}\nafter") == "before\n[PRIVATE KEY]\nafter"


def test_a_private_key_that_was_cut_off_takes_no_prose_with_it() -> None:
    cut = f"-----BEGIN RSA PRIVATE KEY-----\n{some(64)}\n{some(63)}\nThat was the key."
    assert redact(cut) == "[PRIVATE KEY]\nThat was the key."


@pytest.mark.parametrize(
    ("line_end", "mark"), [("\n", ""), ("\n", "> "), ("\\n", ""), ("\n    ", "")]
)
def test_a_private_key_that_was_cut_off_and_quoted(line_end: str, mark: str) -> None:
    lines = [
        "-----BEGIN RSA PRIVATE KEY-----",
        "DEK-Info: AES-128-CBC,3F17",
        "",
        some(64),
        some(63),
    ]
    cut = line_end.join(mark + line for line in [*lines, "Ab/c=="])
    assert redact(f"{cut}{line_end}{mark}That was the key.") == (
        f"{mark}[PRIVATE KEY]{line_end}{mark}That was the key."
    )


def test_a_token_in_the_address_of_a_bot() -> None:
    token = "123456789:AA" + some(33)
    assert redact(f"https://api.telegram.org/bot{token}/getMe") == (
        "https://api.telegram.org/bot[API TOKEN]/getMe"
    )


@pytest.mark.parametrize(
    "number",
    ["4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005", "6011000990139424"],
)
def test_card_numbers(number: str) -> None:
    assert redact(f"Card {number} expires") == "Card [CARD NUMBER] expires"
    for before in ("card:", "Card=", "cardNumber=", "Kartennummer: ", "Visa #"):
        assert redact(before + number) == f"{before}[CARD NUMBER]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4111 1111 1111 1111 12/26 123", "[CARD NUMBER] 12/26 123"),
        ("Visa4111111111111111", "Visa[CARD NUMBER]"),
        ("4111 1111 1111 1111 5555 5555 5555 4444 1234", "[CARD NUMBER] [CARD NUMBER] 1234"),
        ("2024 1234 4111 1111 1111 1111", "2024 1234 [CARD NUMBER]"),
        ("id a7f4111111111111111", "id a7f4111111111111111"),
        ("4111 1111 1111 1111 1226", "[CARD NUMBER] 1226"),
        ("2026 4111 1111 1111 1111", "2026 [CARD NUMBER]"),
        ("4111 1111 1111 1111 5555 5555 5555 4444", "[CARD NUMBER] [CARD NUMBER]"),
        ("Visa 4111111111111111 12/26 123", "Visa [CARD NUMBER] 12/26 123"),
        ("Ann,4111111111111111,12/26,123", "Ann,[CARD NUMBER],12/26,123"),
        ("Ann,41,4111111111111111", "Ann,41,[CARD NUMBER]"),
        ("4111111111111111,5555555555554444", "[CARD NUMBER],[CARD NUMBER]"),
        ("CVV 123 4111111111111111", "CVV 123 [CARD NUMBER]"),
        ("4111\u00a01111\u00a01111\u00a01111", "[CARD NUMBER]"),
        ("card 4111111111111111-123", "card [CARD NUMBER]-123"),
        ("4111-1111-1111-1111/12/26", "[CARD NUMBER]/12/26"),
        ("3782 822463 10005 12/26", "[CARD NUMBER] 12/26"),
        ("卡号4111111111111111。", "卡号[CARD NUMBER]。"),
    ],
)
def test_card_numbers_beside_other_digits(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize(
    "number",
    [
        "DE89 3704 0044 0532 0130 00",
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "FR14 2004 1010 0505 0001 3M02 606",
        "CH93 0076 2011 6238 5295 7",
        "NO93 8601 1117 947",
        "MT84 MALT 0110 0001 2345 MTLC AST0 01S",
    ],
)
def test_account_numbers(number: str) -> None:
    assert redact(f"Pay to {number} BIC X.") == "Pay to [IBAN] BIC X."
    assert redact(f"Pay to {number}, please.") == "Pay to [IBAN], please."
    assert redact(f"pay to {number.lower()} at10 now") == "pay to [IBAN] at10 now"
    assert redact(f"From at10 we pay to {number}.") == "From at10 we pay to [IBAN]."
    wrong = number[:-1] + str((int(number[-1], 36) + 1) % 10)
    assert redact(f"Pay to {wrong}, please.") == f"Pay to {wrong}, please."


@pytest.mark.parametrize(
    "number",
    [
        "4111 1111 1111 1112",  # wrong checksum
        "9111 1111 1111 1111",  # no such brand
        "0000 0000 0000 0000",
        "1732884242.539525",
        "978-3-16-148410-0",
        "+49 170 1234567890",
        "DE89 3704 0044 0532 0130 01",
        "3.14159265358979323846",
        "?id=4111111111111111",
        "1001 1002 1003 4111 1111 1111 1111 1004 1005",  # a row of numbers
        "2.4111111111111111",
        "AB-4111111111111111",
        "piano:4111111111111111",
        "at10 de89 3704 0044 0532 0130 01 or fewer",
    ],
)
def test_other_numbers_stay(number: str) -> None:
    assert redact(f"It is {number} here.") == f"It is {number} here."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password = hunter2!", "password = [PASSWORD]"),
        ("DB_PASSWORD='correct-horse'", "DB_PASSWORD='[PASSWORD]'"),
        ("export DB_PASSWORD=correcthorse", "export DB_PASSWORD=[PASSWORD]"),
        ("Wifi password: swordfish\nNext", "Wifi password: [PASSWORD]\nNext"),
        ('"password": "s3cret99"', '"password": "[PASSWORD]"'),
        ("mysqlPassword := s3cret99;", "mysqlPassword := [PASSWORD];"),
        ("user=ann&password=s3cret99&x=1", "user=ann&password=[PASSWORD]&x=1"),
        ("WLAN-Passwort: sommer2019", "WLAN-Passwort: [PASSWORD]"),
        ("mot de passe : soleil75", "mot de passe : [PASSWORD]"),
        ("contraseña: girasol88", "contraseña: [PASSWORD]"),
        ("пароль: солнце12", "пароль: [PASSWORD]"),
        ("密码：qiutian88", "密码：[PASSWORD]"),
        ("パスワード：sakura2024", "パスワード：[PASSWORD]"),
        ("비밀번호: gaeul2024", "비밀번호: [PASSWORD]"),
        ("Hasło: jesień88", "Hasło: [PASSWORD]"),
        ("Heslo k wifi: podzim88", "Heslo k wifi: podzim88"),
        ("Heslo: podzim88", "Heslo: [PASSWORD]"),
        ("Lösenord = höst2024", "Lösenord = [PASSWORD]"),
        ("Adgangskode: efterår24", "Adgangskode: [PASSWORD]"),
        ("Passord: høst2024", "Passord: [PASSWORD]"),
        ("Salasana: syksy2024", "Salasana: [PASSWORD]"),
        ("Wi-Fi Şifre: sonbahar88", "Wi-Fi Şifre: [PASSWORD]"),
        ("ŞİFRE: sonbahar88", "ŞİFRE: [PASSWORD]"),
        ("Mật khẩu: muathu2024", "Mật khẩu: [PASSWORD]"),
        ("كلمة المرور: kharif2024", "كلمة المرور: [PASSWORD]"),
        ("api_key: 9f8e7d6c5b4a", "api_key: [API TOKEN]"),
        ("token: " + some(32), "token: [API TOKEN]"),
        ("client_secret = '" + some(32) + "'", "client_secret = '[API TOKEN]'"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG",
            "aws_secret_access_key = [API TOKEN]",
        ),
        ("postgres://ann:pa55word@db/app", "postgres://ann:[PASSWORD]@db/app"),
        ("postgres://ann:p@ss:w0rd@db/app", "postgres://ann:[PASSWORD]@db/app"),
        ("password = $ecret123Abc", "password = [PASSWORD]"),
        ("password = *hunter2*99", "password = [PASSWORD]"),
        ("password: your0wnS3cret", "password: [PASSWORD]"),
        ("password: xxx99hunter", "password: [PASSWORD]"),
        ('password: "correct horse battery staple"', 'password: "[PASSWORD]"'),
        ("password: abc(def)12345", "password: [PASSWORD]"),
        ("password: p;ssw0rd123", "password: [PASSWORD]"),
        ("password=Tr0ub4dor&3xyz", "password=[PASSWORD]"),
        ("password=it's2late4us", "password=[PASSWORD]"),
        ("Server=x;Password=abc12345;User=y", "Server=x;Password=[PASSWORD];User=y"),
        ("login(password=s3cret99, x=2)", "login(password=[PASSWORD], x=2)"),
        ("login(user, password=s3cret99)", "login(user, password=[PASSWORD])"),
        ('{"a": {"password":"s3cret99"}}', '{"a": {"password":"[PASSWORD]"}}'),
        (r"{\"password\": \"s3cret99\"}", r"{\"password\": \"[PASSWORD]\"}"),
        ("**Password:** s3cret99", "**Password:** [PASSWORD]"),
        ("`password`: `s3cret99`", "`password`: `[PASSWORD]`"),
        ("DB_PASS=correcthorse", "DB_PASS=[PASSWORD]"),
        ("pass: hunter2xyz99", "pass: [PASSWORD]"),
        ("PW: hunter2xyz99", "PW: [PASSWORD]"),
        ("Meeting ID: 12, passcode: 830417", "Meeting ID: 12, passcode: [PASSWORD]"),
        ("secret: hunter2xyz99", "secret: [PASSWORD]"),
        ("<password>swordfish</password>", "<password>[PASSWORD]</password>"),
        ('<db:pwd kind="a">my horse 1</db:pwd>', '<db:pwd kind="a">[PASSWORD]</db:pwd>'),
        ("sshpass -p hunter2xyz ssh ann@x.org", "sshpass -p [PASSWORD] ssh ann@x.org"),
        ("WIFI:S:Home;T:WPA;P:geheim;;", "WIFI:S:Home;T:WPA;P:[PASSWORD];;"),
        (r"WIFI:P:ge\;heim;S:Home;;", "WIFI:P:[PASSWORD];S:Home;;"),
        ("Use Bearer " + some(40) + ".", "Use Bearer [API TOKEN]"),
        ("x --password hunter2xyz99 -v", "x --password [PASSWORD] -v"),
        ("x --db-password 'hunter2xyz99'", "x --db-password '[PASSWORD]'"),
        ("machine x.org login ann password fish", "machine x.org login ann password [PASSWORD]"),
        ("default\n login ann\n password fish\n", "default\n login ann\n password [PASSWORD]\n"),
        ("User: ann; Password: swordfish; Age: 41", "User: ann; Password: [PASSWORD]; Age: 41"),
        ("User: ann; Age: 41; Password: swordfish", "User: ann; Age: 41; Password: [PASSWORD]"),
    ],
)
def test_assignments(text: str, expected: str) -> None:
    assert redact(text) == expected


PROSE = [
    "I forgot my password: could you reset it for me?",
    "The password = the thing you type.",
    "password: required",
    "A good password: nobody guesses it.",
    "api_key = os.environ['API_KEY']",
    "password = getpass.getpass()",
    "password: str = Field(min_length=8)",
    "password: ${DB_PASSWORD}",
    "password: <your password here>",
    "Password: [PASSWORD]",
    "Password: [PASSWORD 12]",
    '"password": "[PASSWORD 12]"',
    "The password policy: eight letters, one digit, changed each year.",
    "Das Passwort: nicht weitersagen!",
    "Le mot de passe : il faut le changer souvent.",
    "El token: una palabra de moda.",
    "Das Wort Heslo: ein tschechisches Wort, das auch Losung heißt.",
    "Evin şifresi: kimse bilmiyor. Şifre: unutma!",
    "Zapomniałem hasło: pomożesz mi? Hasło: nie wiem. Heslo: svoboda a rovnost.",
    "Mitt lösenord: det vet ingen. Adgangskode: spørg Anna. Salasana: kysy Annalta.",
    "Mật khẩu: hỏi chị Lan. 비밀번호: 잊어버렸다. كلمة المرور: لا أعرف",
    "Every token = a word, roughly.",
    "Secret: she never liked tea.",
    "The key: patience.",
    "key=value pairs, one on each line",
    "token=eos",
    "for token in tokens: print(token)",
    "Bearer of good news, the secret key to success is patience.",
    "Authorization: see the next chapter.",
    "The bearer authentication-and-authorization-scheme, a Bearer-token/header-combination.",
    "WIFI: see P: below; sshpass -p is unsafe, sshpass -p $PASSWORD too.",
    "See https://example.org:8080/path@1 and mail ann@example.org.",
    "See https://example.org/a:b and http://user@example.org.",
    "The hf_transformers package, an sk-learn model and the AKIA airport.",
    "token eyJ is how they begin",
    "sk-service- is a prefix, and so are sk-None-, gloas- and sb_secret_ in sb_secret_key_of_the_service.",
    "The gloas-implementation-status is known; rnd_state_of_the_generator, fm2_model and pat.9 are names.",
    "Then access_token$production$ and the key go to the patent-office of the paternal-side.",
    "a key-value store, a key-signing party, a task-based risk-averse plan",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b fixes it",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "md5 d41d8cd98f00b204e9800998ecf8427e",
    "id 123e4567-e89b-12d3-a456-426614174000",
    "ISBN 978-3-16-148410-0, ISBN 0-306-40615-2",
    "Order 302-1234567-1234567 of 2024-05-17",
    "Order number 100020003000400050",
    "Invoice 2024-000123, customer 4711",
    "Tracking 1Z 999 AA1 01 2345 6784",
    "Tracking number 00340434161094042557",
    "Phone +49 30 901820, fax +49 30 9018 2022",
    "IP 192.168.178.1, MAC 00:1B:44:11:3A:B7, port 5432",
    "IPv6 2001:0db8:85a3:0000:0000:8a2e:0370:7334",
    "Coordinates 48.858370, 2.294481",
    "Timestamp 1732884242539525",
    "Ticket ABCD-1234, room B12, gate A7",
    "VIN WVWZZZ1JZXW000001, plate B AB 1234",
    "DE12 is a road, and so is FR14.",
    "ES32 GB16 RAM 2400 MHZ DDR4 SODIMM KIT 2",
    "doi:10.1000/182, arXiv:2506.10943v2, PMID 12345678",
    "RFC 7519, section 4.1; see also ISO 13616-1:2020.",
    "data:image/png;base64,iVBORw0KGgo=",
    "https://example.org/watch?v=dQw4w9WgXcQ&t=42s",
    "https://docs.example.org/d/1aB2cD3eF4gH5iJ6kL7mN8oP9qR0/edit",
    "npm install left-pad@1.3.0, pip install numpy==2.1.0",
    "ghp stands for GitHub personal; npm_config_registry is a variable.",
    "A very_long_snake_case_identifier_with_many_words_in_it is no secret.",
    "SuperCalifragilisticExpialidocious said she.",
    "xoxo, with love",
    "pi = 3.14159265358979323846264338327950288",
    "5500 people, 4111 cars, 378 dogs, 6011 cats and 2221 birds in 2019",
    "The signature: A. Smith",
    "curl -u was not needed here",
    "It costs $2.50, or $6 with tea.",
    "password: $DB_PASSWORD1, password = $password, password: $(cat key), password=%(pass1word)s",
    "password: ********, password: xxxxxxxx, password: your_password_here",
    'password: "the password must have eight letters"',
    '"password": "Please enter a new password."',
    "password: Optional[str2], password = load_key1(name), password = rows[0]",
    "The mountain pass: closed. A pass: 2500 m high. The secret: patience, and 100000 hours",
    "<password>required</password>",
    "Give --password PASSWORD, --token <token123> or --password $PASSWORD1.",
    "The machine can login with a password of its own.",
    "Add two rows; the password: nobody knows; it is lost.",
    "The private key: keep it safe!",
    "Der Schlüssel liegt unter der Matte: nicht verraten.",
]


@pytest.mark.parametrize("text", PROSE)
def test_prose_stays(text: str) -> None:
    assert redact(text) == text


def test_twice_changes_nothing_more() -> None:
    text = "\n".join([*TOKENS, "password = hunter2!", "4111 1111 1111 1111"])
    once = redact(text, b"a key")
    assert redact(once, b"another key") == once


def test_checksums() -> None:
    assert passes_luhn("4111111111111111")
    assert not passes_luhn("4111111111111112")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE8937040044053201300")
    assert not is_iban("XX89370400440532013000")


# Placeholders


def test_the_same_secret_has_the_same_number(store: Store) -> None:
    first, second = "ghp_" + some(36), "ghp_" + some(37)[1:]
    hide = Redactor.of(store)
    text = hide(f"{first} and {second}, then {first} again")
    numbers = re.findall(r"\[API TOKEN (\d+)\]", text)
    assert len(numbers) == 3
    assert numbers[0] == numbers[2] != numbers[1]
    assert Redactor.of(store)(f"the one: {first}") == f"the one: [API TOKEN {numbers[0]}]"
    # Another store numbers them otherwise: of three, not all happen to be the same.
    others = (first, second, "ghp_" + some(38)[2:])
    assert [redact(one, b"the key of another store") for one in others] != [
        hide(one) for one in others
    ]


def test_spaces_do_not_make_another_card(store: Store) -> None:
    hide = Redactor.of(store)
    assert hide("4111 1111 1111 1111") == hide("4111111111111111")
    assert hide("DE89 3704 0044 0532 0130 00") == hide("DE89370400440532013000")


def test_no_file_holds_the_secret_or_a_plain_hash_of_it(store: Store, folder: Path) -> None:
    import hashlib

    token = "ghp_" + some(36)
    (folder / "a.md").write_text(f"# Key {token}\n\nThe key is {token}.\n")
    ingest(store, [folder])
    assert store.value("SELECT count(*) FROM chunks WHERE text LIKE '%[API TOKEN %'") == 1
    held = b"".join(path.read_bytes() for path in store.home.path.rglob("*") if path.is_file())
    assert token.encode() not in held
    for algorithm in ("md5", "sha1", "sha256", "sha512"):
        digest = hashlib.new(algorithm, token.encode())
        assert digest.digest() not in held
        assert digest.hexdigest().encode() not in held


def test_no_id_of_a_conversation_is_a_secret(store: Store, folder: Path) -> None:
    set_config(store.home, "redact", "contacts")
    said = [{"role": "user", "content": "Where is Oslo?"}]
    for number, name in enumerate(("ghp_" + some(36), "iMessage;-;+4917012345678")):
        (folder / f"{number}.json").write_text(json.dumps({"id": name, "messages": said}))
    ingest(store, [folder])
    ids = [row["external_id"] for row in store.rows("SELECT external_id FROM conversations")]
    assert [re.sub(r"\d+", "N", name) for name in ids] == [
        "[API TOKEN N]",
        "iMessage;-;[PHONE NUMBER N]",
    ]


def test_no_title_holds_half_a_secret(store: Store, folder: Path) -> None:
    """A chat or note without a title is called by its beginning, which is cut when its secrets are gone."""
    asked = f"Why is my GitHub token refused now: ghp_{some(36)} is what I use"
    for number, question in enumerate((asked, "Where is " + "Oslo " * 20, "x" * 70)):
        said = [{"role": "user", "content": question}]
        (folder / f"{number}.json").write_text(json.dumps({"messages": said}))
    ingest(store, [folder])
    notes.remember(store, asked)
    notes.settle(store, asked, "It is too old.")
    chats.log_turn(store, chats.start_chat(store), "user", asked)
    for table, n_called_so in (("conversations", 2), ("documents", 2)):
        titles = [row["title"] for row in store.rows(f"SELECT title FROM {table} ORDER BY id")]
        assert sum(title.startswith("Why is") for title in titles) == n_called_so
        assert "ghp_" not in "".join(titles)
        if table == "conversations":
            assert titles[1:3] == ["Where is" + " Oslo" * 10 + "…", "x" * 60 + "…"]


# Contacts

CONTACTS = [
    ("Write to ann.lee@example.org soon.", "Write to [E-MAIL] soon."),
    ("Call +49 30 901820 now.", "Call [PHONE NUMBER] now."),
    ("Call 030 / 90 18 20 now.", "Call [PHONE NUMBER] now."),
    ("Call (415) 555-2671 now.", "Call [PHONE NUMBER] now."),
    ("Call +33 1 23 45 67 89 now.", "Call [PHONE NUMBER] now."),
    ("I live at 12 Long Lane, Oxford OX1 2AB.", "I live at [ADDRESS]."),
    ("Sie wohnt Hauptstraße 12a, 12345 Neustadt.", "Sie wohnt [ADDRESS]."),
    ("J'habite 12, rue de la Paix, 75002 Paris.", "J'habite [ADDRESS]."),
    ("Vivo en Calle Mayor 12, 28013 Madrid.", "Vivo en [ADDRESS]."),
    ("Живу: ул. Ленина, д. 12.", "Живу: [ADDRESS]."),
]


@pytest.mark.parametrize(("text", "expected"), CONTACTS)
def test_contacts_go_on_demand_only(text: str, expected: str) -> None:
    assert redact(text) == text
    assert redact(text, contacts=True) == expected


@pytest.mark.parametrize(
    "text",
    [
        "In 2019 we met 12 times, on 2024-05-17 at 10:30.",
        "Version 3.13.0, order 302-1234567-1234567, ISBN 978-3-16-148410-0.",
        "On 12 Long walks we saw the Street of Gold.",
        "at 10.0.0.1, port 8080; @ann said so",
    ],
)
def test_what_is_no_contact_stays(text: str) -> None:
    assert redact(text, contacts=True) == text


def test_contacts_by_setting(home: Path, folder: Path) -> None:
    (folder / "a.txt").write_text("Ann's address is ann@example.org, she says.")
    set_config(Home(home), "redact", "contacts")
    with Store.open(Home(home), create=True) as store:
        ingest(store, [folder])
        (text,) = (row["text"] for row in store.rows("SELECT text FROM chunks"))
    assert re.fullmatch(r"Ann's address is \[E-MAIL \d+\], she says\.", text)


# Real documents


def test_ordinary_documents_lose_less_than_one_word_in_ten_thousand() -> None:
    folder = Path(os.environ.get("LEARNCTL_TEST_DATA") or "no folder") / "documents"
    if not folder.is_dir():
        pytest.skip("no folder of real files: set LEARNCTL_TEST_DATA")
    n_words = n_replaced = 0
    for path in sorted(folder.rglob("*.html")) + sorted(folder.rglob("*.md")):
        try:
            found = [item for item in readers.read(path) if isinstance(item, Document)]
        except UnreadableSource:
            continue
        for text in (section.text for document in found for section in document.sections):
            n_words += len(text.split())
            n_replaced += len(PLACEHOLDER.findall(redact(text)))
    assert n_words > 100_000
    assert n_replaced < n_words / 10_000


# Hostile text


@pytest.mark.parametrize(
    "piece",
    [
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "Private-Lines: 1\nabcd",
        "1 ",
        "4111",
        "4111 ",
        "4111-",
        "Bearer ",
        "WIFI:S:a;",
        "sshpass -a b ",
        "DE89 3704 ",
        "A",
        "eyJaaaaaaaaaa.eyJ",
        "a" * 50,
        "a_",
        "password=",
        "password=[",
        "token:= ",
        "api_key_",
        "ab://c:",
        "://a:b",
        "sk-",
        "M" * 23 + ".",
        " ",
        "authorization: ",
        "curl -u ",
        "$6$",
        "T3BlbkFJ sk-aaaaaaaaaaaaaaaaaaaaaaaaaa/",
        "patAAAAAAAAAAAAAA.0",
        "access_token$production$a",
        "xoxb-",
        "hooks.slack.com/services/",
        "a@a.",
        "a.a@",
        "+49 1",
        "12 Long ",
        "Calle A ",
        "password=a)",
        "password=f(",
        "pass:a1,b=",
        "<password>",
        "<password " + "a" * 200,
        "--password a",
        "--a-b-",
        "machine a login ",
        "://a:@@",
        "de89 3704 ",
    ],
)
def test_a_long_text_of_one_piece_ends(limited: Executor, piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert len(limited.submit(redact, text, b"key", True).result()) > 0


def test_a_password_without_a_user() -> None:
    """As Redis has it."""
    password = some(12)
    assert password not in redact(f"It is redis://:{password}@cache.example:6379/0 here.")


def test_a_signature_that_is_quoted_for_an_address() -> None:
    for head in (some(6), some(30)):
        signature = f"{head}%2B{some(20)}%2F{some(12)}%3D"
        text = redact(f"https://x.blob.core.windows.net/c/f?sp=r&sig={signature}&sv=2024")
        assert head not in text
        assert signature[-15:-3] not in text
