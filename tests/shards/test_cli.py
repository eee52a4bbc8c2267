import json
import os
import pty
import select
import subprocess
import sys

import pytest
from click.testing import CliRunner

from openm3w.cli import cli, main
from openm3w.errors import InputError, OutputError
from openm3w.shards.commands.listing import _pretty


def m3w(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments], catch_exceptions=False)


def test_ls_lists_shards_and_sums(dataset):
    written = dataset()
    lines = m3w("shards", "ls", written.root).output.splitlines()
    assert lines[0].startswith("test set (interleaved), ")
    assert lines[2].split() == [
        "data/train-000000.tar",
        "train",
        "3",
        "4",
        str(written.shards[0].characters),
        f"{written.shards[0].filesize:,}",
    ]
    assert lines[-1].split()[:3] == ["all", "6", "8"]


def test_ls_json_is_one_entry_for_each_dataset(dataset, tmp_path):
    m3w(
        "shards",
        "join",
        dataset("a").root,
        dataset("b", kind="text", start=50).root,
        "--output",
        tmp_path / "m.json",
    )
    value = json.loads(m3w("shards", "ls", tmp_path / "m.json", "--json").output)
    assert [(d["kind"], d["nsamples"], len(d["shards"])) for d in value] == [
        ("interleaved", 6, 3),
        ("text", 6, 3),
    ]


def test_show_prints_the_json_as_stored_and_for_people(dataset, sample):
    written = dataset()
    raw = m3w("shards", "show", written.root, "2", "--json").output
    assert json.loads(raw)["metadata"]["doc_id"] == sample(1).key
    text = m3w("shards", "show", written.root, sample(1).key).output
    assert f"{sample(1).key}.001.jpg" in text
    assert '"doc_id"' in text


def test_stats_prints_counts_and_json(dataset):
    written = dataset()
    assert "6 samples, 8 images" in m3w("shards", "stats", written.root).output
    value = json.loads(m3w("shards", "stats", written.root, "--split", "val", "--json").output)
    assert value["samples"] == 1


@pytest.mark.parametrize("options", [[], ["--quick"]])
def test_verify_says_ok_with_counts(dataset, options):
    result = m3w("shards", "verify", dataset().root, *options)
    assert result.exit_code == 0
    assert result.output.startswith("ok: 3 shards, 6 samples, 8 images")


def test_one_of_a_kind_is_told_as_one(dataset, tmp_path):
    one = dataset("one", sizes=[("train", 1)]).root
    assert m3w("shards", "verify", one).output.startswith("ok: 1 shard, 1 sample, ")
    joined = m3w("shards", "join", one, "--output", tmp_path / "mix.json")
    assert "1 dataset, 1 sample\n" in joined.output


def test_verify_prints_a_line_for_each_fault_and_fails(dataset):
    written = dataset()
    for shard in written.shards[:2]:
        (written.root / shard.url).unlink()
    result = m3w("shards", "verify", written.root)
    assert result.exit_code == 1
    assert result.stdout.count("missing") == 2
    assert "2 faults" in result.stderr
    value = json.loads(m3w("shards", "verify", written.root, "--json").output)
    assert len(value["faults"]) == 2


def test_join_writes_once_and_then_says_that_nothing_changed(dataset, tmp_path):
    one, two = dataset("a").root, dataset("b", kind="text", start=50).root
    arguments = ["shards", "join", one, two, "--output", tmp_path / "mix.json"]
    assert "2 datasets, 12 samples" in m3w(*arguments).output
    before = (tmp_path / "mix.json").stat().st_mtime_ns
    assert "nothing changed" in m3w(*arguments).output
    assert (tmp_path / "mix.json").stat().st_mtime_ns == before
    assert json.loads((tmp_path / "mix.json").read_bytes())["name"] == "mix"


