"""All commands of the workshop in one place: ``python -m training --help``."""

import typer

from training.check import check
from training.command import guarded
from training.compare import compare
from training.evaluate import evaluate
from training.finetune import finetune
from training.import_pictures import app as import_pictures
from training.train import train

app = typer.Typer(
    name="training",
    help="The workshop: make, judge and improve a model that finds the point between the eyes.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)
app.add_typer(import_pictures, name="import")
for command in (check, train, finetune, evaluate, compare):
    app.command()(guarded(command))

if __name__ == "__main__":
    app(prog_name="python -m training")
