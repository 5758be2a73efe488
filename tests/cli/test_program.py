"""The program as people and scripts meet it: exit codes, JSON, help, workspaces, closed pipes, interruptions."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import click
import numpy as np
import pytest

from flaredb.cli.main import cli
from flaredb.phantom import Cohort
from flaredb.workspace import Workspace
from tests.cohorts import PROGRAM, SPACE, Done, content, environment, flaredb, process, scan, sets, write_files

QUERY = "SELECT * FROM case_facts"


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that call it."""
    found: list[tuple[tuple[str, ...], click.Command]] = []
    for name, command in sorted(group.commands.items()):
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
        else:
            found.append(((*path, name), command))
    return found


COMMANDS = commands(cli)


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[" ".join(words) for words, _ in COMMANDS])
def test_every_command_has_help_with_an_example(words, command):
    """A command says what it does, ends with an example that calls it, and describes its options."""
    text = command.get_help(click.Context(command, info_name=" ".join(words)))
    (line,) = [line.strip() for line in text.splitlines() if line.strip().startswith("Example:")]
    assert f"flaredb {' '.join(words)}" in line
    assert command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option) and parameter.name not in ("help",):
            assert parameter.help or parameter.metavar or isinstance(parameter.type, click.Choice), parameter.name


@pytest.mark.parametrize("words", [words for words, _ in COMMANDS], ids=" ".join)
def test_examples_parse(words):
    """Every option named in an example is one that its command has."""
    command = dict(COMMANDS)[words]
    assert command.epilog
    known = {name for parameter in command.params for name in parameter.opts + parameter.secondary_opts}
    used = {word for word in command.epilog.partition(" | ")[0].split() if word.startswith("-") and word != "-w"}
    assert used <= known


def test_help_loads_nothing_heavy():
    """`--help` imports no torch, no monai and no SQLAlchemy."""
    code = (
        "import sys; sys.argv = ['flaredb', 'train', '--help']\n"
        "from flaredb.cli import main\n"
        "try: main()\n"
        "except SystemExit as leave:\n"
        "    print(leave.code, [m for m in ('torch', 'monai', 'sqlalchemy') if m in sys.modules])"
    )
    out = subprocess.run([PROGRAM.with_name("python"), "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines()[-1] == "0 []"


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("sql", QUERY),
        ("log",),
        ("finding", "list"),
        ("case", "list"),
        ("case", "show", "FLARE23_0001"),
        ("source", "list"),
        ("source", "show", "flare21"),
        ("label", "list", "FLARE23Ts_0001"),
        ("label", "show", "FLARE23Ts_0001@flare23"),
        ("label", "current"),
        ("label", "explain", "FLARE23Ts_0001"),
        ("label", "diff", "FLARE23Ts_0001@flare23", "FLARE23Ts_0001@flare21"),
        ("label", "agreement", "--source", "organ/1"),
        ("label", "lineage", "FLARE23Ts_0001@organ/1"),
        ("label", "lineage", "flare23", "--down"),
        ("label", "current", "--round", "organ/1"),
        ("policy", "show"),
        ("snapshot", "list"),
        ("du",),
        ("log", "--since", "2023-05-07", "--case", "FLARE23_0001"),
        ("fsck", "--history"),
        ("source", "withdraw", "flare21", "--why", "x"),
        ("label", "withdraw", "FLARE23_0001@flare23", "--why", "x"),
        ("case", "purge", "FLARE23_0001", "--why", "x"),
        ("model", "list"),
        ("model", "show", "latest:organ"),
        ("round", "list"),
        ("round", "show", "organ/1"),
        ("fsck",),
        ("gc",),
        ("evaluate", "--source", "organ/1"),
        ("compare", "organ/1", "flare21"),
    ],
    ids=" ".join,
)
def test_json_is_one_document(judged, command):
    """With `--json` stdout holds one JSON document and stderr nothing; without it, something for people."""
    done = flaredb(*command, workspace=judged)
    assert (done.code, done.err) == (0, "")
    document = done.json
    if command[-1] == "list":
        assert all("name" in row or "id" in row for row in document)
    if "withdraw" in command or "purge" in command:
        assert set(document) == {"operation", "ids", "added", "unchanged", "failed", "findings", "would"}
        assert (document["operation"], document["added"]) == (None, 0)
        assert set(document["would"]["tainted"]) == {"labels", "snapshots", "models", "rounds"}
        assert document["would"]["tainted"]["rounds"] == ["organ/1"]
    if "lineage" in command:
        assert set(document) == {"nodes", "edges"}
        assert {node["type"] for node in document["nodes"]} == {"label", "model", "snapshot", "source"}
    if command[0] == "round" and command[1] == "show":
        assert set(document) >= {"round", "task", "state", "snapshot", "model", "gate", "events"}
    if command[0] == "evaluate":
        assert set(document) >= {"protocol", "cases", "mean", "organ_mean", "tumor"}