def test_join_replaces_only_a_mixture_and_only_by_force(dataset, tmp_path):
    one, two = dataset("a").root, dataset("b", start=50).root
    m3w("shards", "join", one, "--output", tmp_path / "mix.json")
    with pytest.raises(OutputError, match="--force"):
        m3w("shards", "join", one, two, "--output", tmp_path / "mix.json")
    m3w("shards", "join", one, two, "--output", tmp_path / "mix.json", "--force")
    assert len(json.loads((tmp_path / "mix.json").read_bytes())["manifests"]) == 2
    manifest = (one / "manifest.json").read_bytes()
    with pytest.raises(OutputError, match="something else is there"):
        m3w("shards", "join", two, "--output", one / "manifest.json", "--force")
    assert (one / "manifest.json").read_bytes() == manifest


def test_join_takes_a_mixture_apart_and_refuses_a_dataset_twice(dataset, tmp_path):
    one, two = dataset("a").root, dataset("b", start=50).root
    m3w("shards", "join", one, "--output", tmp_path / "m1.json", "--name", "first")
    assert (
        "2 datasets"
        in m3w("shards", "join", tmp_path / "m1.json", two, "--output", tmp_path / "m2.json").output
    )
    with pytest.raises(InputError, match="named twice"):
        m3w("shards", "join", tmp_path / "m1.json", one, "--output", tmp_path / "m3.json")


@pytest.mark.parametrize(
    "command",
    [["shards", c] for c in ("ls", "show", "stats", "verify", "join")] + [["shards"], ["view"]],
)
def test_every_help_has_an_example_on_its_own_line(command):
    output = m3w(*command, "--help").output
    assert f"\n  m3w {' '.join(command)} " in output


@pytest.mark.parametrize("command", ["ls", "stats", "verify"])
def test_a_missing_manifest_is_one_line_on_standard_error(tmp_path, capsys, command):
    with pytest.raises(SystemExit) as stop:
        main(["shards", command, str(tmp_path / "nothing")])
    assert stop.value.code == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("m3w: ")
    assert captured.err.count("\n") == 1


def test_view_prints_one_document_where_there_is_no_terminal(dataset):
    written = dataset()
    output = m3w("view", written.root).output
    assert "Title 0" in output
    assert "1 of 6" in output
    assert "[picture 1: 64 x 48 of 128 x 96" in output
    assert "2 of 6" not in output


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        (["2"], [2]),
        (["--limit", "3"], [1, 2, 3]),
        (["5", "--limit", "9"], [5, 6]),
        (["--split", "val"], [1]),
    ],
)
def test_view_prints_as_many_as_asked_for(dataset, arguments, numbers):
    output = m3w("view", dataset().root, *arguments).output
    total = 1 if "--split" in arguments else 6
    assert [n for n in range(1, 7) if f"{n} of {total} ·" in output] == numbers


def test_view_of_a_mixture_says_where_a_sample_is_from(dataset, tmp_path):
    m3w(
        "shards",
        "join",
        dataset("a").root,
        dataset("b", kind="caption", start=50, name="pairs").root,
        "--output",
        tmp_path / "m.json",
    )
    assert "pairs (caption)" in m3w("view", tmp_path / "m.json", "7").output


