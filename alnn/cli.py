"""The command line. A subcommand imports only what it needs; a user's error is one line and exit status 2."""

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from alnn.errors import AlnnError, StoppedEarly
from alnn.parallel.interruption import EXIT_STATUS, interruption
from alnn.parallel.interruption import seconds as seconds_of_walltime
from alnn.parallel.terminal import spell_what_cannot_be_shown

if TYPE_CHECKING:
    from alnn.fitting.settings import FitSettings
    from alnn.structures.label_keys import LabelKeys

# One thread a rank: ranks share the cores, and the order of sums must not depend on what else runs.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
}

_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""What the file system says where nobody is to blame but the disk and its rights."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand and return its exit status.

    0; 1 for a fault of ours, 2 for a user's error, 3 if stopped early, 130 if interrupted.
    """
    spell_what_cannot_be_shown()
    options = _parser().parse_args(arguments)
    for name, value in _ONE_THREAD.items():
        os.environ.setdefault(name, value)
    try:
        if hasattr(options, "walltime"):
            interruption.listen(options.walltime)
        options.command(options)
        sys.stdout.flush()
        return 0
    except StoppedEarly as error:
        return _fail(error, str(error), EXIT_STATUS)
    except AlnnError as error:
        return _fail(error, str(error), 2)
    except KeyboardInterrupt as error:
        return _fail(error, "interrupted; run the same command again to go on", 130)
    except BrokenPipeError:
        _drop_what_is_not_written()
        return 0
    except OSError as error:
        if error.errno in _REFUSALS:
            _drop_what_is_not_written()
            return _fail(error, f"{error.filename or 'a file'}: cannot be written: {error.strerror}", 2)
        return _fail(error, traceback.format_exc(), 1)
    except Exception as error:
        # A fault of ours: the traceback is wanted, but no rank may be left waiting for this one.
        return _fail(error, traceback.format_exc(), 1)
    finally:
        interruption.dismiss()


def _drop_what_is_not_written() -> None:
    """What standard output would not take is not tried again at the end, which would change the exit status."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: BaseException, message: str, status: int) -> int:
    """Say it once. Where one rank failed alone the others are ended, for they would wait for ever."""
    text = f"alnn: {message}"
    if _ranks_in_use():
        from alnn.parallel.ranks import Ranks, abort_if_alone

        abort_if_alone(error, text)
        if not Ranks().is_root:
            return status
    print(text, file=sys.stderr, flush=True)
    return status


