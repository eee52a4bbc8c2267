import io
import json
import tarfile
import tomllib

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from openm3w.errors import InputError, RecipeError
from openm3w.pipeline import calibrate
from openm3w.pipeline.calibrate import Bound, Captioned, Scores
from openm3w.pipeline.calibrate_cli import calibrate as command


def scores(matched, mismatched, model="m"):
    return Scores(matched=np.array(matched), mismatched=np.array(mismatched), model_id=model)


SEEN = scores([0.9, 0.8, 0.7, 0.3], [0.6, 0.3, 0.2, 0.1])


def table(folder, rows, images):
    with tarfile.open(folder / "set.tar", "w") as tar:
        for name, data in images.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    path = folder / "set.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


class Palette:
    """Images are their mean colour, texts the colours that they name."""

    model_id = "palette"

    def encode_images(self, images):
        means = [np.asarray(image, dtype=np.float32).mean((0, 1)) for image in images]
        return torch.nn.functional.normalize(torch.tensor(np.array(means)), dim=-1)

    def encode_texts(self, texts):
        rows = [[float(name in text) for name in ("red", "lime", "blue")] for text in texts]
        return torch.nn.functional.normalize(torch.tensor(rows), dim=-1)


def plain(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), colour).save(buffer, "PNG")
    return buffer.getvalue()


COLOURS = [
    Captioned(data=plain(name), captions=(f"a {name} wall", f"all {name}"))
    for name in ("red", "lime", "blue")
]


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    # 4 + 4 + 4 of the first three, 2 and a half of the last, of 16.
    assert calibrate.auc(SEEN) == pytest.approx(14.5 / 16)
    assert calibrate.auc(scores([1.0, 1.0], [0.0])) == 1.0
    assert calibrate.auc(scores([0.5, 0.5], [0.5, 0.5])) == 0.5
    assert calibrate.auc(scores([0.0], [1.0, 2.0])) == 0.0


@pytest.mark.parametrize(
    ("bound", "kept", "passed"),
    [(0.1, 1.0, 1.0), (0.3, 1.0, 0.5), (0.3001, 0.75, 0.25), (0.9, 0.25, 0.0), (0.91, 0.0, 0.0)],
)
def test_a_pair_at_the_bound_is_kept(bound, kept, passed):
    assert calibrate.effect(SEEN, bound) == Bound(bound=bound, kept=kept, passed=passed)


@pytest.mark.parametrize(
    ("recall", "bound"), [(1.0, 0.3), (0.76, 0.3), (0.75, 0.7), (0.5, 0.8), (0.01, 0.9)]
)
def test_the_highest_bound_of_a_recall(recall, bound):
    assert calibrate.for_recall(SEEN, recall).bound == bound


@pytest.mark.parametrize(
    ("passed", "bound"), [(1.0, 0.1), (0.5, 0.3), (0.3, 0.6), (0.25, 0.6), (0.2, 0.7), (0.0, 0.7)]
)
def test_the_lowest_bound_that_lets_no_more_through(passed, bound):
    assert calibrate.for_passed(SEEN, passed).bound == bound


def test_nothing_passes_above_everything():
    assert calibrate.for_passed(scores([0.1], [0.9]), 0.0) == Bound(
        bound=0.9001, kept=0.0, passed=0.0
    )


def test_the_best_bound_keeps_most_less_what_it_passes():
    # 0.7: three quarters and nothing; 0.3: everything and a half.
    assert calibrate.best(SEEN) == Bound(bound=0.7, kept=0.75, passed=0.0)


def test_an_equivalent_bound_keeps_as_much_as_the_reference_does():
    doubled = scores(SEEN.matched / 2, SEEN.mismatched / 2)

    known, kept, passed = calibrate.equivalent(doubled, SEEN, 0.65)

    assert known == Bound(bound=0.65, kept=0.75, passed=0.0)
    assert kept == Bound(bound=0.35, kept=0.75, passed=0.0)
    assert passed.bound == 0.35


def test_images_are_scored_with_their_captions_and_with_those_of_others():
    found = calibrate.score(COLOURS, Palette(), seed=0)

    assert found.matched == pytest.approx(np.ones(6))
    assert found.mismatched == pytest.approx(np.zeros(6))
    assert calibrate.auc(found) == 1.0