def test_tables_for_people(judged):
    """Without `--json` the same commands print text without colour, and an empty listing nothing on stdout."""
    for command in (("status",), ("round", "show", "organ/1"), ("label", "current"), ("sql", QUERY)):
        done = process("-w", judged, *command)
        assert (done.code, done.err) == (0, "")
        assert done.out.strip()
        assert "\x1b" not in done.out
    nothing = process("-w", judged, "finding", "list")
    assert (nothing.code, nothing.out) == (0, "")


def test_what_would_be_done_is_told_to_people(filled, tmp_path):
    """Without `--yes` a withdrawal says that nothing was changed, with `--yes` what was; both say what it taints."""
    shutil.copytree(filled, tmp_path / "w")
    asked = process("-w", tmp_path / "w", "source", "withdraw", "flare21", "--why", "licence")
    assert "nothing was changed" in asked.out
    assert "tainted" in asked.out
    done = process("-w", tmp_path / "w", "source", "withdraw", "flare21", "--why", "licence", "--yes")
    assert "nothing was changed" not in done.out
    assert "1 added" in done.out
    assert "tainted" in done.out


def test_a_query_has_its_own_json_option(judged):
    """`sql --json` prints a list of objects, with parameters filled in."""
    query = 'SELECT "case", slices FROM case_facts WHERE split = :split'
    done = process("-w", judged, "sql", query, "-p", "split=test", "--json")
    (row,) = done.json
    assert (row["case"], done.err) == ("FLARE23Ts_1001", "")


EXITS = [
    (2, ("train",)),
    (2, ("evaluate",)),
    (2, ("no-such-command",)),
    (2, ("case", "show")),
    (2, ("train", "--task", "organ", "--set", "steps")),
    (3, ("case", "show", "FLARE23_9999")),
    (3, ("label", "explain", "nobody")),
    (3, ("label", "show", "FLARE23_0001@nobody")),
    (3, ("label", "show", "x")),
    (3, ("model", "show", "m-nothing")),
    (3, ("snapshot", "show", "s-nothing")),
    (3, ("round", "show", "organ/7")),
    (3, ("round", "advance", "organ/7")),
    (3, ("source", "accept", "nobody", "--why", "x")),
    (3, ("source", "accept", "flare21", "--structures", "lever", "--why", "x")),
    (3, ("ingest", "images", "/no/such/path")),
    (3, ("predict", "--model", "latest:tumor")),
    (3, ("train", "--task", "organ", "--snapshot", "s-nothing", "--preset", "tiny")),
    (3, ("train", "--task", "organ", "--from", "m-nothing", "--preset", "tiny")),
    (3, ("source", "show", "nobody")),
    (3, ("source", "withdraw", "nobody", "--why", "x")),
    (3, ("label", "withdraw", "FLARE23_0001@nobody", "--why", "x", "--yes")),
    (3, ("label", "lineage", "nobody")),
    (3, ("label", "agreement", "--source", "nobody")),
    (3, ("label", "current", "--as-of", "2001-01-01")),
    (3, ("case", "purge", "nobody", "--why", "x")),
    (3, ("case", "purge", "--patient", "nobody", "--why", "x")),
    (3, ("case", "rename", "nobody", "x")),
    (3, ("snapshot", "diff", "s-nothing", "current")),
    (3, ("snapshot", "export", "s-nothing", "x.json")),
    (3, ("policy", "diff", "no-such-file.toml")),
    (3, ("finding", "ack", "99", "--why", "x")),
    (3, ("log", "--case", "nobody")),
    (4, ("init", ".")),
    (4, ("case", "rename", "FLARE23_0001", "FLARE23_0002")),
    (4, ("case", "same", "FLARE23_0001", "FLARE23Ts_0001")),
    (4, ("label", "diff", "FLARE23_0001@organ/1", "FLARE23_0002@organ/1")),
    (5, ("label", "current", "--as-of", "soon")),
    (5, ("log", "--since", "soon")),
    (5, ("case", "rename", "FLARE23_0001", "a/b")),
    (4, ("round", "start", "--task", "organ", "--preset", "tiny")),
    (4, ("round", "advance", "organ/1")),
    (4, ("round", "promote", "organ/1", "--why", "x")),
    (4, ("round", "rollback", "organ/1", "--why", "x")),
    (5, ("case", "list", "--where", "nonsense here")),
    (5, ("sql", "SELECT * FROM nothing")),
    (5, ("sql", "SELECT :value")),
    (5, ("train", "--task", "organ", "--preset", "tiny", "--set", "nothing=1")),
    (5, ("evaluate", "--source", "flare21", "--split", "test")),
]


