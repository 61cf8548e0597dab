"""The command line by itself: its help, its languages, its complaints, its exit codes."""

import io
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from opsd import errors
from opsd.catalogue import SENTENCES, Language
from opsd.cli import exit_codes, language, main, moments
from opsd.cli.commands import COMMANDS, named
from opsd.cli.exit_codes import ExitCode
from opsd.cli.words import complaint
from opsd.config import users
from opsd.drivers import cluster
from opsd.errors import OpsdError, UsageError
from opsd.model import Outcome

VERBS = [command.name for command in COMMANDS]
OTHER = {Language.VI: Language.EN, Language.EN: Language.VI}
# argparse's own words, none of which may be left in Vietnamese help.
OF_ARGPARSE = ("usage:", "options:", "positional arguments", "show this help", "default:")

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration that is fine, for a set of files."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "password").write_text("only for tests\n")
    (tmp_path / "password").chmod(0o600)
    path = tmp_path / "opsd.yaml"
    path.write_text(
        f"""
language: en
demo: true
state: {tmp_path}/state
repositories:
  main: {{url: {tmp_path}/repository, password_file: {tmp_path}/password}}
backup_sets:
  papers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      tree: {{kind: files, path: {tmp_path}/tree}}
"""
    )
    return path


def opsd(config: Path, *arguments: str) -> int:
    return main.main([*arguments, "--config", str(config), "--language", "en"])


def answered(capture: Capture) -> dict[str, object]:
    """The one JSON object on standard output; nothing may be anywhere else."""
    said = capture.readouterr()
    assert said.err == ""
    body = json.loads(said.out)
    assert isinstance(body, dict)
    return body


# ----------------------------------------------------------------------------------------- help


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("spoken", Language)
@pytest.mark.parametrize("verb", ["", *VERBS])
def test_help_tells_every_exit_code_in_one_language(
    verb: str, spoken: Language, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    arguments = [verb] if verb else []
    assert main.main([*arguments, "--help", "--language", spoken.value]) == 0
    said = capsys.readouterr().out
    table = exit_codes.statuses if verb and named(verb).for_monitors else exit_codes.table
    assert table(spoken) in said
    foreign = [
        sentence.what(OTHER[spoken])
        for key, sentence in SENTENCES.items()
        if key.startswith(("help.", "exit.")) and sentence.vi != sentence.en
    ]
    alone = words(said)
    assert [text for text in foreign if len(text) > 12 and text in alone] == []
    if spoken is Language.VI:
        assert [text for text in OF_ARGPARSE if text in alone] == []
    assert max(map(len, said.splitlines())) <= 80


def test_every_option_has_a_sentence_and_a_value_in_words() -> None:
    """Nothing falls back to argparse's own naming."""
    assert {f"help.{name}" for name in VERBS} <= SENTENCES.keys()


# ------------------------------------------------------------------------------------- language


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        (["status", "--language", "en"], {"OPSD_LANGUAGE": "vi"}, "en"),
        (["status", "--language=vi"], {"LANG": "en_US.UTF-8"}, "vi"),
        (["status", "--language", "fr"], {"LANG": "en_US.UTF-8"}, "en"),
        ([], {"OPSD_LANGUAGE": "en", "LANG": "vi_VN.UTF-8"}, "en"),
        ([], {"LC_ALL": "vi_VN.UTF-8", "LANG": "en_US.UTF-8"}, "vi"),
        ([], {"LC_MESSAGES": "en_GB", "LANG": "vi_VN"}, "en"),
        ([], {"LC_ALL": "C", "LANG": "en_US.UTF-8"}, "vi"),
        ([], {"LANG": "POSIX"}, "vi"),
        ([], {"LANG": "C.UTF-8"}, "vi"),
        ([], {"LANG": "fr_FR.UTF-8"}, "vi"),
        ([], {}, "vi"),
    ],
)
def test_the_language_is_chosen_in_order(
    arguments: list[str], environment: dict[str, str], expected: str, tmp_path: Path
) -> None:
    environment = {"OPSD_CONFIG": str(tmp_path / "none.yaml"), **environment}
    assert language.choose(arguments, environment) == expected


def test_a_locale_that_says_nothing_leaves_it_to_the_configuration(config: Path) -> None:
    assert language.choose(["--config", str(config)], {"LANG": "C"}) is Language.EN
    assert language.choose([], {"LANG": "C", "OPSD_CONFIG": str(config)}) is Language.EN
    assert language.choose([], {"LANG": "vi_VN", "OPSD_CONFIG": str(config)}) is Language.VI


