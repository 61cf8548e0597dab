"""What the machine says about a configuration."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from opsd.catalogue import Language
from opsd.config import ground
from opsd.config.load import parse
from opsd.config.mistakes import ConfigMistakes
from opsd.config.schema import Config

Write = Callable[..., Config]


@pytest.fixture
def password(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("correct horse\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def write(tmp_path: Path, password: Path) -> Write:
    """A configuration of directories below `tmp_path`, with a source that exists."""
    (tmp_path / "scans").mkdir()

    def config(
        *,
        demo: bool = True,
        state: str = "state",
        url: str = "repository",
        exclude: str = "",
        secret: str = "",
        more: str = "",
    ) -> Config:
        secret = secret or f"password_file: {password}"
        text = f"""\
demo: {str(demo).lower()}
state: {tmp_path / state}
repositories:
  main:
    url: {tmp_path / url}
    {secret}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      scans: {{kind: files, path: {tmp_path / "scans"}, exclude: [{exclude}]}}
      database:
        kind: postgres
        connection: dbname=dossiers
        passfile: {password}
{more}
"""
        return parse(text, "opsd.yaml")

    return config


def found(config: Config) -> list[tuple[int, str, str]]:
    return [(mistake.line, mistake.path, mistake.key) for mistake in ground.examine(config)]


PASSWORD = (6, "repositories.main.password_file")
URL = (5, "repositories.main.url")


def test_nothing_is_wrong_with_a_good_ground(write: Write) -> None:
    config = write()
    assert found(config) == []
    ground.insist(config)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644])
def test_a_password_that_others_may_read_or_write_is_a_mistake(
    write: Write, password: Path, mode: int
) -> None:
    password.chmod(mode)
    (first, pgpass) = ground.examine(write())
    assert (first.line, first.path, first.key) == (*PASSWORD, "config.secret_open")
    assert pgpass.path == "backup_sets.dossiers.members.database.passfile"
    assert f"chmod 600 {password}" in first.text(Language.VI)
    assert f"mode {mode:04o}" in first.text(Language.EN)


@pytest.mark.parametrize("content", ["", "\n", "  \n\n"])
def test_an_empty_password_is_a_mistake(write: Write, password: Path, content: str) -> None:
    password.write_text(content)
    assert (*PASSWORD, "config.secret_empty") in found(write())


def test_a_missing_password_is_a_mistake(write: Write, password: Path) -> None:
    password.unlink()
    assert (*PASSWORD, "config.secret_missing") in found(write())


def test_a_directory_is_no_password(write: Write, password: Path) -> None:
    password.unlink()
    password.mkdir()
    assert (*PASSWORD, "config.secret_no_file") in found(write())


def test_a_password_that_opsd_may_not_read_is_a_mistake(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, os.strerror(13), path)

    config = write()
    monkeypatch.setattr(Path, "open", refuse)
    assert (*PASSWORD, "config.secret_forbidden") in found(config)


def test_a_credential_may_be_readable_by_the_group_because_systemd_guards_it(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(secret="password_credential: main")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    here = (6, "repositories.main.password_credential")
    assert found(config) == [(*here, "config.credential_directory")]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert found(config) == [(*here, "config.credential_missing")]
    (tmp_path / "main").write_text("correct horse")
    (tmp_path / "main").chmod(0o440)
    assert found(config) == []


def test_a_repository_beside_its_source_is_refused_and_says_why(write: Write) -> None:
    config = write(demo=False)
    assert found(config) == [(*URL, "config.same_device")]
    with pytest.raises(ConfigMistakes) as caught:
        ground.insist(config)
    (line,) = caught.value.lines(Language.EN)
    assert line.startswith("opsd.yaml:5:10: repositories.main.url: the repository is on the same")


def test_a_repository_on_another_device_is_accepted(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "disk").mkdir()
    true_stat = Path.stat

    def stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        seen = true_stat(path, follow_symlinks=follow_symlinks)
        if not path.is_relative_to(tmp_path / "disk"):
            return seen
        return os.stat_result([*seen[:2], seen.st_dev + 1, *seen[3:]])

    monkeypatch.setattr(Path, "stat", stat)
    assert found(write(demo=False, url="disk/not/made/yet")) == []


def test_a_source_that_is_missing_is_left_to_the_preflight(write: Write, tmp_path: Path) -> None:
    config = write(demo=False)
    (tmp_path / "scans").rmdir()
    assert found(config) == []


def test_a_repository_inside_its_source_is_a_mistake_even_in_a_demonstration(write: Write) -> None:
    assert found(write(url="scans/backup")) == [(*URL, "config.inside_source")]


def test_directories_of_opsd_inside_a_source_are_mistakes(write: Write) -> None:
    told = found(write(state="scans/opsd"))
    assert {path for _, path, _ in told} == {"state", "scratch", "cache"}
    assert {key for _, _, key in told} == {"config.inside_source"}


def test_a_directory_that_is_left_out_may_lie_inside_a_source(write: Write) -> None:
    assert found(write(state="scans/opsd", exclude="opsd")) == []


def test_a_link_into_a_source_is_seen_through(write: Write, tmp_path: Path) -> None:
    config = write(url="link")
    (tmp_path / "link").symlink_to(tmp_path / "scans")
    assert found(config) == [(*URL, "config.inside_source")]


def test_the_secrets_of_probes_must_lie_closed(tmp_path: Path, write: Write) -> None:
    open_file = tmp_path / "desk.password"
    open_file.write_text("x\n")
    open_file.chmod(0o644)
    closed = write()
    probes = f"""\
host: srv
probes:
  database: {{kind: postgres, connection: dbname=x, passfile: {tmp_path / "none"}}}
  desk:
    kind: walk
    url: http://desk.example.vn
    steps: [{{name: in, path: /in, secret_form: {{password: {open_file}}}}}]
repositories:
  main: {{url: {tmp_path / "r"}, password_file: {closed.repositories["main"].password_file}}}
backup_sets:
  web:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members: {{tree: {{kind: files, path: {tmp_path / "nothing"}}}}}
demo: true
"""
    told = ground.examine(parse(probes))
    assert [(one.path, one.key) for one in told] == [
        ("probes.database.passfile", "config.secret_missing"),
        ("probes.desk.steps[0].secret_form.password", "config.secret_open"),
    ]


def test_a_key_to_a_host_that_others_may_read_is_a_mistake(write: Write, password: Path) -> None:
    key = password.with_name("key")
    host = f"{{address: db1, key_file: {key}, known_hosts: {password}}}"
    config = write(more=f"hosts: {{db1: {host}}}")
    assert [found.key for found in ground.examine(config)] == ["config.secret_missing"]
    key.write_text("private")
    key.chmod(0o640)
    (mistake,) = ground.examine(config)
    assert (mistake.path, mistake.key) == ("hosts.db1.key_file", "config.secret_open")
