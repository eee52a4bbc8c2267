import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from openm3w import cli as front
from openm3w.cli import COMMANDS, PLANNED, cli, main
from openm3w.shards.cli import shards


def _commands(group, path=()):
    """Every command below a group, with the words that lead to it."""
    context = click.Context(group, info_name="m3w")
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


ALL = dict(_commands(cli))
LEAVES = [
    path
    for path, command in ALL.items()
    if not isinstance(command, click.Group)
    and not command.get_short_help_str(100).startswith("Planned:")
]


def run(capsys, *arguments):
    """Exit code, standard output and standard error of `m3w ARGUMENTS`."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    shown = capsys.readouterr()
    return stop.value.code, shown.out, shown.err


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_help_of_every_command_has_an_example(capsys, path):
    code, out, _ = run(capsys, *path, "--help")
    assert code == 0
    # The usage line is the first; an example is another line with the command.
    assert f"m3w {' '.join(path)}" in out.partition("\n\n")[2]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_a_summary(path):
    assert ALL[path].get_short_help_str(100)


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_planned_commands_are_refused_in_one_line(capsys, name):
    code, out, err = run(capsys, name)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert f"`m3w {name}`" in err
    assert "is planned" in err


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_planned_commands_are_refused_with_arguments_too(capsys, name):
    code, _, err = run(capsys, name, "somewhere", "--option")
    assert code == 2
    assert "is planned" in err


def test_no_command_is_both_built_and_planned():
    assert not COMMANDS.keys() & PLANNED.keys()


def test_the_list_of_commands_shows_what_is_built_and_what_is_planned(capsys):
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for name in (*COMMANDS, *PLANNED):
        assert name in out


def test_version(capsys):
    code, out, _ = run(capsys, "--version")
    assert (code, out.strip()) == (0, f"m3w, version {front.__version__}")


MISTAKES = {
    "unknown command": (
        ("biuld",),
        2,
        "No such command 'biuld' (did you mean 'build'?); see m3w --help",
    ),
    "command of no likeness": (("qqq",), 2, "m3w: No such command 'qqq'; see m3w --help"),
    "unknown command of a group": (
        ("captions", "bild"),
        2,
        "No such command 'bild'. Did you mean 'build'? See m3w captions --help",
    ),
    "unknown option": (("view", "x", "--colour"), 2, "No such option"),
    "no arguments": (("build",), 2, "Missing argument 'RECIPE'; see m3w build --help"),
    "missing choice": (("captions", "import", "x", "-o", "y"), 2, "alt-text, caption; see m3w"),
    "no such input": (
        ("build", "openm3w", "--input", "{tmp}/no.warc.gz", "--output", "{tmp}/out"),
        1,
        "no such file or folder",
    ),
    "empty input": (
        ("build", "openm3w", "--input", "{tmp}/empty.warc.gz", "--output", "{tmp}/out"),
        1,
        "the file is empty",
    ),
    "no web archive": (
        ("build", "openm3w", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
        1,
        "not a WARC",
    ),
    "unknown recipe": (
        ("build", "openm3", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
        2,
        "did you mean 'openm3w'?",
    ),
    "unknown recipe key": (
        (
            *("build", "openm3w", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
            *("--set", "scores.modle=lit"),
        ),
        2,
        "did you mean 'model'?",
    ),
    "unknown key in a recipe file": (
        ("build", "{tmp}/bad.toml", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
        2,
        "did you mean 'profile'?",
    ),
    "recipe that is no TOML": (
        ("build", "{tmp}/notes.txt", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
        2,
        "not valid TOML",
    ),
    "planned runner": (
        (
            *("build", "openm3w", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
            *("--runner", "dataflow"),
        ),
        2,
        "planned and not built yet",
    ),
    "images of the web without a contact": (
        (
            *("build", "openm3w", "--input", "{tmp}/notes.txt", "--output", "{tmp}/out"),
            "--fetch",
        ),
        2,
        "by --contact",
    ),
    "remote archive": (
        ("build", "openm3w", "--input", "s3://bucket/x.warc.gz", "--output", "{tmp}/out"),
        2,
        "not built yet",
    ),
    "viewing nothing": (("view", "{tmp}/nothing"), 1, "nothing"),
    "viewing no manifest": (("view", "{tmp}/notes.txt"), 1, "notes.txt"),
    "verifying nothing": (("shards", "verify", "{tmp}/nothing"), 1, "nothing"),
    "report of nothing": (("report", "{tmp}/nothing"), 1, "nothing"),
    "caption table that is not there": (
        ("captions", "build", "{tmp}/no.parquet", "--output", "{tmp}/out"),
        1,
        "no such file or folder",
    ),
    "text that is not there": (
        ("text", "build", "{tmp}/no.jsonl", "--output", "{tmp}/out"),
        1,
        "no such file or folder",
    ),
    "training on nothing": (("train", "kosmos1-tiny", "--data", "{tmp}/nothing"), 1, "nothing"),
    "unknown training recipe": (
        ("train", "kosmos1-tny", "--data", "{tmp}/nothing"),
        2,
        "did you mean 'kosmos1-tiny'?",
    ),
    "unknown training key": (
        ("train", "kosmos1-tiny", "--data", "{tmp}/nothing", "--set", "optimizer.lrr=1"),
        2,
        "did you mean 'lr'?",
    ),
    "picture that is not there": (
        ("generate", "{tmp}/nothing", "--image", "{tmp}/no.jpg"),
        1,
        "no such file",
    ),
    "unknown profile": (("profiles", "show", "kosmos"), 2, "kosmos1"),
    "extracting nothing": (
        ("extract", "{tmp}/no.warc.gz", "--output", "{tmp}/docs.jsonl"),
        1,
        "no such file or folder",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_users_mistake_is_one_line_and_no_traceback(capsys, tmp_path, name):
    (tmp_path / "empty.warc.gz").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("Remember the milk, and the eggs.\n")
    (tmp_path / "bad.toml").write_text('name = "bad"\nprofil = "openm3w"\n')
    arguments, code, words = MISTAKES[name]
    found, out, err = run(capsys, *(part.replace("{tmp}", str(tmp_path)) for part in arguments))
    assert found == code, err
    assert "Traceback" not in out + err
    assert words in err
    assert err.startswith("m3w: ")
    assert err.count("\n") == 1


def test_a_group_without_a_command_shows_its_help(capsys):
    code, _, err = run(capsys, "captions")
    assert (code, err.splitlines()[0]) == (2, "Usage: m3w captions [OPTIONS] COMMAND [ARGS]...")


def test_the_help_says_of_a_command_what_its_own_help_begins_with():
    for group in (cli, shards):
        for name, said in group.lazy.items():
            command = group.get_command(click.Context(group), name)
            assert command.get_short_help_str(90) == said.summary


def test_the_list_of_commands_imports_none_of_them():
    code = """