# ---------------------------------------------------------------------------- mistakes of people


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ([], "usage.required"),
        (["backup"], "usage.required"),
        (["frobnicate"], "usage.choice"),
        (["status", "--nothing"], "usage.unrecognized"),
        (["prove", "a", "--point"], "usage.one_value"),
        (["restore", "a", "--to", "/x", "--only"], "usage.some_value"),
        (["restore", "a", "--to", "/x", "--at", "1", "--point", "2"], "usage.conflict"),
        (["backup", "a", "--no-prove=1"], "usage.no_value"),
        (["config", "mend"], "usage.choice"),
        (["restore", "a", "--to", "/x", "--at", "yesterday"], "usage.moment"),
        (["restore", "a", "--to", "/x", "--repository-url", "/r"], "usage.needs"),
        (["backup", "nope"], "set.unknown"),
        (["status", "nope"], "set.unknown"),
        (["points", "nope"], "set.unknown"),
        (["points", "--repository", "nope"], "usage.no_repository"),
        (["prove", "papers", "--point", "nope"], "point.unknown"),
    ],
)
def test_a_mistake_in_the_command_line_ends_with_2(
    arguments: list[str], key: str, config: Path, capsys: Capture
) -> None:
    assert opsd(config, *arguments, "--json") == ExitCode.USAGE
    error = answered(capsys)["error"]
    assert isinstance(error, dict)
    assert (error["key"], error["reason"]) == (key, "usage")
    assert error["text"]


def test_a_bucket_without_its_key_is_told_before_anything_is_looked_for(
    config: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(config.parent))
    where = ("--repository-url", "s3:http://127.0.0.1:1/bucket", "--password-file", "/p")
    words = ("recover", "a", "--to", "now", "--target", "/x", *where, "--json")
    assert opsd(config, *words) == ExitCode.USAGE
    error = answered(capsys)["error"]
    assert isinstance(error, dict)
    assert error["key"] == "s3.credentials"
    assert str(config.parent / ".aws" / "credentials") in error["text"]


def test_a_complaint_that_argparse_invents_anew_is_still_told() -> None:
    found = complaint("something new in Python 3.14")
    assert found.key == "usage.wrong"
    assert "something new" in found.text(Language.VI)


def test_a_wrong_configuration_tells_every_mistake(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "opsd.yaml"
    path.write_text("languag: vi\nbackup_sets: {}\n")
    assert opsd(path, "config", "check") == ExitCode.USAGE
    said = capsys.readouterr()
    assert said.out == ""
    assert f"{path}:1:1: languag: " in said.err
    assert said.err.count(str(path)) >= 3
    assert opsd(path, "config", "check", "--json") == ExitCode.USAGE
    error = answered(capsys)["error"]
    assert isinstance(error, dict)
    assert error["key"] == "config.mistakes"
    assert len(error["mistakes"]) >= 3


def test_a_secret_that_lies_open_is_a_mistake_of_the_configuration(
    config: Path, capsys: Capture
) -> None:
    assert opsd(config, "config", "check") == ExitCode.DONE
    assert "1 backup sets, 1 repositories" in capsys.readouterr().out
    (config.parent / "password").chmod(0o644)
    assert opsd(config, "config", "check") == ExitCode.USAGE


# ----------------------------------------------------------------------------------- exit codes


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_its_code_and_only_good_ones_end_with_0(outcome: Outcome) -> None:
    assert (exit_codes.OF_OUTCOME[outcome] is ExitCode.DONE) is outcome.good


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ConfigError, 2),
        (errors.UsageError, 2),
        (errors.Refused, 6),
        (errors.ClockWrong, 6),
        (errors.RepositoryLocked, 7),
        (errors.TimedOut, 5),
        (errors.Cancelled, 130),
        (errors.SourceFailed, 1),
        (errors.DatabaseFailed, 1),
        (errors.RepositoryDamaged, 1),
        (errors.SpaceExhausted, 1),
        (errors.ScratchFull, 1),
        (errors.ToolFailed, 1),
    ],
)
def test_every_error_has_its_code(kind: type[OpsdError], code: int) -> None:
    assert exit_codes.of_error(kind("cluster.no_binaries")) == code


