"""``samenloop log``: what the topics held, signed, so that a change shows; proofs of it, and what was changed."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from connectors.broker.topics import retention_ms
from samenloop.commands.follow import OntvangerArgument
from samenloop.context import BrokersOption, DataOption, ToepassingOption, brokers_of, catalogue_of, settings_of
from samenloop.errors import NotDoneError
from samenloop.log_keys import (
    CosignerOption,
    KeyOption,
    LogKeyOption,
    cosigners_of,
    keys_of,
    make_key,
    note_in,
    public_of,
    signer_in,
    verifier_of,
)
from samenloop.ontvanger import ontvanger_of
from samenloop.progress import bar_of
from samenloop.proving import found_in_archive, found_in_kafka, proof_of_record, proof_since
from samenloop.running import run
from schemas.catalogue import Catalogue
from streams.audit.archive import Archive
from streams.audit.manifest import ArchiveError
from streams.core.messages import iso_time
from streams.proof.cosigning import cosign_logs
from streams.proof.entry import key_and_value
from streams.proof.evidence import Proven, proven
from streams.proof.grown import CHECKPOINT, COUNTERSIGNED, LogError
from streams.proof.note import LOG, NoteError
from streams.proof.signing import sign_logs
from streams.proof.tiles import TilesError
from streams.proof.verify import Verified, verify_archive

log = typer.Typer(no_args_is_help=True, help="Sign what the topics hold, prove that a record is there, find what was changed.")

SHOWN = 100  # findings on a screen
FolderOption = Annotated[Path, typer.Option("--logs", help="Folder of the logs.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
_FAULTS = (LogError, NoteError, TilesError, ArchiveError)


@log.command()
def key(
    name: Annotated[str, typer.Argument(help="Name of the signer: an address without https://, such as knooppunt.example/log.")],
    *,
    out: Annotated[Path, typer.Option(help="File of the private key; the public one goes beside it, as .pub.")],
    cosigner: Annotated[bool, typer.Option("--cosigner", help="To countersign with, not to sign logs.")] = False,
) -> None:
    """Make a key pair, once: who has the public key can judge all that is ever signed with the private one."""
    typer.echo(str(make_key(name, out, cosigner=cosigner)))
    typer.echo(f"the private key is in {out}, for you alone; the public key above is in {public_of(out)}, for all", err=True)


@log.command()
def checkpoint(
    *,
    key: KeyOption,
    folder: FolderOption,
    cosigner: CosignerOption = None,
    as_json: JsonOption = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
    toepassing: ToepassingOption = None,
) -> None:
    """Add to the logs what Kafka holds since, sign what they came to and publish it; exit 1 when anything is wrong or lost."""
    settings = settings_of(brokers=brokers, data=data, toepassing=toepassing)
    signer = signer_in(key, cosigner=False)
    try:
        with bar_of("hashing", quiet=as_json) as told:
            found = run(sign_logs(brokers_of(settings), folder, signer, cosigners_of(cosigner), settings.toepassing, told))
    except _FAULTS as e:
        raise NotDoneError(str(e)) from e
    if found is None:
        raise typer.Exit(2)
    for place in found.lost:
        typer.echo(f"lost  {place}: Kafka no longer has these offsets, and the log never had them", err=True)
    for fault in found.faults:
        typer.echo(f"fault  {fault}", err=True)
    if as_json:
        typer.echo(json.dumps(vars(found)))
    else:
        typer.echo(f"{found.records:,} records added to {found.logs} logs; {found.published} checkpoints signed and published")
    raise typer.Exit(1 if found.lost or found.faults else 0)


@log.command()
def cosign(
    ontvanger: OntvangerArgument,
    *,
    key: KeyOption,
    log_key: LogKeyOption,
    folder: FolderOption,
    everything: Annotated[bool, typer.Option("--all", help="Also logs that are not of its signals, when they only grow.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Countersign as an ontvanger: work out the log of the signals that were received, and sign its checkpoint when it is the same."""
    settings = settings_of(brokers=brokers, data=data)
    topic = f"signalen.{ontvanger_of(catalogue_of(settings), ontvanger)}"
    cosigner, signer = signer_in(key, cosigner=True), verifier_of(log_key, LOG)
    try:
        found = run(cosign_logs(brokers_of(settings), folder, cosigner, signer, topic, everything=everything, time=int(time.time())))
    except _FAULTS as e:
        raise NotDoneError(str(e)) from e
    if found is None:
        raise typer.Exit(2)
    for fault in found.faults:
        typer.echo(f"not countersigned  {fault}", err=True)
    for origin in found.own:
        typer.echo(f"countersigned  {origin}: it holds what was received")
    if everything:
        typer.echo(f"countersigned  {len(found.others)} other logs: they only grew")
    raise typer.Exit(1 if found.faults else 0)


