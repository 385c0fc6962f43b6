"""Checksums that tell a card number or an account number from other digits."""

# ISO 13616: how long the account number of each country is.
# https://www.swift.com/standards/data-standards/iban-international-bank-account-number
IBAN_LENGTHS = {
    country: int(length)
    for length, countries in (
        line.split(":")
        for line in (
            "15:NO",
            "16:BE",
            "18:DK FI FO GL NL FK SD",
            "19:MK SI",
            "20:AT BA EE KZ LT LU XK MN",
            "21:CH HR LI LV",
            "22:BG BH CR DE GB GE IE ME RS VA",
            "23:AE GI IL IQ TL OM SO",
            "24:AD CZ ES MD PK RO SA SE SK TN VG",
            "25:LY PT ST",
            "26:IS TR",
            "27:BI DJ FR GR IT MC MR SM",
            "28:AL AZ BY CY DO GT HN HU LB NI PL SV",
            "29:BR EG PS QA UA",
            "30:JO KW MU YE",
            "31:MT SC",
            "32:LC",
            "33:RU",
        )
    )
    for country in countries.split()
}


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the checksum of the others, as on every payment card."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + position % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_iban(account: str) -> bool:
    """Whether letters and digits without spaces are an account number of a country's length whose two
    check digits are right (ISO 7064, mod 97)."""
    if IBAN_LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(str(int(letter, 36)) for letter in account[4:] + account[:4])) % 97 == 1