@pytest.mark.parametrize(("code", "command"), EXITS, ids=[" ".join(command) for _, command in EXITS])
def test_errors_have_their_exit_codes(judged, monkeypatch, code, command):
    """A mistake has its exit code, one line on stderr and no traceback; refusals are a JSON document too."""
    monkeypatch.chdir(judged)
    done = flaredb(*command, workspace=judged)
    assert done.code == code, done.err
    assert "Traceback" not in done.err
    assert "a fault in flaredb" not in done.err
    if code == 2:
        assert done.err.strip()
    else:
        (line,) = done.err.strip().splitlines()
        assert line.startswith("flaredb: ")
        assert set(done.json) == {"error", "findings"}
        assert done.json["error"] in line


def test_a_usage_error_is_json_too():
    """A script that asked for JSON gets one document also when it misspelt a command."""
    done = flaredb("no-such-command")
    assert done.code == 2
    assert "no-such-command" in json.dumps(done.json)


def test_failed_items_are_exit_1(filled, tmp_path):
    """Done, with items that failed, is exit 1; the document says how many."""
    shutil.copytree(filled, tmp_path / "w")
    (tmp_path / "bad.nii.gz").write_bytes(b"nothing")
    done = flaredb("ingest", "images", tmp_path / "bad.nii.gz", workspace=tmp_path / "w")
    assert (done.code, done.json["failed"], done.json["added"]) == (1, 1, 0)


def test_damaged_storage_is_exit_6(filled, tmp_path):
    """A volume that is gone, or a catalogue of another schema, is exit 6 with the repair named."""
    shutil.copytree(filled, tmp_path / "w")
    shutil.rmtree(tmp_path / "w" / "volumes" / "images")
    assert flaredb("fsck", workspace=tmp_path / "w").code == 6
    done = flaredb("export", "nifti", tmp_path / "out", workspace=tmp_path / "w")
    assert done.code == 6
    assert "backup" in done.json["error"]
    with Workspace.open(tmp_path / "w") as workspace, workspace.catalog.writer() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    done = flaredb("status", workspace=tmp_path / "w")
    assert done.code == 6
    assert "newer flaredb" in done.json["error"]


def test_a_fault_of_ours_is_exit_70(judged, monkeypatch):
    """An unexpected exception is one line and exit 70, and a traceback with `--debug`."""
    monkeypatch.setattr("flaredb.workflow.status.status", lambda workspace: 1 / 0)
    done = flaredb("status", workspace=judged)
    assert done.code == 70
    assert "ZeroDivisionError" in done.err
    with pytest.raises(ZeroDivisionError):
        flaredb("--debug", "status", workspace=judged)


def test_interruption_is_exit_130(tmp_path):
    """Ctrl-C during an import ends with exit 130 and a word on how to go on, and the same command then completes."""
    space = type(SPACE)((160, 160, 80), SPACE.affine, "int16", SPACE.pixdim)
    for number in range(10):
        scan(tmp_path / "images" / f"c{number:02d}.nii.gz", number, space)
    root = tmp_path / "w"
    Workspace.create(root).close()
    command = [PROGRAM, "-w", root, "--json", "ingest", "images", tmp_path / "images"]
    # Where the tests run in the background, the shell has them ignore the signal, and so would what they start.
    running = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(root, running)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130, err
    assert "the same command again" in err
    assert "Traceback" not in err
    again = flaredb("ingest", "images", tmp_path / "images", workspace=root)
    assert again.code == 0
    assert again.json["added"] + again.json["unchanged"] == 10
    assert again.json["added"] > 0
    assert flaredb("fsck", "--voxels", workspace=root).json["problems"] == []


