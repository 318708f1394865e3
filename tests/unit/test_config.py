"""Settings: where they come from, what is refused, what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.config import Settings
from engine.errors import SettingError


def a_file(folder: Path, text: str) -> Path:
    path = folder / "kaitong.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_any_setting_the_embedded_default_is_complete() -> None:
    settings = Settings.load({})
    assert settings.database == "sqlite:///data/kaitong.db"
    assert (settings.host, settings.port) == ("127.0.0.1", 8420)
    assert settings.simulators
    assert settings.zone.key == "Asia/Shanghai"


def test_the_embedded_database_moves_with_the_data_folder() -> None:
    assert Settings.load({"KAITONG_DATA_DIR": "/srv/kt"}).database == "sqlite:////srv/kt/kaitong.db"


def test_a_named_database_is_used_as_it_is() -> None:
    url = "postgresql://kaitong@db/kaitong"
    assert Settings.load({"KAITONG_DATABASE_URL": url}).database == url


def test_environment_beats_file_and_an_argument_beats_both(tmp_path: Path) -> None:
    path = a_file(tmp_path, 'port = 1000\nweb_threads = 3\nlocale = "en"')
    settings = Settings.load({"KAITONG_PORT": "2000", "KAITONG_WEB_THREADS": "5"}, path, port=3000)
    assert (settings.port, settings.web_threads, settings.locale) == (3000, 5, "en")


def test_an_argument_that_was_not_given_changes_nothing() -> None:
    assert Settings.load({"KAITONG_PORT": "2000"}, port=None).port == 2000


def test_the_environment_can_name_the_file(tmp_path: Path) -> None:
    path = a_file(tmp_path, 'time_zone = "Europe/Berlin"')
    assert Settings.load({"KAITONG_CONFIG": str(path)}).zone.key == "Europe/Berlin"


def test_other_environment_variables_are_left_alone() -> None:
    assert Settings.load({"PATH": "/bin", "PORT": "1"}) == Settings()


@pytest.mark.parametrize(
    ("text", "problem"),
    [("port = ", "kaitong.toml"), ("prot = 1", "KAITONG_PROT"), ("port = 'many'", "KAITONG_PORT")],
)
def test_a_broken_file_is_refused_with_what_is_wrong(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem):
        Settings.load({}, a_file(tmp_path, text))


def test_a_file_that_is_not_there_is_refused_by_its_name() -> None:
    with pytest.raises(SettingError, match=r"nowhere\.toml"):
        Settings.load({"KAITONG_CONFIG": "nowhere.toml"})


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(SettingError) as error:
        Settings.load({"KAITONG_DATABASE_ULR": "sqlite://"})
    assert error.value.code == "setting"
    assert "KAITONG_DATABASE_ULR" in str(error.value)
    assert "did you mean KAITONG_DATABASE_URL?" in str(error.value)


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(SettingError) as error:
        Settings.load({"KAITONG_XYZZY": "1"})
    assert "did you mean" not in str(error.value)


def test_values_get_the_type_of_their_default() -> None:
    settings = Settings.load(
        {"KAITONG_PORT": "81", "KAITONG_TICK_SECONDS": "0.5", "KAITONG_DATA_DIR": "x", "KAITONG_HTTPS": "yes"}
    )
    assert (settings.port, settings.tick_seconds, settings.data_dir) == (81, 0.5, Path("x"))
    assert settings.https is True


@pytest.mark.parametrize("word", ["0", "false", "NO"])
def test_a_switch_can_be_turned_off(word: str) -> None:
    assert Settings.load({"KAITONG_SIMULATORS": word}).simulators is False


def test_a_switch_can_be_set_in_the_file(tmp_path: Path) -> None:
    assert Settings.load({}, a_file(tmp_path, "simulators = false")).simulators is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAITONG_PORT", "http"),
        ("KAITONG_LEASE_SECONDS", "long"),
        ("KAITONG_HTTPS", "perhaps"),
        ("KAITONG_TIME_ZONE", "Mars/Olympus"),
        ("KAITONG_LOCALE", "fr"),
    ],
)
def test_a_value_that_cannot_work_is_refused_by_the_name_of_its_setting(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.load({name: value})


def test_a_lease_must_outlast_two_outside_calls() -> None:
    with pytest.raises(SettingError, match="KAITONG_LEASE_SECONDS"):
        Settings.load({"KAITONG_LEASE_SECONDS": "9.9"})
    with pytest.raises(SettingError, match="KAITONG_ADAPTER_TIMEOUT_SECONDS"):
        Settings.load({"KAITONG_ADAPTER_TIMEOUT_SECONDS": "7.6"})
    edge = {"KAITONG_LEASE_SECONDS": "20", "KAITONG_ADAPTER_TIMEOUT_SECONDS": "10"}
    assert Settings.load(edge).lease_seconds == 20.0


def test_secrets_are_usable_but_never_shown() -> None:
    settings = Settings.load({"KAITONG_SECRET_KEY": "hunter2", "KAITONG_AAA_SECRET": "radius7"})
    assert settings.secret_key == "hunter2"
    assert "hunter2" not in repr(settings)
    assert "radius7" not in repr(settings)
    assert "***" in repr(settings)


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(AttributeError):
        Settings.load({}).port = 1  # type: ignore[misc]
