"""A campaign on disk. The state of a campaign is what lies here; there is no other.

DIR/config.yaml            resolved, with versions
DIR/pool/0000.h5 ...       what each iteration added; 0000 is the start. Never changed again
DIR/labels/*.jsonl         every finished reference calculation
DIR/quarantine/*.jsonl     every failed one, see alnn.quarantine
DIR/calculations/KEY/      working directories of failed ones
DIR/potentials/0000.alnn   the potential of each iteration, trained on pool/0000 to the same number
DIR/latest.alnn            in potentials/: the last of them
DIR/history.jsonl          a line an iteration
DIR/progress.json          what is being done, or how the last run ended; for people
DIR/lock                   held while a campaign runs here
"""

import fcntl
import json
import os
import time
import zlib
from pathlib import Path
from typing import Any

from ase import Atoms

from alnn.campaign import history_lines
from alnn.campaign import settings as configuration
from alnn.campaign.soundness import MAX_FALLBACKS
from alnn.errors import AlnnError, ConfigError, PoolError, TrainingError
from alnn.parallel.files import sync_directory, write_text_atomically
from alnn.potential import Potential
from alnn.reference.quarantine import read_quarantine
from alnn.strict_yaml import dump_values, parse_values
from alnn.structures.labels import read_labels
from alnn.structures.pool import read_structures, write_structures