def wait_for(root: Path, running: subprocess.Popen[str]) -> None:
    """Wait until the first volume is there."""
    limit = time.monotonic() + 60
    while not list((root / "volumes" / "images").glob("*/*")):
        assert running.poll() is None
        assert time.monotonic() < limit
        time.sleep(0.005)


@pytest.mark.parametrize(("encoding", "shown"), [("ascii", "? A ?"), ("latin-1", "? A é"), ("utf-8", "→ A é")])
def test_a_terminal_that_lacks_a_letter_is_no_fault(judged, encoding, shown):
    """What a terminal cannot show is `?`; JSON keeps it, whatever the terminal."""
    query = ["-w", judged, "sql", "SELECT '→ A é' AS said"]
    env = environment(PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    told = subprocess.run([PROGRAM, *query], capture_output=True, env=env)
    assert told.returncode == 0, told.stderr
    assert shown in told.stdout.decode(encoding)
    document = subprocess.run([PROGRAM, "--json", *query], capture_output=True, env=env, check=True)
    assert json.loads(document.stdout.decode(encoding))[0] == {"said": "→ A é"}


@pytest.mark.parametrize("command", ["sql", "--json sql"])
def test_a_closed_pipe_is_quiet(judged, command):
    """`flaredb … | head -1` gets its line, and nobody hears of the rest."""
    query = "SELECT a.label, b.structure FROM label_provenance a, label_provenance b LIMIT 4000"
    line = f"{PROGRAM} -w {judged} {command} '{query}' | head -1; echo ${{PIPESTATUS[0]}} >&2"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert len(ran.stdout.splitlines()) == 1
    assert ran.stderr.strip() in ("0", "141")


def test_the_workspace_is_found_upward(judged, tmp_path, monkeypatch):
    """Without `-w` the environment names the workspace, else the nearest folder upward that is one."""
    deep = judged / "volumes" / "images"
    monkeypatch.chdir(deep)
    assert flaredb("status").json["cases"] == 11
    monkeypatch.chdir(tmp_path)
    done = flaredb("status")
    assert done.code == 3
    assert "flaredb init" in done.json["error"]
    monkeypatch.setenv("FLAREDB_WORKSPACE", str(judged))
    assert flaredb("status").json["cases"] == 11
    with Workspace.create(tmp_path / "other"):
        pass
    assert flaredb("status", workspace=tmp_path / "other").json["cases"] == 0
    monkeypatch.chdir(tmp_path / "other")
    assert flaredb("status").json["cases"] == 11


@pytest.mark.parametrize("name", ["a b", "ü", "50% off", "what?", "a#b", "a:b", "-w"])
def test_a_moved_workspace_works(filled, tmp_path, monkeypatch, name):
    """A workspace works under any folder name, and relative to the current folder."""
    shutil.copytree(filled, tmp_path / "first")
    (tmp_path / "first").rename(tmp_path / name)
    done = flaredb("status", workspace=tmp_path / name)
    assert (done.code, done.json and done.json.get("cases")) == (0, 11), done.err
    monkeypatch.chdir(tmp_path)
    done = flaredb("fsck", workspace=Path(f"./{name}"))
    assert (done.code, done.json["problems"]) == (0, [])


def test_nothing_absolute_is_stored(judged, filled, files):
    """No file of a workspace names the folder it is in, or the one that was imported."""
    for root in (judged, filled):
        for file in root.rglob("*"):
            if file.is_file() and file.suffix in (".toml", ".json", ".db", ".db-wal"):
                data = file.read_bytes()
                assert str(root).encode() not in data, file
                assert str(files.parent).encode() not in data, file


WRITES = [
    "INSERT INTO patients(key) VALUES ('x')",
    "DELETE FROM labels",
    "UPDATE cases SET split = 'test'",
    "DROP TABLE scores",
    "DROP VIEW coverage",
    "CREATE TABLE x(y)",
    "CREATE TEMP TABLE x(y)",
    "ATTACH DATABASE 'other.db' AS other",
    "PRAGMA writable_schema = 1",
    "PRAGMA query_only = OFF",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 7",
    "VACUUM",
    "VACUUM INTO 'copy.db'",
    "SELECT 1; DELETE FROM labels",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT x",
    "WITH x AS (SELECT 1) DELETE FROM labels",
    "REINDEX",
    "",
    "/* nothing */",
]


@pytest.mark.parametrize("query", WRITES)
def test_sql_cannot_write(filled, tmp_path, monkeypatch, query):
    """Whatever is no query is refused as invalid, leaves no file, and changes nothing, now or for a query after it."""
    shutil.copytree(filled, tmp_path / "w")
    monkeypatch.chdir(tmp_path)
    with Workspace.open(tmp_path / "w") as workspace:
        before = content(workspace)
        done = flaredb("sql", query, workspace=workspace.root)
        assert done.code == 5, (done.out, done.err)
        for follower in (query, "DELETE FROM labels", "DELETE FROM label_structures RETURNING label_id"):
            with pytest.raises(Exception, match=r"SQL|quer"):
                workspace.sql(follower)
        assert content(workspace) == before
    assert sorted(os.listdir(tmp_path)) == ["w"]
    assert flaredb("fsck", workspace=tmp_path / "w").json["problems"] == []


def test_where_cannot_write(filled):
    """A condition cannot smuggle a second statement in."""
    done = flaredb("case", "list", "--where", "1=1); DELETE FROM labels; --", workspace=filled)
    assert done.code == 5
    assert flaredb("status", workspace=filled).json["labels"] == 18


def test_queries_may_hold_colons(filled):
    """Times and text with colons in a query are text."""
    done = flaredb("sql", "SELECT ':a' AS x, '12:30' AS y", workspace=filled)
    assert done.code == 0, done.err
    assert done.json == [{"x": ":a", "y": "12:30"}]


def test_a_query_can_ask_for_anything_json_can_say(filled):
    """Numbers, text and nothing come out as JSON values."""
    (row,) = flaredb("sql", "SELECT 1 AS i, 0.5 AS f, 'é' AS t, NULL AS n", workspace=filled).json
    assert row == {"i": 1, "f": 0.5, "t": "é", "n": None}


def test_who_did_it_is_kept(filled, tmp_path):
    """`--by` names the actor in the log; the log names the command and how it ended."""
    shutil.copytree(filled, tmp_path / "w")
    place = ("-w", tmp_path / "w")
    assert flaredb("--by", "Ada", *place, "source", "revoke", "flare21", "--why", "licence").code == 0
    row = flaredb(*place, "log", "-n", 1).json[0]
    assert (row["actor"], row["command"], row["outcome"]) == ("Ada", "source revoked", "done")
    assert "licence" in json.dumps(row["arguments"])


def train_and_predict(root: Path) -> tuple[Done, Done]:
    made = flaredb("train", "--task", "organ", "--preset", "tiny", *sets(steps=2), "--device", "cpu", workspace=root)
    return made, flaredb("predict", "--model", "latest:organ", "--where", "split = 'test'", "--tta", workspace=root)


def test_train_and_predict(filled, tmp_path):
    """Training prints model, snapshot and losses; prediction makes labels and a second time none."""
    root = tmp_path / "w"
    shutil.copytree(filled, root)
    made, predicted = train_and_predict(root)
    assert set(made.json) >= {"operation", "ids", "model", "snapshot", "steps", "losses"}
    assert (made.json["steps"], len(made.json["losses"])) == (2, 2)
    assert all(np.isfinite(made.json["losses"]))
    assert predicted.json["added"] == 1
    again = flaredb("predict", "--model", made.json["model"], "--where", "split = 'test'", workspace=root)
    assert (again.json["added"], again.json["unchanged"]) == (0, 1)
    scored = flaredb("evaluate", "--model", made.json["model"], "--split", "test", workspace=root)
    assert len(scored.json["cases"]) == 1


def test_the_program_runs_by_itself(tmp_path):
    """In a process of its own, from init to an import and a listing."""
    write = write_files(tmp_path / "files", Cohort(0, 1, 0, 0, (12, 12, 12)))
    (folder,) = [f for f in (write / "imagesTr2200", write / "unlabeledTr1800") if f.exists()]
    env = environment()
    assert process("init", tmp_path / "w", env=env).code == 0
    done = process("-w", tmp_path / "w", "ingest", "images", folder, env=env)
    assert (done.code, done.err) == (0, "layout flare23: 1 found\n")
    assert "1 added" in done.out
    assert process("--version", env=env).out.startswith("flaredb")
