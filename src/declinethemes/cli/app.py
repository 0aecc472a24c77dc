"""The command line: its commands, and how errors leave it."""

from __future__ import annotations

import json
import sys
from typing import NoReturn

import typer

from declinethemes.cli.audit_sample import audit_sample_cli
from declinethemes.cli.brief import brief_cli
from declinethemes.cli.coverage import coverage_cli
from declinethemes.cli.crosstab import crosstab_cli
from declinethemes.cli.declines import declines_cli
from declinethemes.cli.demo import demo_cli
from declinethemes.cli.discover import discover_cli
from declinethemes.cli.evaluate import evaluate_cli
from declinethemes.cli.guide import guide_cli
from declinethemes.cli.init import init_cli
from declinethemes.cli.outreach import outreach_cli
from declinethemes.cli.reasons import reasons_cli
from declinethemes.cli.release import release_cli
from declinethemes.cli.report import report_cli
from declinethemes.cli.run import ingest_cli, run_cli
from declinethemes.cli.tag import tag_cli
from declinethemes.cli.train import train_cli
from declinethemes.errors import DeclineThemesError

app = typer.Typer(
    name="themes",
    help=(
        "Why candidates turned your offers down: themes in their own words, by segment, "
        "with the statistics and the privacy done right."
    ),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("demo")(demo_cli)
app.command("init")(init_cli)
app.command("outreach")(outreach_cli)
app.command("guide")(guide_cli)
app.command("brief")(brief_cli)
app.command("run")(run_cli)
app.command("ingest")(ingest_cli)
app.command("tag")(tag_cli)
app.command("discover")(discover_cli)
app.command("crosstab")(crosstab_cli)
app.command("declines")(declines_cli)
app.command("reasons")(reasons_cli)
app.command("audit-sample")(audit_sample_cli)
app.command("coverage")(coverage_cli)
app.command("report")(report_cli)
app.command("release")(release_cli)
app.command("train")(train_cli)
app.command("evaluate")(evaluate_cli)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; known errors end with status 1 and one clear message."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app(args=given, prog_name="themes")
    except DeclineThemesError as error:
        _fail(error.code, str(error), as_json="--json" in given)
    except BrokenPipeError:
        raise SystemExit(1) from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        message = f"{place}{error.strerror or error}; check the path, its permissions and the room on the disk"
        _fail("system", message, as_json="--json" in given)
    except (KeyboardInterrupt, SystemExit) as stop:  # Typer turns an interrupt into status 130
        if isinstance(stop, SystemExit) and stop.code != 130:
            raise
        sys.stderr.write("stopped; what was finished is kept, run again to go on\n")
        raise SystemExit(130) from None


def _fail(code: str, message: str, *, as_json: bool) -> NoReturn:
    """End with status 1: the message to stderr, and as JSON to stdout where a program reads it."""
    if as_json:
        sys.stdout.write(json.dumps({"ok": False, "error": {"code": code, "message": message}}) + "\n")
    sys.stderr.write(f"error: {message}\n")
    raise SystemExit(1) from None