def test_the_same_seed_draws_the_same_pairs():
    mixed = [
        Captioned(data=plain(f"rgb({at * 20},{250 - at * 20},90)"), captions=(f"red {at}", f"{at}"))
        for at in range(12)
    ]
    first, again, other = (calibrate.score(mixed, Palette(), seed).mismatched for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_images_with_the_same_captions_have_no_mismatched_pairs():
    with pytest.raises(RecipeError, match="nothing is mismatched"):
        calibrate.score([Captioned(data=plain("red"), captions=("red",))] * 2, Palette(), 0)


def test_a_table_with_its_tar_is_read_in_order(tmp_path):
    rows = [{"image": f"{n}.png", "captions": [n]} for n in ("red", "lime", "blue")]
    path = table(tmp_path, rows, {f"{n}.png": plain(n) for n in ("red", "lime", "blue")})

    assert [item.captions for item in calibrate.read_pairs(path)] == [
        ("red",),
        ("lime",),
        ("blue",),
    ]
    assert calibrate.read_pairs(path)[1].data == plain("lime")
    assert len(calibrate.read_pairs(path, limit=2)) == 2


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"image": "c.png", "captions": ["x"]}, "line 2: no image 'c.png'"),
        ({"image": "a.png"}, "line 2: expected"),
        ({"image": "a.png", "captions": []}, "line 2: expected"),
        (["a.png"], "line 2: expected"),
    ],
)
def test_a_line_of_another_form_is_one_line(row, message, tmp_path):
    path = table(tmp_path, [{"image": "a.png", "captions": ["x"]}, row], {"a.png": plain("red")})
    with pytest.raises(InputError, match=message) as caught:
        calibrate.read_pairs(path)
    assert "\n" not in str(caught.value)


def test_no_tar_and_one_image_are_refused(tmp_path):
    path = table(tmp_path, [{"image": "a.png", "captions": ["x"]}], {"a.png": plain("red")})
    with pytest.raises(InputError, match="1 images with captions, expected two"):
        calibrate.read_pairs(path)
    (tmp_path / "set.tar").unlink()
    with pytest.raises(InputError, match=r"with set\.tar: not readable"):
        calibrate.read_pairs(path)


@pytest.mark.torch
def test_the_command_prints_a_line_that_a_profile_takes(tmp_path, image_bytes):
    images = {f"{at}.png": image_bytes(64, 64, seed=at) for at in range(3)}
    rows = [{"image": name, "captions": [f"picture {name}"]} for name in images]
    path = str(table(tmp_path, rows, images))

    result = CliRunner().invoke(
        command, [path, "--model", "lit", "--reference", "lit=-1", "--json"], catch_exceptions=False
    )

    found = json.loads(result.stdout)
    assert (found["images"], found["pairs"]) == (3, 3)
    assert found["reference"] == {"bound": -1.0, "kept": 1.0, "passed": 1.0}
    assert found["same_kept"]["kept"] == 1.0
    bounds = tomllib.loads(found["profile"])["similarity"]["bounds"]
    assert bounds == {"lit": found["same_kept"]["bound"]}


@pytest.mark.parametrize("value", ["lit", "lit=high", "lit=2", "=0.1"])
def test_a_reference_that_is_no_model_with_a_bound_is_refused(value, tmp_path):
    path = table(tmp_path, [], {})
    with pytest.raises(RecipeError) as caught:
        CliRunner().invoke(
            command, [str(path), "--model", "lit", "--reference", value], catch_exceptions=False
        )
    assert "\n" not in str(caught.value)


@pytest.mark.real
@pytest.mark.torch
def test_lit_tells_its_own_captions_from_others_on_unseen_photographs(realdata):
    from openm3w.trainer.encoders import load_similarity

    pairs = calibrate.read_pairs(realdata / "flickr8k" / "test.jsonl")
    found = calibrate.score(pairs, load_similarity("lit"), seed=0)

    assert (len(pairs), len(found.matched), len(found.mismatched)) == (300, 1500, 1500)
    assert calibrate.auc(found) >= 0.95