def _ranks_in_use() -> bool:
    return "mpi4py.MPI" in sys.modules


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="alnn", description="Active learning of neural-network potentials inside LAMMPS."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], None], text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=text, description=text)
        added.set_defaults(command=command)
        return added

    run = add("run", _run, "Run a campaign, or go on with it; also under mpirun.")
    run.add_argument("config", type=Path, metavar="CONFIG", help="campaign file (YAML)")
    run.add_argument("--directory", help="in place of the file's directory")
    run.add_argument("--seed", type=int, help="in place of the file's seed")
    run.add_argument("--retry-failed", action="store_true", help="first try again what has no label")
    _add_walltime(run)

    validate = add("validate", _validate, "Check a campaign file and what it names, and calculate nothing.")
    validate.add_argument("config", type=Path, metavar="CONFIG", help="campaign file (YAML)")

    status = add("status", _status, "Say how far a campaign is.")
    status.add_argument("directory", type=Path, metavar="DIR")

    report = add("report", _report, "Write DIR/report/index.html with figures and numbers.")
    report.add_argument("directory", type=Path, metavar="DIR")
    report.add_argument("--testset", type=Path, metavar="FILE", help="in place of the campaign's own")
    report.add_argument("--bins", help="size bins, as in 1-20,21-50,51-")

    train = add("train", _train, "Fit a potential to labelled structures.")
    train.add_argument(
        "data",
        type=Path,
        nargs="+",
        metavar="DATA",
        help="labelled: anything ASE reads, or .h5; several files",
    )
    train.add_argument("-o", "--output", type=Path, required=True, metavar="P.alnn")
    train.add_argument(
        "--holdout", metavar="SHARE|FILE", help="judge by this share of the structures (0.1), or by this file"
    )
    train.add_argument("--report", type=Path, metavar="DIR", help="write figures and a page here")
    train.add_argument(
        "--learning-curve",
        action="store_true",
        help="fit to an eighth, a quarter and a half too; with --holdout",
    )
    train.add_argument(
        "--network-sizes",
        action="store_true",
        help="fit networks of a quarter, half and twice the neurons too; with --holdout",
    )
    train.add_argument(
        "--variance",
        action="store_true",
        help="leave P.variance.npz, by which alnn evaluate and alnn select know how wrong the potential may be",
    )
    train.add_argument(
        "--from",
        dest="begin",
        type=Path,
        metavar="P.alnn",
        help="begin from this potential, with its functions, networks and repulsion",
    )
    train.add_argument(
        "--low-level",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help="structures labelled by a cheaper method, those of DATA among them: the others join, corrected by what "
        "DATA say of the method's errors",
    )
    train.add_argument("--search", metavar="TIME", help="find settings by trying, for so long: 5min, 90s, 1h")
    _add_settings(train)
    train.add_argument("--protocol", choices=("fast", "paper"))
    train.add_argument("--members", type=int, help="networks in the committee")
    train.add_argument("--seed", type=int)
    _add_label_keys(train)
    _add_walltime(train)

    check = add("check", _check, "What labelled structures hold, and what looks wrong about them.")
    check.add_argument(
        "data",
        type=Path,
        nargs="+",
        metavar="DATA",
        help="labelled: anything ASE reads, or .h5; several files",
    )
    check.add_argument("--report", type=Path, metavar="DIR", help="write figures and a page here")
    _add_label_keys(check)

    descriptors = add(
        "descriptors",
        _descriptors,
        "Functions that structures get, their values' ranges, and a figure of them.",
    )
    descriptors.add_argument("data", type=Path, nargs="+", metavar="DATA", help="anything ASE reads, or .h5")
    _add_settings(descriptors)
    descriptors.add_argument(
        "-o", "--output", type=Path, metavar="S.yaml", help="write the functions out, as settings"
    )
    descriptors.add_argument("--figure", type=Path, metavar="F.png", help="draw the functions over the data")

    select = add("select", _select, "The structures of a set most worth a label, or most worth keeping.")
    select.add_argument(
        "data", type=Path, nargs="+", metavar="DATA", help="labelled or not: anything ASE reads, or .h5"
    )
    select.add_argument("-n", "--count", type=int, required=True, help="structures to choose")
    select.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".extxyz")
    select.add_argument(
        "--method",
        choices=("farthest", "cur", "variance", "dropout", "random"),
        help="as selection.method in a campaign file; by itself variance with a potential, else farthest",
    )
    select.add_argument(
        "--potential", type=Path, metavar="P.alnn", help="whose functions, and variance, are taken"
    )
    select.add_argument("--seed", type=int, help="of what is random")

    collect = add("collect", _collect, "Structures out of dumps of LAMMPS runs, those most worth a label.")
    collect.add_argument(
        "data", type=Path, nargs="+", metavar="DUMP", help="text dumps, or anything ASE reads"
    )
    collect.add_argument(
        "--potential", type=Path, required=True, metavar="P.alnn", help="whose grades are taken"
    )
    collect.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".extxyz")
    collect.add_argument("-n", "--count", type=int, help="structures at most")
    collect.add_argument("--select", type=float, metavar="G", help="grade from which on they count (1.2)")
    collect.add_argument("--break", type=float, metavar="G", dest="limit", help="grade up to which (4)")
    collect.add_argument(
        "--species", nargs="+", metavar="S", help="of the dumps' types 1, 2, ..., without a column element"
    )

    diagnose = add(
        "diagnose", _diagnose, "Why a run blew up or drifted: when it left what the potential knows."
    )
    diagnose.add_argument(
        "data",
        type=Path,
        nargs="+",
        metavar="DUMP",
        help="text dumps of LAMMPS, or trajectories that ASE reads",
    )
    diagnose.add_argument("--potential", type=Path, required=True, metavar="P.alnn", help="that the runs had")
    diagnose.add_argument("--report", type=Path, metavar="DIR", help="write figures and a page here")
    diagnose.add_argument("-o", "--output", type=Path, metavar="FILE", help="structures to label: .extxyz")
    diagnose.add_argument("-n", "--count", type=int, help="structures to label at most (10)")
    diagnose.add_argument("--select", type=float, metavar="G", help="grade from which on these count (1.2)")
    diagnose.add_argument("--break", type=float, metavar="G", dest="limit", help="grade up to which (4)")
    diagnose.add_argument(
        "--species", nargs="+", metavar="S", help="of the dumps' types 1, 2, ..., without a column element"
    )
    diagnose.add_argument(
        "--units", choices=("metal", "real"), help="of velocities and forces in dumps that do not say (metal)"
    )
    _add_label_keys(diagnose)

    evaluate = add("evaluate", _evaluate, "Errors of a potential on labelled structures.")
    evaluate.add_argument("potential", type=Path, metavar="P.alnn")
    evaluate.add_argument("data", type=Path, metavar="DATA")
    evaluate.add_argument("--json", type=Path, metavar="F", help="write the numbers here too")
    evaluate.add_argument("--bins", help="size bins, as in 1-20,21-50,51-")
    evaluate.add_argument(
        "--figure",
        type=Path,
        metavar="F.png",
        help="draw errors against their standard deviations; of a potential with P.variance.npz beside it",
    )
    _add_label_keys(evaluate)

    testset = add("testset", _testset, "Make a test set with the campaign's reference; also under mpirun.")
    testset.add_argument("config", type=Path, metavar="CONFIG")
    testset.add_argument("-o", "--output", type=Path, metavar="FILE", help="file to write: .h5 or .extxyz")
    testset.add_argument("-n", "--count", type=int, help="structures (papers: 140,000)")
    testset.add_argument("--seed", type=int, help="not a campaign's own, so that test and training differ")
    testset.add_argument(
        "--structures", type=Path, metavar="FILE", help="structures to label, in their order"
    )
    testset.add_argument(
        "--potential",
        type=Path,
        metavar="P.alnn",
        help="finds the structures where the reference is too dear",
    )
    testset.add_argument("--sizes", metavar="A-B", help="atoms of the clusters that it finds (2-20)")
    _add_walltime(testset)

    labels = add("labels", _labels, "Write the labels that were computed in a directory to a file.")
    labels.add_argument(
        "directory", type=Path, metavar="DIR", help="of a campaign, or FILE.labels of a test set"
    )
    labels.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help=".extxyz or .h5")

    convert = add(
        "convert", _convert, "Potentials of n2p2 (RuNNer) and ænet into ours, and back; structures of theirs."
    )
    convert.add_argument(
        "input",
        type=Path,
        nargs="+",
        metavar="IN",
        help="P.alnn, a directory with input.nn (n2p2), files .nn of all species (ænet), or labelled structures",
    )
    convert.add_argument(
        "output", type=Path, metavar="OUT", help="P.alnn, a directory for the other package, or .extxyz"
    )
    convert.add_argument(
        "--format", choices=("n2p2", "aenet", "aenet-ascii"), help="to write; n2p2 unless OUT ends in .nn"
    )
    convert.add_argument(
        "--length-unit",
        metavar="U",
        help="of the other package: angstrom (ænet), bohr (n2p2), nm, or Å as a number",
    )
    convert.add_argument(
        "--energy-unit",
        metavar="U",
        help="of the other package: eV (ænet), hartree (n2p2), rydberg, kcal/mol, kJ/mol, or eV as a number",
    )
    convert.add_argument(
        "--species",
        nargs="+",
        default=(),
        metavar="X",
        help="elements of types 0, 1, ... where structures have those",
    )
    convert.add_argument(
        "--member", type=int, metavar="K", help="of a committee, from 1, where one is written"
    )

    compare = add(
        "compare", _compare, "A campaign beside random training sets of its size; also under mpirun."
    )
    compare.add_argument("config", type=Path, metavar="CONFIG", help="of a finished campaign (YAML)")
    compare.add_argument("--testset", type=Path, required=True, metavar="FILE", help="labelled structures")
    compare.add_argument("--directory", help="in place of the file's directory")
    compare.add_argument("--bins", help="size bins, as in 1-20,21-50,51-")
    compare.add_argument("--size", type=int, help="atoms of the cluster whose pairs are compared (50)")
    _add_walltime(compare)

    properties = add(
        "properties", _properties, "Properties of liquids, clusters and crystals; also under mpirun."
    )
    kinds = (
        "density",
        "rdf",
        "adf",
        "coordination",
        "diffusivity",
        "cluster-free-energy",
        "cluster-rdf",
        "cluster-minima",
        "cluster-growth",
        "isomers",
        "equation-of-state",
        "polymorphs",
        "elastic-constants",
        "all",
    )
    properties.add_argument("kind", choices=kinds, metavar="KIND", help=", ".join(kinds))
    properties.add_argument("config", type=Path, metavar="CONFIG", help="properties file (YAML)")
    properties.add_argument("--directory", help="in place of the file's directory")
    _add_walltime(properties)

    add("version", _version, "Print the versions in use.")
    return parser