@log.command()
def prove(  # noqa: PLR0913 - one parameter an option
    target: Annotated[str, typer.Argument(help="A signaal_id, or TOPIC-PARTITION@OFFSET; with --since TOPIC-PARTITION.")],
    *,
    folder: FolderOption,
    out: Annotated[Path, typer.Option(help="File of the proof.")],
    since: Annotated[Path | None, typer.Option(help="File with an earlier checkpoint: prove that the log goes on from it.")] = None,
    archive: Annotated[Path | None, typer.Option(help="Take the record from this archive, not from Kafka.")] = None,
    hash_only: Annotated[bool, typer.Option("--hash-only", help="Leave the record itself out of the proof.")] = False,
    countersigned: Annotated[bool, typer.Option("--countersigned", help="By the newest checkpoint that was countersigned.")] = False,
    brokers: BrokersOption = None,
    data: DataOption = None,
) -> None:
    """Write the proof that the newest checkpoint covers a record, for whoever has the public key: no Kafka is needed to check it."""
    settings = settings_of(brokers=brokers, data=data)
    ontvangers, by = list(catalogue_of(settings).ontvangers), COUNTERSIGNED if countersigned else CHECKPOINT
    try:
        if since is not None:
            text = proof_since(folder, target, note_in(since), by)
        else:
            inside = None if archive is None else found_in_archive(Archive(archive), target, ontvangers)
            found = inside or run(found_in_kafka(brokers_of(settings), target, ontvangers))
            if found is None:
                raise typer.Exit(2)
            text = proof_of_record(folder, found, by, with_record=not hash_only)
        out.write_text(text)
    except _FAULTS as e:
        raise NotDoneError(str(e)) from e
    except OSError as e:
        raise NotDoneError(f"{out}: {e.strerror}") from e
    typer.echo(f"{out}: the proof; 'log check' verifies it")


@log.command()
def check(
    file: Annotated[Path, typer.Argument(help="A proof that 'log prove' wrote.")],
    *,
    log_key: LogKeyOption,
    cosigner: CosignerOption = None,
    since: Annotated[Path | None, typer.Option(help="File with the checkpoint that the proof goes on from.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a proof, offline, and say what it proves; exit 1 when it proves nothing."""
    keys = keys_of(log_key, cosigner)
    try:
        data = file.read_bytes()
        found = proven(data, keys, None if since is None else note_in(since))
    except OSError as e:
        raise NotDoneError(f"{file}: {e.strerror}") from e
    except NoteError as e:
        typer.echo(f"{file}: {e}", err=True)
        raise typer.Exit(1) from e
    told = _proven(found)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    what = f"its size {found.old} is the beginning" if found.entry is None else f"offset {told['offset']} of {told['time']} is there"
    typer.echo(f"{found.checkpoint.origin}, size {found.checkpoint.size}: {what}")
    typer.echo(f"countersigned by {', '.join(found.cosigners)}" if found.cosigners else "countersigned by nobody that was named")
    if "value" in told:
        typer.echo(f"{told['key']}\n{told['value']}")


def _proven(found: Proven) -> dict[str, Any]:
    told: dict[str, Any] = {"origin": found.checkpoint.origin, "size": found.checkpoint.size, "cosigners": found.cosigners}
    if found.entry is None:
        return {**told, "old": found.old}
    told |= {"offset": found.entry.offset, "time": iso_time(found.entry.timestamp), "sha256": found.entry.digest.hex()}
    if found.record is not None:
        try:
            key, value = key_and_value(found.record)
        except ValueError as e:
            raise NotDoneError(f"the record in the proof is no Kafka record: {e}") from e
        told |= {"key": _text(key), "value": _text(value)}
    return told


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode(errors="backslashreplace")


@log.command()
def verify(
    *,
    archive: Annotated[Path, typer.Option(help="Folder that 'samenloop archive' filled.")],
    folder: FolderOption,
    log_key: LogKeyOption,
    cosigner: CosignerOption = None,
    checkpoint: Annotated[
        list[Path] | None, typer.Option("--checkpoint", help="File with a checkpoint that you have from elsewhere; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
    toepassing: ToepassingOption = None,
) -> None:
    """Hold an archive against signed checkpoints, offline: name what was changed, removed, added or moved; exit 1 when anything was."""
    settings = settings_of(toepassing=toepassing)
    keys, catalogue, now = keys_of(log_key, cosigner), catalogue_of(settings), time.time_ns() // 1_000_000
    given = [note_in(file) for file in checkpoint or ()]
    try:
        with bar_of("verifying", quiet=as_json) as told:
            found = verify_archive(
                Archive(archive), folder, keys, settings.toepassing, lambda t: now - _kept(catalogue, settings.toepassing, t), given, told
            )
    except _FAULTS as e:
        raise NotDoneError(str(e)) from e
    if as_json:
        typer.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        typer.echo("\n".join(_lines(found)))
    raise typer.Exit(1 if found.findings else 0)


def _kept(catalogue: Catalogue, toepassing: str, topic: str) -> int:
    """For how long (milliseconds) the records of a topic have to be there; for ever when the catalogue does not say."""
    family = "signalen.<ontvanger>" if topic.startswith("signalen.") else topic.replace(f"{toepassing}-", "<toepassing>-", 1)
    found = catalogue.topics.get(family)
    return 1 << 60 if found is None or found.bewaartermijn is None else retention_ms(found.bewaartermijn)


def _lines(found: Verified) -> list[str]:
    lines = [f"{found.covered:>12,}  records are as they were logged, by {found.checkpoints:,} checkpoints of {found.logs:,} logs"]
    for number, text in (
        (found.gone, "are gone: older than their bewaartermijn; what the log says of them is whole"),
        (found.not_archived, "are logged and not archived yet"),
        (found.later, "are covered by no checkpoint"),
    ):
        lines += [f"{number:>12,}  {text}"] if number else []
    lines += [f"{number:>12,}  checkpoints are countersigned by {name}" for name, number in found.cosigned.items()]
    lines += [f"{found.strangers:>12,}  records on the topic of the checkpoints are nobody's checkpoint"] if found.strangers else []
    lines += ["", *(f"{f.kind:<10}  {f.place}: {f.text}" for f in found.findings[:SHOWN])] if found.findings else []
    more = len(found.findings) - SHOWN
    return [*lines, f"and {more:,} more, see --json"] if more > 0 else lines