import atexit, sys
from openm3w import cli
heavy = {lazy.where.partition(":")[0] for lazy in cli.COMMANDS.values()} | {"apache_beam", "torch"}
atexit.register(lambda: print("imported", sorted(heavy & set(sys.modules))))
cli.main(["--help"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("imported []\n")


def test_the_package_runs_as_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "openm3w", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("m3w")


@pytest.mark.parametrize("module", ["captions.cli", "text.cli", "cli", "fetch.cli"])
def test_commands_begin_without_torch(module):
    code = f"import sys, openm3w.pipeline.{module}; print(*{{'torch'}} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


def test_the_viewer_starts_without_beam_and_torch():
    code = "import sys, openm3w.shards.cli; print(*{'torch', 'apache_beam'} & set(sys.modules))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("build", "interrupted; the same command again goes on where it stopped"),
        ("wait", "interrupted"),
    ],
)
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_a_command_with_one_line(number, code, name, words):
    script = (
        # Whoever runs the tests in the background may have had these ignored for all of them.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        "import sys, time, types, click; from openm3w import cli;"
        "waiting = types.ModuleType('waiting');"
        "waiting.wait = click.command()(lambda: (click.echo('ready'), time.sleep(60)));"
        f"sys.modules['waiting'] = waiting; cli.COMMANDS[{name!r}] = cli.Lazy('waiting:wait', '');"
        f"cli.main([{name!r}])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)

    assert process.returncode == code
    assert errors.strip() == f"m3w: {words}"


@pytest.mark.parametrize("arguments", [["--help"], ["filters", "list"], ["biuld"]])
def test_a_reader_that_is_gone_ends_a_command_without_a_word(arguments):
    reader, writer = os.pipe()
    os.close(reader)

    command = [sys.executable, "-m", "openm3w.cli", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=writer, timeout=60, check=False)
    os.close(writer)

    assert done.returncode == 141


def test_a_full_device_is_no_reader_that_is_gone():
    command = [sys.executable, "-m", "openm3w.cli", "--help"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 1
    assert done.stderr == "m3w: standard output or a file: No space left on device\n"