def _add_label_keys(command: argparse.ArgumentParser) -> None:
    """For commands that read labelled structures of others."""
    keys = command.add_argument_group("keys of the labels in DATA, where they are not the usual ones")
    keys.add_argument("--energy-key", metavar="KEY", help="as REF_energy; then REF_forces are looked for too")
    keys.add_argument("--forces-key", metavar="KEY", help="a column; by itself forces or force")
    keys.add_argument("--stress-key", metavar="KEY", help="eV/Å^3, positive when stretched")
    keys.add_argument("--virial-key", metavar="KEY", help="eV, -volume times stress; by itself virial(s)")


def _label_keys(options: argparse.Namespace) -> "LabelKeys":
    from alnn.structures.label_keys import LabelKeys

    kinds = ("energy", "forces", "stress", "virial")
    return LabelKeys(**{kind: getattr(options, f"{kind}_key") or None for kind in kinds})


def _add_walltime(command: argparse.ArgumentParser) -> None:
    """For commands that go on when run again; these obey SIGTERM too."""
    command.add_argument(
        "--walltime", type=_walltime, metavar="[D-]HH:MM[:SS]", help="end cleanly before this time is over"
    )


def _add_settings(command: argparse.ArgumentParser) -> None:
    """What functions are made by, from a file or in its place."""
    command.add_argument(
        "--settings",
        type=Path,
        metavar="S.yaml",
        help="sections of a campaign file: descriptors, training, final; keys: as start.keys",
    )
    command.add_argument("--descriptors", metavar="PRESET", help="in place of the file's, or of auto")
    command.add_argument("--cutoff", type=float, metavar="R", help="Å, in place of the preset's own")
    command.add_argument("--functions", type=int, metavar="N", help="auto: at most so many for each species")