class Store:
    """Reads and writes the files of one campaign. Only one rank writes."""

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory)
        self.labels = self.directory / "labels"
        self.quarantine = self.directory / "quarantine"
        self._lock: int | None = None

    def prepare(self, config: configuration.Campaign, versions: dict[str, str]) -> None:
        """Make the directory, take its lock and write config.yaml; or check that this is the campaign that
        began here.

        Raises ConfigError if the directory cannot be written, another campaign runs in it, or it was begun
        with settings that may not change.
        """
        try:
            for part in (self.directory, self.directory / "pool", self.directory / "potentials", self.labels):
                part.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            for leftover in self.directory.glob("**/.*.part"):
                leftover.unlink()
            self._settle_config(configuration.dump(config), versions)
        except OSError as error:
            raise ConfigError(f"directory: {self.directory} cannot be written: {error.strerror}") from error

    def _take_lock(self) -> None:
        # The kernel drops the lock when the process ends, however it ends.
        self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(self._lock, 20).decode(errors="replace").strip()
            raise ConfigError(
                f"directory: another campaign runs in {self.directory} (process {holder})"
            ) from error
        os.truncate(self._lock, 0)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    def close(self) -> None:
        """Give the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def set_progress(self, iteration: int, stage: str) -> None:
        """Write down what begins now; nothing depends on it."""
        now = {"iteration": iteration, "stage": stage, "since": time.time()}
        write_text_atomically(self.directory / "progress.json", json.dumps(now) + "\n")

    def progress(self) -> dict[str, Any]:
        """What `set_progress` wrote last, empty if that cannot be read."""
        try:
            now = json.loads((self.directory / "progress.json").read_text(encoding="utf-8"))
            return {
                "iteration": int(now["iteration"]),
                "stage": str(now["stage"]),
                "since": float(now["since"]),
            }
        except (OSError, ValueError, TypeError, KeyError):
            return {}

    def is_locked(self) -> bool:
        """Whether a campaign runs here now."""
        try:
            descriptor = os.open(self.directory / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _settle_config(self, values: dict[str, Any], versions: dict[str, str]) -> None:
        path = self.directory / "config.yaml"
        if path.exists():
            self._check_settings(values)
        text = dump_values({**values, "versions": versions})
        write_text_atomically(path, f"{_seal(text)}\n{text}")

    def check_settings(self, config: configuration.Campaign) -> None:
        """Raise ConfigError if the campaign that began here has other settings, those that may change aside."""
        self._check_settings(configuration.dump(config))

    def _check_settings(self, values: dict[str, Any]) -> None:
        changed = configuration.changes(configuration.with_defaults(self.config()), values)
        if changed:
            raise ConfigError(
                f"{self.directory} holds a campaign with other settings: {'; '.join(changed)}; "
                "take another directory, or the settings it began with (stop, final, labels and testset may change)"
            )

    def config(self) -> dict[str, Any]:
        """The settings of the campaign, without the versions. Raises ConfigError."""
        return {key: value for key, value in self._config_file().items() if key != "versions"}

    def versions(self) -> dict[str, str]:
        """The versions the campaign last ran with. Raises ConfigError."""
        return dict(self._config_file().get("versions") or {})

    def _config_file(self) -> dict[str, Any]:
        path = self.directory / "config.yaml"
        if not path.exists():
            raise ConfigError(f"{path}: expected the settings of a campaign, found no such file")
        text = _text(path, ConfigError)
        first, _, rest = text.partition("\n")
        if first != _seal(rest) and not text.startswith("directory:"):  # as it was once written
            raise ConfigError(f"{path}: the file is damaged: its checksum does not agree with its contents")
        values = parse_values(text, str(path))
        for key, kind in (("species", list), ("stop", dict), ("versions", dict)):
            if not isinstance(values.get(key, kind()), kind):
                raise ConfigError(f"{path}: {key}: expected the settings of a campaign, found others")
        return values

    def check(self) -> None:
        """Read every file of the campaign but the pool's. Raises AlnnError naming the first that is damaged."""
        self.config()
        done = len(list((self.directory / "pool").glob("[0-9]*.h5"))) - 1
        recorded = [line["iteration"] for line in self.history()]
        if recorded != list(range(len(recorded))) or len(recorded) < done:
            path = self.directory / "history.jsonl"
            raise PoolError(
                f"{path}: expected the record of each of {done} iterations, found {len(recorded)} lines"
            )
        read_labels(self.labels)
        read_quarantine(self.quarantine)
        for path in sorted((self.directory / "potentials").glob("*.alnn")):
            Potential.read(path)

    def pool(self) -> list[list[Atoms]]:
        """What each iteration added, from 0000.h5 on. Raises PoolError for a damaged file and for a gap."""
        paths = sorted((self.directory / "pool").glob("[0-9]*.h5"))
        for index, path in enumerate(paths):
            if path != self._pool_file(index):
                raise PoolError(f"{self._pool_file(index)}: no such file, but {path.name} is there")
        return [read_structures(path) for path in paths]

    def add(self, iteration: int, structures: list[Atoms]) -> None:
        """Write the pool file of an iteration. Raises PoolError."""
        write_structures(self._pool_file(iteration), structures)

    def _pool_file(self, iteration: int) -> Path:
        return self.directory / "pool" / f"{iteration:04d}.h5"

    def potential(self, iteration: int) -> Path:
        """Where the potential of an iteration lies, or will."""
        return self.directory / "potentials" / f"{iteration:04d}.alnn"

    @property
    def latest(self) -> Path:
        """Where the potential of the last iteration lies, or will: what people use."""
        return self.directory / "potentials" / "latest.alnn"

    def trial(self, iteration: int) -> Path:
        """Where a potential lies until it is found good; what a kill leaves there is removed by `prepare`."""
        return self.directory / "potentials" / f".{iteration:04d}.trial.part"

    def settle_trial(self, iteration: int) -> None:
        """Make the trial the potential of its iteration, in one step."""
        os.replace(self.trial(iteration), self.potential(iteration))
        sync_directory(self.directory / "potentials")

    def fall_back(self, iteration: int, reason: str) -> None:
        """Write the potential of the iteration before as the trial of this one, with a note that it is.

        Raises TrainingError where there is none, or where it was written so too often in a row.
        """
        if iteration == 0:
            raise TrainingError(f"training: the first potential is of no use: {reason}")
        previous = Potential.read(self.potential(iteration - 1))
        before = previous.training.get("fallbacks", 0)
        if before >= MAX_FALLBACKS:
            raise TrainingError(f"training: of no use in {before + 1} iterations in a row: {reason}")
        previous.training["fallbacks"] = before + 1
        previous.write(self.trial(iteration))

    def set_latest(self, iteration: int) -> None:
        """Make potentials/latest.alnn a copy of an iteration's potential."""
        text = self.potential(iteration).read_text(encoding="utf-8")
        write_text_atomically(self.latest, text)

    def history(self) -> list[dict[str, Any]]:
        """The lines of history.jsonl in order. Raises PoolError for a damaged one."""
        path = self.directory / "history.jsonl"
        if not path.exists():
            return []
        lines = []
        for number, line in enumerate(_text(path, PoolError).removesuffix("\n").split("\n"), start=1):
            try:
                lines.append(history_lines.decode(line))
            except ValueError as error:
                raise PoolError(
                    f"{path}: line {number}: expected the record of an iteration, found it damaged: {error}"
                ) from error
        return lines

    def record(self, line: dict[str, Any]) -> None:
        """Put an iteration's line into the history, in place of what is there of it and after it."""
        kept = [old for old in self.history() if old["iteration"] < line["iteration"]]
        text = "".join(history_lines.encode(entry) + "\n" for entry in [*kept, line])
        write_text_atomically(self.directory / "history.jsonl", text)


def _seal(text: str) -> str:
    """The first line of config.yaml, which guards the rest."""
    return f"# written by alnn run, crc32:{zlib.crc32(text.encode()):08x}: change the campaign file, not this one"


def _text(path: Path, kind: type[AlnnError]) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise kind(f"{path}: the file is damaged: it is not UTF-8") from error
    except OSError as error:
        raise kind(f"{path}: cannot be read: {error.strerror}") from error