def test_view_with_blocks_colours_a_pipe_too(dataset, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "▀" in m3w("view", dataset().root, "--images", "blocks").output
    monkeypatch.setenv("NO_COLOR", "1")
    assert "[picture 1" in m3w("view", dataset().root, "--images", "blocks").output


def test_view_writes_an_svg(dataset, tmp_path):
    result = m3w("view", dataset().root, "2", "--svg", tmp_path / "page.svg")
    assert "Title 1" in result.output
    assert (tmp_path / "page.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    "command", [["view"], ["shards", "ls"], ["shards", "verify"], ["shards", "stats"]]
)
def test_looking_loads_neither_beam_nor_torch(dataset, command):
    code = (
        "import sys; from openm3w.cli import main\n"
        f"try: main({[*command, str(dataset().root)]!r})\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "loaded = {'apache_beam', 'torch', 'numpy', 'pyarrow'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_view_prints_what_a_filter_finds(dataset):
    made = dataset()
    shown = m3w("view", made.root, "--plain", "--limit", "9", "--filter", "images:2")
    assert [line for line in shown.output.splitlines() if line.startswith("  Title")] == [
        "  Title 1",
        "  Title 4",
    ]
    with pytest.raises(InputError, match="no document is found by nosuch"):
        m3w("view", made.root, "--plain", "--filter", "nosuch")


def test_view_shows_what_was_dropped_beside_what_was_kept(dataset):
    made = dataset()
    with pytest.raises(InputError, match="no examples of what was left out"):
        m3w("view", made.root, "--plain", "--dropped")
    dataset("set.work/dropped/set-01234567", start=50, name="dropped by test")
    shown = m3w("view", made.root, "7", "--plain", "--dropped").output
    assert "Title 50" in shown
    assert "7 of 12" in shown


def test_view_on_a_terminal_pages_by_keys(dataset):
    written = dataset()
    parent, child = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "LINES": "30", "COLUMNS": "120"}
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "openm3w.cli", "view", str(written.root), "--images", "none"],
        stdin=child,
        stdout=child,
        stderr=child,
        env=environment,
    )
    os.close(child)
    try:
        read_until(parent, b"1 of 6 ")
        # Keys typed while a document is drawn are neither echoed nor lost.
        os.write(parent, b"nn")
        read_until(parent, b"3 of 6 ")
        os.write(parent, b"q")
        read_until(parent, b"\x1b[?1049l")
        assert process.wait(timeout=60) == 0
    finally:
        process.kill()
        process.wait()
        os.close(parent)


def read_until(descriptor, wanted):
    seen = b""
    while wanted not in seen:
        ready, _, _ = select.select([descriptor], [], [], 60)
        assert ready, f"{wanted!r} did not come; there was {seen!r}"
        seen += os.read(descriptor, 65536)


def test_faults_are_the_exit_code_of_the_command_line_itself(dataset, capsys):
    written = dataset()
    (written.root / written.shards[0].url).write_bytes(b"damage")
    with pytest.raises(SystemExit) as stop:
        main(["shards", "verify", str(written.root)])
    assert stop.value.code == 1
    assert "1 fault: " in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[" * 100_000, "{", ""])
def test_show_prints_json_that_does_not_decode_as_it_stands(text):
    assert _pretty(text) == text


def test_stats_refuse_a_split_that_is_not_there(dataset):
    with pytest.raises(InputError, match="split 'test'"):
        m3w("shards", "stats", dataset().root, "--split", "test")


def test_an_svg_replaces_only_an_svg(dataset, tmp_path):
    root, page = dataset().root, tmp_path / "page.svg"
    m3w("view", root, "1", "--svg", page)
    first = page.read_text()
    m3w("view", root, "2", "--svg", page)
    assert page.read_text() != first
    with pytest.raises(OutputError, match="something else than an SVG"):
        m3w("view", root, "1", "--svg", root / "manifest.json")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "every byte, sample and image"),
        (["--verify", "full"], "every byte"),
        (["--quick"], "sizes and indexes"),
        (["--verify", "quick"], "sizes and indexes"),
        (["--quick", "--verify", "quick"], "sizes and indexes"),
        (["--verify", "off"], "indexes"),
    ],
)
def test_verify_says_how_much_it_looked_at(dataset, options, said):
    root = dataset().root
    assert m3w("shards", "verify", root, *options).output == (
        f"ok: 3 shards, 6 samples, 8 images ({said})\n"
    )
    value = json.loads(m3w("shards", "verify", root, *options, "--json").output)
    assert (value["checked"], value["faults"]) == (said, [])


def test_verify_refuses_options_that_contradict_each_other(dataset):
    result = m3w("shards", "verify", dataset().root, "--quick", "--verify", "full")
    assert result.exit_code == 2
    assert "contradict each other" in str(result.output)