def _walltime(text: str) -> float:
    try:
        return seconds_of_walltime(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _run(options: argparse.Namespace) -> None:
    from alnn.campaign import settings as configuration
    from alnn.campaign.loop import Runner
    from alnn.campaign.stages import RealStages
    from alnn.campaign.store import Store
    from alnn.parallel.progress import Speaker
    from alnn.parallel.ranks import Ranks

    changed = {"directory": options.directory, "seed": options.seed}
    ranks = Ranks()
    config = ranks.root(lambda: configuration.load(options.config, **changed))
    with Speaker(quiet=not ranks.is_root) as speaker:
        reason = Runner(config, RealStages(), ranks, speaker, options.retry_failed).run()
        speaker.say(f"{reason}; the potential is {Store(config.directory).latest}")


def _validate(options: argparse.Namespace) -> None:
    from alnn.campaign.validation import validate

    for line in validate(options.config):
        print(line, flush=True)


def _status(options: argparse.Namespace) -> None:
    from alnn.campaign.status import status

    print("\n".join(status(options.directory)))


def _report(options: argparse.Namespace) -> None:
    from alnn.report.page import report_command

    report_command(options.directory, options.testset, **_given(bins=options.bins))


def _train(options: argparse.Namespace) -> None:
    from alnn.fitting.command import Request, train_command

    training = _given(protocol=options.protocol, members=options.members)
    keys = _label_keys(options).given()
    settings = _settings(options, training, keys, seed=options.seed, search=options.search)
    train_command(
        Request(
            options.data,
            options.output,
            settings,
            options.holdout,
            options.report,
            options.learning_curve,
            options.network_sizes,
            options.walltime,
            options.variance,
            options.begin,
            Path() if options.settings is None else options.settings.parent,
            options.low_level,
        )
    )


def _check(options: argparse.Namespace) -> None:
    from alnn.check.command import check_command

    check_command(options.data, _label_keys(options), options.report)


def _descriptors(options: argparse.Namespace) -> None:
    from alnn.descriptors.command import descriptors_command

    settings = _settings(options).descriptors
    descriptors_command(options.data, settings, options.output, options.figure)


def _settings(
    options: argparse.Namespace,
    training: dict | None = None,
    keys: dict[str, str] | None = None,
    **others: object,
) -> "FitSettings":
    from alnn.fitting.settings import load

    functions = _given(preset=options.descriptors, cutoff=options.cutoff, functions=options.functions)
    sections = {"descriptors": functions, "training": training or {}, "keys": keys or {}}
    return load(options.settings, sections, **others)


def _select(options: argparse.Namespace) -> None:
    from alnn.selection.command import select_command

    given = _given(method=options.method, potential=options.potential, seed=options.seed)
    select_command(options.data, options.output, options.count, **given)


def _collect(options: argparse.Namespace) -> None:
    from alnn.selection.collect import collect_command

    names = ("count", "select", "limit", "species")
    given = _given(**{name: getattr(options, name) for name in names})
    collect_command(options.data, options.potential, options.output, **given)


def _diagnose(options: argparse.Namespace) -> None:
    from alnn.diagnosis.command import Request, diagnose_command

    names = ("report", "output", "count", "select", "limit", "species", "units")
    given = _given(**{name: getattr(options, name) for name in names})
    diagnose_command(Request(options.data, options.potential, keys=_label_keys(options), **given))


def _evaluate(options: argparse.Namespace) -> None:
    from alnn.evaluation.command import evaluate_command
    from alnn.uncertainty.judgement import judge_by

    keys, judge = _label_keys(options), judge_by(options.potential, options.figure)
    evaluate_command(
        options.potential, options.data, options.json, keys=keys, judge=judge, **_given(bins=options.bins)
    )


def _testset(options: argparse.Namespace) -> None:
    from alnn.testset.command import testset_command

    names = ("output", "count", "seed", "structures", "potential", "sizes")
    testset_command(options.config, **_given(**{name: getattr(options, name) for name in names}))


def _labels(options: argparse.Namespace) -> None:
    from alnn.structures.export import labels_command

    labels_command(options.directory, options.output)


def _convert(options: argparse.Namespace) -> None:
    from alnn.exchange.command import Options, convert_command

    units = options.length_unit, options.energy_unit
    convert_command(
        options.input, options.output, Options(options.format, *units, options.member, tuple(options.species))
    )


def _compare(options: argparse.Namespace) -> None:
    from alnn.comparison.command import compare_command

    compare_command(
        options.config, options.testset, options.directory, **_given(bins=options.bins, size=options.size)
    )


def _properties(options: argparse.Namespace) -> None:
    from alnn.properties.command import properties_command

    properties_command(options.kind, options.config, options.directory)


def _version(_: argparse.Namespace) -> None:
    from alnn.versions import versions

    for name, version in versions().items():
        print(f"{name} {version}")


def _given(**options: object) -> dict:
    """The options that were given; the others keep the defaults of the function that takes them."""
    return {name: value for name, value in options.items() if value is not None}


if __name__ == "__main__":
    sys.exit(main())
