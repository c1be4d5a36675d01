"""The verification of audit logs, without the vault: reads files line by line and says what was done to them, and where.

Owns what concerns several chains and files: beginnings, signatures, anchors. What happens inside one chain is judged in ``track``.
Memory does not grow with the length of a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from strongroom.evidence.anchor import Anchor
from strongroom.evidence.chain import BEFORE_ALL, Head, Place, hash_of, place_of
from strongroom.evidence.checkpoint import Checkpoint, Reason, is_checkpoint, read_checkpoint, statement_of
from strongroom.evidence.files import by_device, in_order
from strongroom.evidence.findings import Finding, Kind, Report, merged
from strongroom.evidence.lines import DamagedFile, lines_of, looks_torn
from strongroom.evidence.signature import PublicKey
from strongroom.evidence.track import Spot, Stray, Track

FINDINGS_MAX = 100
_STRAY_LINES_MAX = 1024


def verify(paths: Sequence[Path], *, key: PublicKey | None = None, anchor: Anchor | None = None) -> Report:
    """Check the log in ``paths``, the oldest file first; some may be compressed by gzip, and of several devices.

    Raises OSError where a file cannot be read.
    """
    return merged([_verify_device(files, key, anchor) for files in by_device(paths)])


def _verify_device(paths: Sequence[Path], key: PublicKey | None, anchor: Anchor | None) -> Report:
    verifier = Verifier(key, anchor)
    for index, path in enumerate(in_order(paths, verifier.tell)):
        verifier.begin_file(index, str(path))
        try:
            for line in lines_of(path):
                verifier.line(line)
        except DamagedFile:
            verifier.break_off()
        verifier.end_file()
    return verifier.end()


class Verifier:
    """Reads lines and gathers a report."""

    def __init__(self, key: PublicKey | None, anchor: Anchor | None) -> None:
        self.report = Report()
        self._key = key
        if key and anchor and not (anchor.key_id == key.id and key.is_signed(anchor.statement, anchor.signature)):
            self.tell(Finding(Kind.BAD_SIGNATURE, "anchor", 0, 0, "the signature of the anchor is wrong"))
            anchor = None
        self._anchor = anchor
        self._watched = {(head.id, head.sequence): head for head in anchor.heads.values()} if anchor else {}
        self._tracks: dict[str, Track] = {}
        self._foreign: set[str] = set()
        self._vaults: set[str] = set()
        self._spot = Spot(0, "", 0)
        self._last_reason: Reason | None = None
        """Why the last line was written, where it is a checkpoint."""
        self._file_before: tuple[Spot, Reason | None] = (self._spot, None)
        """The last line of the file before, and why it was written."""
        self._stray: Stray | None = None
        self._stray_line = 0
        self._torn: tuple[Spot, bytes] | None = None
        self._has_lines_in_file = False
        self._begins_late = False
        """Whether lines before the first file are missing, for a good reason or not."""

    def tell(self, finding: Finding) -> None:
        """Note a finding, or count it where there are many already."""
        if len(self.report.findings) < FINDINGS_MAX:
            self.report.findings.append(finding)
        else:
            self.report.suppressed += 1

    # Files and lines

    def begin_file(self, index: int, name: str) -> None:
        """The next file."""
        self._file_before = (self._spot, self._last_reason)
        self._spot = Spot(index, name, 0)
        self._has_lines_in_file = False

    def line(self, line: bytes) -> None:
        """The next line, with its newline where it has one."""
        index, file, number = self._spot
        self._spot = spot = Spot(index, file, number + 1)
        text = line[:-1] if line.endswith(b"\n") else line
        place = place_of(text)
        if place is None:
            if text.strip():
                self._unplaced(text, spot)
            return
        self.report.lines += 1
        checkpoint = read_checkpoint(text) if is_checkpoint(text) else None
        if self._torn is not None:
            self._settle_torn(text, checkpoint)
        track = self._tracks.get(place.id)
        if track is None:
            self._new_chain(text, place, spot, checkpoint)
        else:
            stray = track.follow(text, place, spot, self._stray)
            if stray is not None or self._stray is not None:
                self._hold(stray)
            if checkpoint is not None and stray is None:
                self._read(track, checkpoint, text, place)
        self._has_lines_in_file = True
        self._last_reason = checkpoint.reason if checkpoint is not None else None
        if self._watched and (place.id, place.sequence) in self._watched:
            self._meet_anchor(place, spot)

    def break_off(self) -> None:
        """The file is compressed, and cannot be read any further."""
        text = "the compressed file ends in its middle, or was changed: what follows in it cannot be read"
        self.tell(self._spot.finding(Kind.TAIL_TRUNCATED, 0, text))

    def end_file(self) -> None:
        """The file is over."""
        if self._torn is not None and self._torn[0].file_number == self._spot.file_number:
            spot, _ = self._torn
            self._torn = self._stray = None
            self.report.notes.append(
                f"{spot.file}:{spot.line}: the last line is torn, as a crash leaves it; it was never acted upon"
            )

    def end(self) -> Report:
        """Everything was read."""
        self._hold(None, is_last=True)
        for track in self._tracks.values():
            if track.is_orphan:
                self._judge_orphan(track)
            track.end()
        self._check_anchor()
        self._say_what_is_unsigned()
        self.report.findings.sort(key=lambda finding: (finding.file, finding.line))
        return self.report

    # Lines that are no records

    def _unplaced(self, text: bytes, spot: Spot) -> None:
        if not text.strip(b"\0"):
            # Whatever stood there before is missed by its chain, or was never more than that.
            self.report.notes.append(f"{spot.file}:{spot.line}: zeros, as a loss of power leaves them")
            return
        self._hold(Stray(spot, None, Kind.INSERTED, "the line has no place in a chain"))
        self._torn = (spot, text) if looks_torn(text) else None

    def _settle_torn(self, text: bytes, checkpoint: Checkpoint | None) -> None:
        """A torn line is innocent where the record follows whole, or a chain begins: then the writing had failed."""
        if self._torn is None:
            return
        (spot, torn), self._torn = self._torn, None
        is_begun_anew = (
            checkpoint is not None and checkpoint.is_beginning and not _stands_for(torn, checkpoint.previous)
        )
        if text.startswith(torn) or is_begun_anew:
            self._stray = None
            self.report.notes.append(f"{spot.file}:{spot.line}: a torn line, as a failed write or a crash leaves it")

    def _hold(self, stray: Stray | None, *, is_last: bool = False) -> None:
        """Keep a stray until it is clear what it is, and tell the one before it."""
        held = self._stray
        if held is not None and (
            stray is not None or held.is_known or is_last or self.report.lines - self._stray_line > _STRAY_LINES_MAX
        ):
            self._stray = None
            self.tell(held.finding)
        if stray is not None:
            self._stray, self._stray_line = stray, self.report.lines

    # Chains

    def _new_chain(self, text: bytes, place: Place, spot: Spot, checkpoint: Checkpoint | None) -> None:
        is_first = not self._tracks
        track = Track(place.id, place.sequence, place.hash, spot, self.tell)
        track.recent[place.sequence] = place.hash
        track.unsigned = 1
        self._tracks[place.id] = track
        if place.sequence == 1:
            if hash_of(BEFORE_ALL, text, place) != place.hash:
                track.doubt_first(text, place, spot)
            if checkpoint is not None and checkpoint.is_beginning:
                self._check_beginning(track, checkpoint, spot, is_first=is_first)
            elif not track.has_suspect:
                self.tell(
                    spot.finding(Kind.FOREIGN_CHAIN, 1, "a chain begins without a checkpoint: it is not the vault's")
                )
            self._finish_new(track, checkpoint, text, place)
            return
        track.begin_late()
        if is_first or (self._begins_late and spot.file_number == 0):
            self._begin_late(track, checkpoint, spot, is_first=is_first)
        else:
            track.is_orphan = True
            text_ = f"the chain {track.id} has no beginning here: its lines come from another log"
            track.beginning = spot.finding(Kind.FOREIGN_CHAIN, place.sequence, text_)
            track.lost = self._lost_beginning(track, place, spot, checkpoint)
        self._finish_new(track, checkpoint, text, place)

    def _finish_new(self, track: Track, checkpoint: Checkpoint | None, text: bytes, place: Place) -> None:
        if checkpoint is not None:
            self._read(track, checkpoint, text, place)

    def _begin_late(self, track: Track, checkpoint: Checkpoint | None, spot: Spot, *, is_first: bool) -> None:
        self._begins_late = True
        if checkpoint is not None and checkpoint.reason is Reason.REOPENED:
            if is_first:
                self.report.notes.append(
                    f"{spot.file}: begins at a rotation (file {checkpoint.generation} of its device); earlier files were not given"
                )
            return
        text = f"the beginning was cut off: the chain's lines before {track.sequence} are missing"
        track.beginning = spot.finding(Kind.HEAD_TRUNCATED, track.sequence, text)

    def _check_beginning(self, track: Track, checkpoint: Checkpoint, spot: Spot, *, is_first: bool) -> None:
        """A chain begins: it says what stood before it on its device."""
        previous = checkpoint.previous
        track.parents = (*([previous] if previous is not None else []), *checkpoint.beside)
        for head in checkpoint.beside:
            self._check_beside(head, checkpoint, spot)
        if previous is None:
            if self._has_lines_in_file:
                text = "the chain says that its device was empty, but lines stand before it: it comes from another log"
                self.tell(spot.finding(Kind.FOREIGN_CHAIN, 1, text))
            return
        parent = self._tracks.get(previous.id)
        if parent is None:
            if is_first or (not self._has_lines_in_file and checkpoint.reason is Reason.START):
                self._begins_late = self._begins_late or is_first
                text = f"lines stood before this one in the file: up to {previous.sequence} of the chain {previous.id}"
                self.tell(spot.finding(Kind.HEAD_TRUNCATED, 1, text))
            elif not self._has_lines_in_file:
                self.tell(spot.finding(Kind.MISSING_FILE, 1, f"the file with the chain {previous.id} is missing"))
            elif not self._begins_late:
                text = "the chain follows one that is not in this log: it comes from another log"
                self.tell(spot.finding(Kind.FOREIGN_CHAIN, 1, text))
            return
        parent.catch_up()
        self._check_parent(parent, previous, checkpoint, spot)

    def _check_beside(self, head: Head, checkpoint: Checkpoint, spot: Spot) -> None:
        """Another chain had got this far, in the same file."""
        beside = self._tracks.get(head.id)
        if beside is not None:
            beside.catch_up()
            self._check_parent(beside, head, checkpoint, spot)
        elif not self._begins_late and self._has_lines_in_file:
            text = f"every line of the chain {head.id} before this one is missing"
            self.tell(spot.finding(Kind.DELETED, head.sequence, text))

    def _check_parent(self, parent: Track, previous: Head, checkpoint: Checkpoint, spot: Spot) -> None:
        is_cut_off = checkpoint.reason is Reason.RESUME and previous == checkpoint.previous
        if previous.sequence > parent.sequence:
            text = f"lines {parent.sequence + 1} to {previous.sequence} of the chain before are missing"
            is_here = parent.spot.file_number == spot.file_number
            kind, place = (Kind.DELETED, spot) if is_here else (Kind.TAIL_TRUNCATED, parent.spot)
            parent.expect(previous.sequence, place.finding(kind, parent.sequence + 1, text))
        elif previous.sequence < parent.sequence and is_cut_off:
            self.report.notes.append(
                f"{spot.file}:{spot.line}: lines {previous.sequence + 1} to {parent.sequence} before this one were written by a device "
                "that then failed; nothing was done or answered on their strength alone"
            )
        elif parent.knows(previous) is False and not parent.has_suspect:
            text = f"the line that stood before, {previous.sequence} of its chain, is not the one that the vault had written"
            self.tell(parent.spot.finding(Kind.EDITED, previous.sequence, text))

    def _judge_orphan(self, track: Track) -> None:
        """Whether a chain without a beginning lost it, or was brought from elsewhere: its later signatures say."""
        if track.beginning is not None and track.vault and track.vault in self._vaults:
            track.beginning = track.lost

    def _lost_beginning(self, track: Track, place: Place, spot: Spot, checkpoint: Checkpoint | None) -> Finding:
        """What it means that the vault's own chain has no beginning here."""
        if checkpoint is None or checkpoint.reason is not Reason.REOPENED or not spot.file_number:
            return spot.finding(Kind.DELETED, place.sequence, f"the first lines of the chain {track.id} are missing")
        before, reason = self._file_before
        if reason is Reason.ROTATE:
            text = f"a file is missing before this one: the chain {track.id} began in it"
            return spot.finding(Kind.MISSING_FILE, place.sequence, text)
        text = f"the end of the file was cut off: the chain {track.id} began there"
        return before.finding(Kind.TAIL_TRUNCATED, place.sequence, text)

    # Checkpoints

    def _read(self, track: Track, checkpoint: Checkpoint, text: bytes, place: Place) -> None:
        track.last_reason = checkpoint.reason
        track.device = checkpoint.device
        if not checkpoint.signature:
            return
        track.vault = checkpoint.vault
        if self._key is not None and not self._check_signature(track, checkpoint, text, place):
            return
        if not track.is_orphan:
            self._vaults.add(checkpoint.vault)
        for stored in checkpoint.stored:
            self._check_stored(stored.head, stored.reason, track, is_found=stored.is_found)

    def _check_signature(self, track: Track, checkpoint: Checkpoint, text: bytes, place: Place) -> bool:
        key = self._key
        if key is None:
            return False
        if checkpoint.key_id != key.id:
            if track.id not in self._foreign:
                self._foreign.add(track.id)
                text_ = "the checkpoint is signed with another key than the one given: it is another vault's"
                self.tell(self._spot.finding(Kind.FOREIGN_CHAIN, place.sequence, text_))
            return False
        before = track.hash_before(place.sequence) or checkpoint.covers.hash
        wrong = ""
        if not key.is_signed(statement_of(text), checkpoint.signature):
            wrong = "the signature of the checkpoint is wrong"
        elif checkpoint.covers != Head(place.id, place.sequence - 1, before):
            wrong = "the checkpoint was signed for other lines than those before it: they were changed and hashed anew"
        if wrong:
            self.tell(self._spot.finding(Kind.BAD_SIGNATURE, place.sequence, wrong))
            return False
        self.report.signatures += 1
        self._vouch(track)
        return True

    def _vouch(self, track: Track) -> None:
        """A good signature vouches for its chain up to here, and for the chains before it up to where it began."""
        track.unsigned = 0
        parents = list(track.parents)
        while parents:
            head = parents.pop()
            before = self._tracks.get(head.id)
            remaining = max(0, before.sequence - head.sequence) if before is not None else 0
            if before is not None and before.unsigned > remaining:
                before.unsigned = remaining
                parents += before.parents

    def _check_stored(self, head: Head, reason: str, track: Track, *, is_found: bool) -> None:
        """What the vault remembered when it was unsealed must be in the log."""
        remembered = self._tracks.get(head.id)
        if remembered is None:
            if not is_found and not self._begins_late:
                self.report.doubts.append(
                    f"{self._spot.file}:{self._spot.line}: at this unseal the vault missed the end of the chain {head.id}, which is in "
                    "none of these files: give the file that was rotated away while the server was stopped, or it was removed"
                )
            return
        if remembered.sequence < head.sequence:
            text = f"the vault remembers lines up to {head.sequence} of the chain {head.id}; they are missing"
            self.tell(remembered.spot.finding(Kind.TAIL_TRUNCATED, remembered.sequence + 1, text))
        elif reason == Reason.STOP.value and remembered.sequence > head.sequence and remembered is not track:
            text = f"the server was stopped in good order after line {head.sequence}; what follows was added"
            self.tell(remembered.spot.finding(Kind.INSERTED, head.sequence + 1, text))

    # The end

    def _meet_anchor(self, place: Place, spot: Spot) -> None:
        head = self._watched.pop((place.id, place.sequence))
        if head.hash != place.hash.hex():
            self.tell(spot.finding(Kind.EDITED, place.sequence, "the line is not the one that the anchor names"))

    def _check_anchor(self) -> None:
        anchor = self._anchor
        if anchor is None:
            return
        devices = {track.device for track in self._tracks.values()}
        heads = {name: head for name, head in anchor.heads.items() if name in devices or len(anchor.heads) == 1}
        if not heads:
            self.report.doubts.append("the anchor is about other devices than the one that wrote these files")
        for head in heads.values():
            if (head.id, head.sequence) in self._watched:
                text = f"the anchor knows lines up to {head.sequence} of the chain {head.id}; the end was cut off"
                self.tell(Finding(Kind.TAIL_TRUNCATED, self._spot.file, self._spot.line, head.sequence, text))

    def _say_what_is_unsigned(self) -> None:
        report = self.report
        if not report.lines:
            report.doubts.append("there is no line of an audit log in these files")
        elif self._key is None:
            report.doubts.append("nothing proves who wrote the lines: give the vault's public key with -public-key")
        else:
            report.unsigned = sum(track.unsigned for track in self._tracks.values())
            if report.unsigned:
                report.doubts.append(
                    f"no signature vouches for {report.unsigned} lines yet: a running server signs within a second, a crashed one at "
                    "its next unseal"
                )


def _stands_for(torn: bytes, kept: Head | None) -> bool:
    """Whether a torn line says that it is the one that is known to be kept: then it was whole, and somebody edited it."""
    return kept is not None and b'"chain":{"id":"%b","sequence":%d,' % (kept.id.encode(), kept.sequence) in torn