def test_an_unexpected_error_is_one_line_and_a_code_of_its_own(
    config: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> int:
        raise RuntimeError("boom\nmore")

    monkeypatch.setattr(cluster, "newest", broken)
    assert opsd(config, "version") == ExitCode.INTERNAL
    said = capsys.readouterr()
    assert "RuntimeError: boom" in said.err
    assert "Traceback" not in said.err
    assert opsd(config, "version", "--debug") == ExitCode.INTERNAL
    assert "Traceback" in capsys.readouterr().err
    assert opsd(config, "version", "--json") == ExitCode.INTERNAL
    error = answered(capsys)["error"]
    assert isinstance(error, dict)
    assert error["reason"] == "internal"


def test_a_state_directory_that_cannot_be_made_is_told_with_a_remedy(
    config: Path, capsys: Capture
) -> None:
    (config.parent / "state").write_text("a file is in the way")
    assert opsd(config, "status") == ExitCode.FAILED
    said = capsys.readouterr().err
    assert "opsd: error: " in said
    assert "what to do: " in said


# What only the daemon, the watch or a bucket needs, and what each takes to load is paid each time.
HEAVY = ("apscheduler", "boto3", "checks", "cryptography", "fabric", "opsd.app", "opsd.daemon")


@pytest.mark.parametrize(("verb", "heavy"), [("backup", False), ("run", True)])
def test_a_command_loads_what_it_needs(verb: str, heavy: bool) -> None:
    asked = f"import sys; from opsd.cli.main import main; main(['{verb}', '--help'])"
    told = f"{asked}; print('loaded', *(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stdout.splitlines()[-1].split()[1:]
    assert bool(loaded) == heavy, loaded


# -------------------------------------------------------------------------------------- answers


def test_a_set_without_history_is_unknown_and_not_good(config: Path, capsys: Capture) -> None:
    assert opsd(config, "status", "--json") == ExitCode.FAILED
    body = answered(capsys)
    assert body["status"] == "unknown"
    assert opsd(config, "status") == ExitCode.FAILED
    assert "no data" in capsys.readouterr().out
    assert main.main(["status", "--config", str(config), "--language", "vi"]) == ExitCode.FAILED
    assert "không có dữ liệu" in capsys.readouterr().out


def test_common_options_may_stand_before_the_verb_too(config: Path, capsys: Capture) -> None:
    arguments = ["--json", "--config", str(config), "--language", "en", "points"]
    assert main.main(arguments) == ExitCode.DONE
    assert answered(capsys) == {"sets": {"papers": []}}


def test_the_schema_is_json_as_it_is(config: Path, capsys: Capture) -> None:
    assert opsd(config, "config", "schema") == ExitCode.DONE
    plain = json.loads(capsys.readouterr().out)
    assert opsd(config, "config", "schema", "--json") == ExitCode.DONE
    assert answered(capsys) == plain


def test_a_user_is_made_of_the_password_that_is_piped_in(
    config: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))
    assert opsd(config, "config", "user", "prometheus") == ExitCode.DONE
    line = capsys.readouterr().out
    assert "horse" not in line
    hashed = users.parse(line)["prometheus"]
    assert hashed.fits("correct horse battery")
    assert not hashed.fits("correct horse battery ")


@pytest.mark.parametrize(
    ("arguments", "piped", "key"),
    [
        (("user",), "", "usage.needs"),
        (("user", "a:b"), "", "usage.user_name"),
        (("user", "a"), "short\n", "usage.password_short"),
        (("check", "a"), "", "usage.unrecognized"),
    ],
)
def test_a_user_without_name_or_password_is_not_made(
    config: Path,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    piped: str,
    key: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(piped))
    assert opsd(config, "config", *arguments, "--json") == ExitCode.USAGE
    assert json.loads(capsys.readouterr().out)["error"]["key"] == key


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_knows_every_verb(shell: str, config: Path, capsys: Capture) -> None:
    assert opsd(config, "completion", shell) == ExitCode.DONE
    script = capsys.readouterr().out
    assert all(verb in script for verb in VERBS)
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, text=True, check=True, timeout=20)


# -------------------------------------------------------------------------------------- moments

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("text", "within", "beyond"),
    [
        ("23/11/2026 22:38:55", (2026, 11, 23, 15, 38, 55), timedelta(seconds=1)),
        ("2026-11-23 22:38", (2026, 11, 23, 15, 38, 0), timedelta(minutes=1)),
        ("2026-11-23", (2026, 11, 22, 17, 0, 0), timedelta(days=1)),
        ("23/11/2026", (2026, 11, 22, 17, 0, 0), timedelta(days=1)),
    ],
)
def test_a_moment_means_all_of_its_day_minute_or_second(
    text: str, within: tuple[int, int, int, int, int, int], beyond: timedelta
) -> None:
    begin = datetime(*within, tzinfo=UTC)
    found = moments.read(text, ZONE)
    assert begin + beyond - timedelta(milliseconds=1) < found < begin + beyond


def test_a_moment_may_bring_its_own_zone() -> None:
    found = moments.read("2026-11-23T22:38:55+00:00", ZONE)
    assert found == datetime(2026, 11, 23, 22, 38, 55, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "hôm qua", "32/11/2026", "2026-13-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        moments.read(text, ZONE)
