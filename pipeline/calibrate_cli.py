"""`m3w calibrate`: which similarity bound a model needs."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click

from openm3w.errors import RecipeError
from openm3w.trainer.encoders import load_similarity, resolve_similarity


@click.command()
@click.argument("source", metavar="SOURCE", type=click.Path(path_type=Path, exists=True))
@click.option("--model", required=True, help="lit, auto, or openclip:ARCH/CHECKPOINT.")
@click.option(
    "--reference",
    default="",
    metavar="MODEL=BOUND",
    help="A model whose bound is known, as openclip:ViT-L-14/openai=0.15.",
)
@click.option(
    "--recall",
    default=0.95,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Share of the matched pairs to keep.",
)
@click.option("--seed", default=0, show_default=True, help="Of the mismatched pairs.")
@click.option(
    "--limit", default=0, type=click.IntRange(min=0), help="Read so many images.  [default: all]"
)
@click.option("as_json", "--json", is_flag=True, help="One JSON object.")
def calibrate(
    source: Path, *, model: str, reference: str, recall: float, seed: int, limit: int, as_json: bool
) -> None:
    """Finds a model's similarity bound from matched and mismatched pairs.

    SOURCE holds images with captions: caption shards, or a .jsonl file of lines
    {"image": NAME, "captions": [...]} with the .tar of the images beside it.

    \b
    m3w calibrate captions-out --model lit
    m3w calibrate test.jsonl --model lit --reference openclip:ViT-L-14/openai=0.15
    """
    from openm3w.pipeline import calibrate as calibration

    spec, known = resolve_similarity(model), _reference(reference)
    pairs = calibration.read_pairs(source, limit)
    ours = calibration.score(pairs, load_similarity(spec), seed)
    result: dict[str, Any] = {
        "model": ours.model_id,
        "images": len(pairs),
        "pairs": len(ours.matched),
        "auc": round(calibration.auc(ours), 4),
        "recall": calibration.for_recall(ours, recall),
        "best": calibration.best(ours),
    }
    chosen = result["recall"]
    if known is not None:
        theirs = calibration.score(pairs, load_similarity(known[0]), seed)
        found = calibration.equivalent(ours, theirs, known[1])
        result["reference_model"], result["reference_auc"] = (
            theirs.model_id,
            round(calibration.auc(theirs), 4),
        )
        result |= dict(zip(("reference", "same_kept", "same_passed"), found, strict=True))
        chosen = found[1]
    result["profile"] = f'[similarity]\nbounds = {{"{spec}" = {chosen.bound}}}'
    if as_json:
        click.echo(json.dumps({name: _plain(value) for name, value in result.items()}))
    else:
        _print(result)


def _reference(value: str) -> tuple[str, float] | None:
    if not value:
        return None
    spec, sign, bound = value.rpartition("=")
    try:
        number = float(bound)
    except ValueError:
        number = 2.0
    if not sign or not -1 <= number <= 1:
        raise RecipeError(
            f"--reference {value!r}: expected MODEL=BOUND, as openclip:ViT-L-14/openai=0.15"
        )
    return resolve_similarity(spec), number


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: round(v, 4) for name, v in dataclasses.asdict(value).items()}
    return value


_LINES = (
    ("recall", "keeps the share asked for"),
    ("best", "largest Youden's J"),
    ("reference", "the reference, at its bound"),
    ("same_kept", "keeps as much as the reference"),
    ("same_passed", "lets through as much as the reference"),
)


def _print(result: dict[str, Any]) -> None:
    click.echo(f"model: {result['model']}")
    if "reference_model" in result:
        click.echo(f"reference: {result['reference_model']} (AUC {result['reference_auc']:.4f})")
    count = f"{result['images']} images, {result['pairs']} matched and as many mismatched pairs"
    click.echo(f"{count}\nAUC: {result['auc']:.4f}\n")
    click.echo("  bound   matched kept   mismatched passed")
    for name, about in _LINES:
        if name in result:
            row = result[name]
            click.echo(f"{row.bound:7.4f} {row.kept:14.1%} {row.passed:19.1%}   {about}")
    click.echo(f"\nin a profile:\n{result['profile']}")
