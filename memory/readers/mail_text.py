"""What the writer of a mail wrote: without quoted mails, signatures and lines that programs add."""

import re

_LONGEST_LINE = 400
_QUOTED = re.compile(r" {0,3}(?:[A-Z]{0,3}>|\|>)")
# "-----Original Message-----" and "---------- Forwarded message ---------" in many languages.
_ORIGINAL = re.compile(
    r"[>\s*]*[-_=–—]{2,}\s*(?:"
    r"original (?:message|appointment)|forwarded (?:message|by .{1,80})|reply message|"
    r"begin forwarded message|"
    r"urspr(?:ü|ue)ngliche (?:nachricht|e-?mail)|weitergeleitete (?:nachricht|e-?mail)|"
    r"original-?nachricht|message d['’]origine|message original|message transf[ée]r[ée]|"
    r"mensaje (?:original|reenviado)|messaggio (?:originale|inoltrato)|"
    r"mensagem (?:original|encaminhada)|oorspronkelijk bericht|doorgestuurd bericht|"
    r"ursprungligt meddelande|vidarebefordrat meddelande|"
    r"opprinnelig melding|oprindelig meddelelse|videresendt (?:melding|meddelelse)|"
    r"alkuperäinen viesti|wiadomość oryginalna|(?:oryginalna|przekazana) wiadomość|"
    r"původní zpráva|přeposlaná zpráva|eredeti üzenet|mesaj original|orijinal mesaj|"
    r"исходное сообщение|пересылаемое сообщение|пересланное сообщение|"
    r"оригінальне повідомлення|переслане повідомлення|"
    r"原始邮件|原始郵件|转发的邮件|轉寄郵件|转发邮件信息|元のメッセージ|転送メッセージ|원본 메시지|전달된 메시지"
    r")\s*[-_=–—]*[\s*]*",
    re.IGNORECASE,
)
_BEGIN_FORWARDED = re.compile(
    r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|"
    r"début du message (?:transféré|réexpédié)|inicio del mensaje reenviado|"
    r"inizio messaggio inoltrato|início da mensagem encaminhada|"
    r"начало переадресованного сообщения)\s*:",
    re.IGNORECASE,
)
# A word for writing near the end of "On Monday, 3 May 2024 at 10:12, Ann Lee <a@b.org> wrote:".
_WROTE = re.compile(
    r"\b(?:wrote|writes|schrieb|geschrieben|a écrit|escribió|ha scritto|escreveu|schreef|"
    r"geschreven|skrev|pisze|napisał(?:\(a\)|a)?|napsal(?:\(a\)|a)?|napísal(?:\(a\)|a)?|kirjoitti|"
    r"пишет|написал(?:\(а\)|а)?|пише|написа(?:в|ла)|έγραψε|şunu yazdı|yazdı|ezt írta|írta|a scris|"
    r"va escriure|כתב)\b|写道|寫道|書きました|のメール|작성",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[\w.+-]@[\w-]")
_CLOCK = re.compile(r"(?<!\d\.)\b\d{1,2}[:.h]\d\d\b(?!\.\d)")  # "03.05.2024" is none
_DATE = re.compile(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\d{4}年\d{1,2}月")
_DATE_IN_WORDS = re.compile(r"\b\d{1,2}\b.{0,30}\b(?:19|20)\d\d\b")
# How such a line begins in many languages; "In her letter of 3 May 2024 Ann wrote:" is no such line.
_ATTRIBUTES = re.compile(
    r"(?:on|am|le|el|il|em|op|den|w dniu|dnia|dne|dňa|a data|pe|\d{1,4})(?:\b|[年년])",
    re.IGNORECASE,
)
# "2024-05-03 10:12 GMT+02:00 Ann Lee <ann@example.org>:", as Gmail put it in many languages.
_ADDRESS_AT_END = re.compile(r"@[\w.-]{1,200}>?\s?[:：]$")
_FROM = re.compile(
    r"[>\s*]*(?:from|von|de|da|van|från|fra|lähettäjä|od|feladó|kimden|от|від|发件人|寄件者|差出人|"
    r"보낸 사람)\*?\s?[:：]\*?\s*\S",
    re.IGNORECASE,
)
_OTHER_FIELD = re.compile(
    r"[>\s*]*(?:sent|date|to|cc|subject|reply-to|gesendet|datum|an|betreff|envoyé|à|objet|"
    r"enviado(?: el)?|fecha|para|asunto|inviato|data|a|oggetto|enviada(?: em)?|assunto|verzonden|"
    r"aan|onderwerp|skickat|till|ämne|sendt|til|emne|lähetetty|päivä|vastaanottaja|aihe|wysłano|do|"
    r"temat|odesláno|komu|předmět|küldve|címzett|tárgy|gönderildi|kime|konu|отправлено|дата|кому|тема|"
    r"надіслано|发送时间|日期|收件人|抄送|主题|寄件日期|收件者|主旨|送信日時|宛先|件名|"
    r"보낸 날짜|받는 사람|제목)\*?\s?[:：]",
    re.IGNORECASE,
)
_SENT_FROM = re.compile(
    r"(?:sent (?:from|via|with|using) (?:my |the |outlook|mail|yahoo|proton|gmail|blackberry|"
    r"samsung|android|iphone|windows).{0,60}|get outlook for .{1,20}|"
    r"(?:von meine[mr] .{1,40} gesendet|gesendet (?:von|mit) .{1,50})|"
    r"(?:envoyé (?:de|depuis|à partir de) (?:mon|ma|outlook|yahoo|mail).{0,50})|"
    r"enviado (?:desde|de|do|a partir do) (?:mi|meu|outlook|yahoo|samsung).{0,50}|"
    r"inviato da(?:l mio)? .{1,50}|verzonden (?:vanaf|met) mijn .{1,50}|"
    r"skickat från min .{1,40}|sendt fra min .{1,40}|lähetetty .{1,40}(?:puhelimesta|:sta)|"
    r"wysłane z .{1,40}|отправлено (?:с|из) .{1,50}|"
    r"iphoneから送信|发自我的.{1,30}|從我的.{1,30}傳送|나의 .{1,30}에서 보냄)[.\s]*(?:<http\S*>)?",
    re.IGNORECASE,
)
# Links that a program put behind a word; nobody reads them.
_LONG_LINK = re.compile(r"[ \t]?(?:<https?://[^\s<>]{40,}>|\(https?://[^\s()]{40,}\))")
_LAST_LINES = 6
_MARKS = re.compile(r"[:：]|[-_=–—]{2}")
_LIST_RULE = re.compile(r"_{20,}|-{20,}|={20,}")
_LIST_FOOTER = re.compile(
    r"mailing list|mailman|unsubscribe|google groups|subscribed to|abmelden|désabonner",
    re.IGNORECASE,
)


def own_words(text: str) -> str:
    """The lines of a mail that its writer wrote in it, still with their line ends."""
    lines = [line.rstrip("\r") for line in text.split("\n")]
    kept: list[str] = []
    position = 0
    while position < len(lines):
        if _ends_here(lines, position):
            break
        n_lines, is_last = _attribution(lines, position)
        if is_last:
            break
        if n_lines:
            position += n_lines
            continue
        if not _QUOTED.match(lines[position]):
            kept.append(lines[position].rstrip())
        elif kept and kept[-1]:
            kept.append("")
        position += 1
    return _LONG_LINK.sub("", "\n".join(_without_devices(kept))).strip("\n")


def _ends_here(lines: list[str], position: int) -> bool:
    """Whether a signature, another mail or a list's footer takes up the rest."""
    line = lines[position]
    if line == "-- " or (line == "--" and len(lines) - position <= 16):
        return True
    # Most lines of a mail have none of these.
    if len(line) > _LONGEST_LINE or not _MARKS.search(line):
        return False
    if _ORIGINAL.fullmatch(line) or _BEGIN_FORWARDED.match(line.strip()):
        return True
    if _FROM.match(line) and not _QUOTED.match(line):
        return (
            sum(bool(_OTHER_FIELD.match(x[:80])) for x in lines[position + 1 : position + 7]) >= 2
        )
    if _LIST_RULE.fullmatch(line.strip()):
        following = [x for x in lines[position + 1 : position + 5] if x.strip()]
        if following and _FROM.match(following[0][:_LONGEST_LINE]):
            return _ends_here(following, 0) or len(following) < 3
        return any(_LIST_FOOTER.search(x[:_LONGEST_LINE]) for x in following)
    return False


def _attribution(lines: list[str], position: int) -> tuple[int, bool]:
    """How many lines say who wrote what follows, and whether all that follows is theirs."""
    if not any(line.rstrip().endswith((":", "：")) for line in lines[position : position + 3]):
        return 0, False
    if not lines[position].strip() or _QUOTED.match(lines[position]):
        return 0, False
    said = ""
    for n_lines in (1, 2, 3):
        if position + n_lines > len(lines):
            break
        line = lines[position + n_lines - 1].strip()
        said = f"{said} {line}".strip()
        if not line or len(said) > _LONGEST_LINE:
            break
        if not said.endswith((":", "：")):
            continue
        following = next((x for x in lines[position + n_lines :] if x.strip()), "")
        is_quoted = bool(_QUOTED.match(following))
        if _says_who_wrote(said, is_quoted):
            return n_lines, not is_quoted
    return 0, False


def _says_who_wrote(said: str, is_quoted: bool) -> bool:
    if _ADDRESS_AT_END.search(said) and (_CLOCK.search(said) or _DATE.search(said)):
        return True
    if not _WROTE.search(said):
        return False
    if is_quoted or _ADDRESS.search(said):
        return True
    # "She wrote:" may introduce anything, but who quotes mails gives the time, or the day at the beginning.
    has_date = bool(_DATE.search(said) or _DATE_IN_WORDS.search(said))
    has_clock = bool(_CLOCK.search(said))
    return (has_date and has_clock) or (
        (has_date or has_clock) and _ATTRIBUTES.match(said) is not None
    )


def _without_devices(lines: list[str]) -> list[str]:
    """`Sent from my iPhone` is nobody's sentence."""
    written = [position for position, line in enumerate(lines) if line.strip()]
    for position in written[-_LAST_LINES:]:
        line = lines[position].strip()
        if len(line) <= _LONGEST_LINE and _SENT_FROM.fullmatch(line):
            return lines[:position] + lines[position + 1 :]
    return lines
