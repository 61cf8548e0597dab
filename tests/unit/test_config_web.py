"""The guards of the ports: what their files hold, and what is told when they are wrong."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from opsd.catalogue import Language
from opsd.config import ground, users
from opsd.config.load import parse
from opsd.config.mistakes import Mistake
from opsd.config.schema import Config
from opsd.errors import ConfigError

Damage = Callable[[Path], object]
CONFIG = """\
demo: true
state: {base}/state
web:
  admin:
    certificate_file: {base}/crt
    key_file: {base}/key
    users_file: {base}/users
repositories:
  main: {{url: {base}/repository, password_file: {base}/password}}
backup_sets:
  dossiers:
    repository: main
    schedule: "01:30"
    rpo: 24h
    rto: 4h
    members:
      scans: {{kind: files, path: {base}/scans}}
"""


def made(base: Path, name: str, *protection: str) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-days", "2", "-subj", "/CN=a"),
            *("-out", str(base / f"{name}crt"), "-keyout", str(base / f"{name}key")),
            *(protection or ("-nodes",)),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    (base / f"{name}key").chmod(0o600)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pair, another one, and one that a passphrase protects."""
    base = tmp_path_factory.mktemp("keys")
    made(base, "")
    made(base, "other.")
    made(base, "closed.", "-passout", "pass:secret")
    return base


@pytest.fixture
def place(tmp_path: Path, keys: Path) -> Path:
    (tmp_path / "scans").mkdir()
    for key in keys.iterdir():
        (tmp_path / key.name).write_bytes(key.read_bytes())
        (tmp_path / key.name).chmod(0o600)
    (tmp_path / "users").write_text(users.entry("a", "a password of some length", os.urandom(16)))
    (tmp_path / "password").write_text("correct horse\n")
    for name in ("users", "password"):
        (tmp_path / name).chmod(0o600)
    return tmp_path


def config(place: Path) -> Config:
    return parse(CONFIG.format(base=place), "opsd.yaml")


def test_nothing_is_wrong_with_a_good_guard(place: Path) -> None:
    assert ground.examine(config(place)) == ()


def renamed(name: str) -> Damage:
    return lambda base: (base / name).rename(base / name.partition(".")[2])


def written(name: str, text: str) -> Damage:
    return lambda base: (base / name).write_text(text)


CERTIFICATE, KEY, USERS = (5, "certificate_file"), (6, "key_file"), (7, "users_file")
DAMAGES: dict[str, tuple[Damage, tuple[int, str], str]] = {
    "no certificate": (
        lambda base: (base / "crt").unlink(),
        CERTIFICATE,
        "there is no certificate",
    ),
    "nonsense": (written("crt", "hello"), CERTIFICATE, "is no certificate or key in PEM"),
    "nonsense for a key": (written("key", "hello"), CERTIFICATE, "is no certificate or key in PEM"),
    "the key of another": (renamed("other.key"), CERTIFICATE, "is not that of the certificate"),
    "a passphrase": (
        lambda base: (renamed("closed.key")(base), renamed("closed.crt")(base)),
        CERTIFICATE,
        "the key has a passphrase",
    ),
    "a key that others may read": (lambda base: (base / "key").chmod(0o640), KEY, "mode 0640"),
    "no key": (lambda base: (base / "key").unlink(), KEY, "there is no file"),
    "users that others may read": (lambda base: (base / "users").chmod(0o644), USERS, "mode 0644"),
    "a password as it is": (written("users", "\n\na:password\n"), USERS, "line 3 is no user"),
    "no users": (written("users", ""), USERS, "empty"),
}


@pytest.mark.parametrize(("damage", "place_of", "said"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_wrong_with_a_guard_is_told_at_its_option(
    place: Path, damage: Damage, place_of: tuple[int, str], said: str
) -> None:
    good = config(place)
    damage(place)
    (mistake,) = ground.examine(good)
    assert isinstance(mistake, Mistake)
    assert (mistake.line, mistake.path) == (place_of[0], f"web.admin.{place_of[1]}")
    assert said in mistake.text(Language.EN)
    assert mistake.text(Language.VI) != mistake.text(Language.EN)


def test_a_line_of_a_user_is_read_back_and_nothing_else_is() -> None:
    line = users.entry("an.ninh", "mật khẩu có dấu", b"0123456789abcdef")
    (hashed,) = users.parse(f"# who may ask\n\n{line}\n").values()
    assert hashed.fits("mật khẩu có dấu")
    for wrong in (
        f"{line}\n{line}",
        line.replace("ln=14", "ln=30"),
        line.replace("p=1", "p=0"),
        line.replace("$scrypt", "$argon2"),
        line[:-30],
        f"{line} x",
    ):
        with pytest.raises(ConfigError, match="is no user"):
            users.parse(wrong)
