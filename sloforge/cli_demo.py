"""The command `sloforge demo`, and `sloforge demo workers`. What they need is imported when they run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from sloforge.cli_common import UNREACHABLE, examples
from sloforge.cli_exporter import LedgerOption, refusals

demo = typer.Typer(name="demo")


@demo.callback(
    invoke_without_command=True,
    epilog=examples("sloforge demo", "sloforge demo --once --folder /tmp/slo-demo"),
)
def _demo(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="End after the story; else it goes on until Ctrl-C.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--folder", metavar="DIR", help="An empty folder for everything, kept.", show_default="one that goes again"
        ),
    ] = None,
) -> None:
    """See it at work: workers, exporter, Prometheus, Alertmanager, a platform that breaks, and a phone that rings.

    It takes less than six minutes, uses free ports of 127.0.0.1 only, and ends with what may ship after all that.
    """
    if context.invoked_subcommand is not None:
        return
    from sloforge.demo.children import ChildFailed, Stopped
    from sloforge.demo.stack import Missing, find_programs
    from sloforge.demo.story import StoryFailed, run

    with refusals(), _demo_folder(folder) as place:
        try:
            run(find_programs(), place, stay=not once, say=typer.echo)
        except Stopped:
            typer.echo("Ended; everything that was started is stopped.")
        except (Missing, ChildFailed) as error:
            typer.echo(f"sloforge: {error}", err=True)
            raise typer.Exit(UNREACHABLE) from error
        except StoryFailed as error:
            raise ValueError(str(error)) from error


@demo.command(
    epilog=examples(
        "sloforge demo workers --ledger sqlite://demo.db",
        "sloforge demo workers --ledger sqlite://demo.db --seed 3 --rounds 100 --seconds 60 --log events.jsonl",
    )
)
def workers(
    ledger: LedgerOption,
    log: Annotated[
        Path, typer.Option("--log", metavar="FILE", help="The agency's own event log; it must be new.")
    ] = Path("events.jsonl"),
    seed: Annotated[int, typer.Option("--seed", help="What happens is drawn from it.")] = 7,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="Each is five or six jobs.")] = 60,
    seconds: Annotated[float, typer.Option("--seconds", min=0, help="The jobs are spread over so long.")] = 30,
    processes: Annotated[int, typer.Option("--workers", min=1, max=64, help="Worker processes.")] = 4,
    day: Annotated[
        bool, typer.Option("--day", help="The day that `sloforge demo` shows, instead of what the seed says.")
    ] = False,
) -> None:
    """Run an agency of real worker processes: retries, crashes by SIGKILL, storms of duplicates, faulty platforms.

    They count in the ledger; what truly happened stands in the log, and is printed at the end.
    """
    with refusals():
        from sloforge.demo.agency import run
        from sloforge.demo.day import write_day
        from sloforge.demo.script import write_script

        script = write_day() if day else write_script(seed, rounds, seconds)
        typer.echo(run(ledger, log, script, workers=processes))


@contextmanager
def _demo_folder(folder: Path | None) -> Iterator[Path]:
    """Yield an empty folder, which goes in the end unless somebody named it."""
    import tempfile

    if folder is None:
        with tempfile.TemporaryDirectory(prefix="sloforge-demo-", ignore_cleanup_errors=True) as made:
            yield Path(made)
        return
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise ValueError(f"{folder} is not empty; --folder names a new or empty one")
    yield folder.resolve()
