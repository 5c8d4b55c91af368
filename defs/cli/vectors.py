"""`bsatn vectors`: the golden vectors listed, shown, checked, asked of this library, packed, and generated anew."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from defs.cli.common import UsageError, add_output, printable, write_output
from defs.vectors import AREAS, Case, VectorError, VectorFile, default_directory, lint, read_all, verify
from defs.vectors.areas import FIELDS
from defs.vectors.files import plain

_SHOWN = 20  #: failures that are printed in full


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.epilog = (
        "Examples:\n"
        "  bsatn vectors list --area values\n"
        "  bsatn vectors show values-0004\n"
        "  bsatn vectors verify\n"
        "  bsatn vectors export -o vectors.tar.gz\n"
        "  bsatn vectors generate --check --area names"
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, parser_class=argparse.ArgumentParser)
    for name, (action, text) in _ACTIONS.items():
        sub = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(action=action)
        sub.add_argument("--dir", type=Path, metavar="DIR", help="the vectors, instead of those that come with bsatn")
        if name in ("list", "verify", "generate"):
            sub.add_argument("--area", choices=AREAS, action="append", help="only this area; may be given more than once")
        if name == "show":
            sub.add_argument("id", metavar="ID", help="of a case, such as values-0001")
        if name == "export":
            add_output(sub)
        if name == "generate":
            sub.add_argument("--check", action="store_true", help="change nothing; say what would, and fail if anything does")


def run(args: argparse.Namespace) -> int:
    """Do the action."""
    if args.dir is None:
        args.dir = default_directory()
    elif not args.dir.is_dir():
        raise UsageError(f"{args.dir} is no directory")
    args.areas = list(dict.fromkeys(getattr(args, "area", None) or AREAS))
    status: int = args.action(args)
    return status


def _some(args: argparse.Namespace) -> list[VectorFile]:
    files = list(read_all(args.dir, args.areas))
    if not files:
        raise VectorError("NoVectors", f"no vectors under {args.dir}")
    return files


def _list(args: argparse.Namespace) -> int:
    files = _some(args)
    rows = [("AREA", "GROUP", "CASES", "FLAGS")]
    for file in files:
        flags = Counter(flag for case in file.cases for flag in case["flags"])
        shown = ", ".join(f"{flag} {count}" for flag, count in sorted(flags.items()))
        rows.append((file.area, file.group, str(len(file.cases)), shown))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for area, group, count, shown in rows:
        print(f"{area:{widths[0]}}  {group:{widths[1]}}  {count:>{widths[2]}}  {shown}".rstrip())
    print(f"{sum(len(file.cases) for file in files)} cases in {len(files)} groups")
    return 0


def _show(args: argparse.Namespace) -> int:
    area = args.id.rpartition("-")[0]
    if area not in AREAS:
        raise UsageError(f"{args.id} names no case; ids begin with {', '.join(AREAS)}")
    for file in read_all(args.dir, [area]):
        for case in file.cases:
            if case["id"] == args.id:
                print(_readable(file, case))
                return 0
    raise UsageError(f"there is no case {args.id}")


def _readable(file: VectorFile, case: Case) -> str:
    shown = [("group", f"{file.path}: {file.about}"), *((name, plain(case[name])) for name in FIELDS if name in case)]
    return "\n".join(f"{name:<10} {_text(value)}" for name, value in shown)


def _text(value: object) -> str:
    if isinstance(value, list):
        if value and all(isinstance(one, dict) for one in value):
            return "".join(f"\n    {_text(one)}" for one in value)
        return (
            "[" + ", ".join(map(_text, value)) + "]"
            if any(isinstance(one, list) for one in value)
            else ", ".join(map(_text, value))
        )
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_text(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return printable(str(value)) if value != "" else "(empty)"


def _lint(args: argparse.Namespace) -> int:
    found = lint(args.dir)
    for fault in found:
        print(printable(fault))
    print(f"{len(found)} faults" if found else "the files are as they were generated")
    return 1 if found else 0


def _verify(args: argparse.Namespace) -> int:
    faults = lint(args.dir)
    for fault in faults[:_SHOWN]:
        print(f"lint: {printable(fault)}")
    report = verify(args.dir, args.areas)
    failed = Counter(failure.id.rpartition("-")[0] for failure in report.failures)
    for failure in report.failures[:_SHOWN]:
        print(failure.id)
        for difference in failure.differences:
            print(f"  {printable(difference)}")
    if len(report.failures) > _SHOWN:
        print("also:", ", ".join(failure.id for failure in report.failures[_SHOWN:]))
    for area in args.areas:
        print(f"{area:<13} {report.agreed[area]:>5} agree  {failed[area]:>4} differ  {report.skipped[area]:>4} skipped")
    if not report.agreed and not report.failures and not report.skipped:
        raise VectorError("NoVectors", f"no vectors under {args.dir}")
    return 1 if faults or report.failures else 0


def _export(args: argparse.Namespace) -> int:
    from defs.vectors.archive import archive

    write_output(args, archive(args.dir))
    return 0


def _generate(args: argparse.Namespace) -> int:
    from defs.vectors.generation import check, generate

    if not args.check:
        files = generate(args.dir, args.areas)
        print(f"{sum(len(file.cases) for file in files)} cases in {len(files)} groups")
        return 0
    changed = check(args.dir, args.areas)
    for name in changed:
        print(f"{name}: generating it anew gives something else", file=sys.stderr)
    print(f"{len(changed)} files would change" if changed else "generating anew changes nothing")
    return 1 if changed else 0


#: Function and help of each action.
_ACTIONS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "list": (_list, "say what vectors there are: areas, groups, cases, flags"),
    "show": (_show, "print one case, readable"),
    "lint": (_lint, "say whether the files are as they were generated"),
    "verify": (_verify, "lint, and ask every case of this library"),
    "export": (_export, "pack the vectors, their schemas, and the testees' sources as one archive (tar.gz)"),
    "generate": (_generate, "make the vectors anew: asks the published crates, so it needs cargo"),
}
