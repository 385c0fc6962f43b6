"""`learnctl show`: one source, chunk or sample, down to where it came from."""

from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, BadParameter, Context, Option

from ..memory.errors import LearnctlError
from . import flags
from .context import open_store
from .output import beginning, say, show_json
from .output import show as print_line

if TYPE_CHECKING:
    from ..memory.store import Store

BEGINNING = 100


def show(
    ctx: Context,
    name: Annotated[
        str | None,
        Argument(
            metavar="SOURCE|chunk:N|sample:N",
            help="A source as `learnctl sources` lists it, or a chunk or sample by its number.",
            show_default=False,
        ),
    ] = None,
    skipped: Annotated[
        bool,
        Option(
            "--skipped",
            help="List the passages left out and the files skipped or refused, of SOURCE or of all, and why.",
        ),
    ] = False,
    as_json: flags.Json = False,
) -> None:
    """Show what a source holds, where a chunk came from, or what a sample was used for.

    Examples:

      learnctl show diary.md

      learnctl show chunk:12

      learnctl show sample:40 --json

      learnctl show --skipped
    """
    from ..memory import show as details

    if skipped:
        _show_skipped(ctx, name, as_json)
        return
    if name is None:
        raise BadParameter(
            "name a source, chunk:N or sample:N", param_hint="SOURCE|chunk:N|sample:N"
        )
    kind, _, number = name.partition(":")
    with open_store(ctx) as store:
        if kind == "chunk":
            found, render = details.chunk(store, _number(number)), _render_chunk
        elif kind == "sample":
            found, render = details.sample(store, _number(number)), _render_sample
        else:
            found, render = details.source(store, _only_source(store, name)), _render_source
    if as_json:
        show_json(found)
    else:
        render(found)


def _show_skipped(ctx: Context, name: str | None, as_json: bool) -> None:
    from ..memory import left_out, passed_over

    with open_store(ctx) as store:
        files = passed_over.listed(store, name)
        found = left_out.listed(store, _sources(store, name, is_needed=not files))
    found += [
        {"source": file["path"], "place": "", "reason": file["reason"], "beginning": ""}
        for file in files
    ]
    if as_json:
        show_json(found)
        return
    for entry in found:
        said = (entry["reason"], entry["source"], entry["place"], entry["beginning"])
        print_line(": ".join(filter(None, said)))
    if not found:
        say("nothing was left out")


def _sources(store: "Store", name: str | None, is_needed: bool) -> list[int] | None:
    """The sources meant by a name, None for all."""
    if name is None:
        return None
    try:
        return [source["id"] for source in store.find_sources(name)]
    except LearnctlError:
        if is_needed:
            raise
        return []


def _number(text: str) -> int:
    if not text.isdecimal():
        raise LearnctlError(f"`{text}` is no number", hint="for example: `learnctl show chunk:12`")
    return int(text)


def _only_source(store: "Store", name: str) -> int:
    found = store.find_sources(name)
    if len(found) > 1:
        paths = ", ".join(f"{source['id']} ({source['path']})" for source in found[:5])
        raise LearnctlError(
            f"`{name}` means {len(found)} sources", hint=f"give one of their numbers: {paths}"
        )
    return int(found[0]["id"])


def _render_source(found: dict[str, Any]) -> None:
    print_line(f"source {found['id']}: {found['path']}")
    print_line(f"{found['format']}, {found['trust']}, taken in {found['ingested_at'][:10]}")
    for document in found["documents"]:
        print_line()
        print_line(_joined(document["title"], document["author"], _day(document["date"])))
        for passage in document["passages"]:
            print_line(
                f"  chunk:{passage['chunk']}  {_under(passage['heading'])}{_begin(passage['text'])}"
            )
    for talk in found["conversations"]:
        print_line()
        print_line(_joined(talk["title"], _day(talk["started_at"])))
        for message in talk["messages"]:
            who = _joined(str(message["number"]), message["speaker"], message["date"])
            chunks = "".join(f" chunk:{number}" for number in message["chunks"])
            print_line(f"  {who}:{chunks}  {_begin(message['text'])}")


def _render_chunk(found: dict[str, Any]) -> None:
    kept_back = f", kept back: {found['quarantine']}" if found["quarantine"] else ""
    print_line(f"chunk {found['id']}: {found['kind']}, {found['language']}{kept_back}")
    print_line(f"\n{found['text']}\n")
    for origin in found["origins"]:
        line = f":{origin['line']}" if origin["line"] else ""
        message = f"message {origin['message']}" if origin["message"] else ""
        place = _joined(origin["title"], origin["heading"], message, origin["speaker"])
        print_line(f"from {origin['source']}{line}")
        print_line(f"  {_joined(place, origin['date'])}")
    for sample in found["samples"]:
        print_line(f"sample:{sample['id']}  {sample['kind']}  {_question(sample, 'prompt')}")
    for probe in found["probes"]:
        print_line(f"probe {probe['id']}  {_question(probe, 'question', 'gold')}")


def _render_sample(found: dict[str, Any]) -> None:
    made_of = f"made of chunk:{found['chunk']}" if found["chunk"] else "made of no chunk"
    print_line(f"sample {found['id']}: {found['kind']}, {made_of}, {_day(found['created_at'])}")
    print_line(f"\nQ: {found['prompt']}\nA: {found['answer']}\n")
    for run in found["runs"]:
        outcome = f"version {run['version']}" if run["version"] else f"no version ({run['state']})"
        role = f"{run['role']} ({run['why']})" if run["why"] else run["role"]
        print_line(f"run {run['run']}: {role}, {outcome}")
    if not found["runs"]:
        print_line("used by no run")


def _question(found: dict[str, Any], asked: str, answered: str = "answer") -> str:
    return f"{_begin(found[asked])} → {_begin(found[answered])}"


def _begin(text: str) -> str:
    return beginning(text, BEGINNING)


def _under(heading: str) -> str:
    return f"[{heading}] " if heading else ""


def _day(date: str | None) -> str:
    return (date or "")[:10]


def _joined(*parts: str | None) -> str:
    return ", ".join(part for part in parts if part)
