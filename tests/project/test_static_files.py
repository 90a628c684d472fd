"""Static files: collected at the start of `serve`, under names that a browser may keep."""

import gzip
import re
from pathlib import Path
from typing import Any, cast

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

from conversations.templatetags.modules import imported_by
from project import static_files
from project.static_files import HashedFiles, collect

SCRIPT = "conversations/chat/conversation.js"
HASH = re.compile(r"\.[0-9a-f]{12}\.")
SPECIFIER = re.compile(r'(?:\bfrom\s*|\bimport\s*\(?\s*)"(\.[^"]+)"')


@pytest.fixture
def plain(tmp_path: Path, settings: Any) -> Path:
    """A site's folder in which nothing has been collected."""
    settings.BASE_DIR = tmp_path
    settings.STORAGES = {**settings.STORAGES}  # now and when it is put back Django makes new storages
    return tmp_path


@pytest.fixture(scope="module")
def whole_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site that keeps what was collected there: all static files take a second."""
    return tmp_path_factory.mktemp("whole")


@pytest.fixture
def whole(plain: Path, whole_folder: Path, settings: Any) -> None:
    """A site all of whose static files are collected."""
    settings.BASE_DIR = whole_folder
    collect()


@pytest.fixture
def small(plain: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site's folder with two small static files, which have not been collected."""
    source = plain / "source"
    source.mkdir()
    (source / "app.js").write_text('import { part } from "./part.js";\npart();\n')
    (source / "part.js").write_text("export const part = () => {};\n")
    files = [(path.name, path) for path in source.iterdir()]
    monkeypatch.setattr(static_files, "_sources", lambda: iter(files))
    return source


def folders(site: Path) -> set[Path]:
    """The collections of a site."""
    return set((site / ".static").iterdir())


@pytest.mark.django_db
def test_a_file_with_a_hash_in_its_name_is_kept_for_a_year(whole: None, client: Client) -> None:
    url = staticfiles_storage.url(SCRIPT)
    assert HASH.search(url)
    answer = client.get(url)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "max-age=31536000, public, immutable")
    assert client.get(f"/static/{SCRIPT}")["Cache-Control"] == "max-age=0, public"
    page = client.get("/accounts/login/").content.decode()
    assert all(HASH.search(href) for href in re.findall(r'href="(/static/[^"]+)"', page))
    modules = [staticfiles_storage.url(name) for name in imported_by(SCRIPT)]
    assert {client.get(url).status_code for url in modules} == {200}


@pytest.mark.django_db
def test_a_collected_file_goes_out_compressed_to_whoever_takes_that(whole: None, client: Client) -> None:
    url = staticfiles_storage.url(SCRIPT)
    plain_answer, answer = client.get(url), client.get(url, headers={"Accept-Encoding": "gzip"})
    assert (answer["Content-Encoding"], answer["Vary"]) == ("gzip", "Accept-Encoding")
    assert answer["Cache-Control"] == plain_answer["Cache-Control"]
    assert gzip.decompress(answer.content) == plain_answer.content
    assert "Content-Encoding" not in plain_answer


def test_every_import_of_a_collected_module_has_a_hash(whole: None) -> None:
    names = cast(HashedFiles, staticfiles_storage).hashed_files
    modules = [Path(staticfiles_storage.path(new)) for old, new in names.items() if is_our_module(old)]
    imports = [(path, specifier) for path in modules for specifier in SPECIFIER.findall(path.read_text())]
    assert len(imports) > 100
    assert [specifier for path, specifier in imports if not HASH.search(specifier)] == []
    assert [specifier for path, specifier in imports if not (path.parent / specifier).exists()] == []


def is_our_module(name: str) -> bool:
    return name.startswith("conversations/") and name.endswith(".js")


def test_files_are_collected_once_and_again_when_one_has_changed(small: Path) -> None:
    site = small.parent
    collect()
    [first] = folders(site)
    before = staticfiles_storage.url("app.js")
    (first / "mark").touch()
    collect()
    assert folders(site) == {first}
    (small / "part.js").write_text("export const part = () => console.log();\n")
    collect()
    assert len(folders(site)) == 2
    assert staticfiles_storage.url("app.js") != before  # it imports the one that has changed


def test_old_collections_go(small: Path) -> None:
    for number in range(static_files.KEPT_FOLDERS + 2):
        (small / "part.js").write_text(f"export const part = () => {10**number};\n")
        collect()
    assert len(folders(small.parent)) == static_files.KEPT_FOLDERS


def test_where_nothing_can_be_written_names_stay_plain(small: Path, caplog: pytest.LogCaptureFixture) -> None:
    (small.parent / ".static").write_text("a file in the folder's place")
    collect()
    assert staticfiles_storage.url("app.js") == "/static/app.js"
    assert "plain names" in caplog.text


def test_a_file_that_names_a_missing_one_leaves_names_plain(small: Path) -> None:
    (small / "part.js").unlink()
    (small / "part.js").write_text('import { gone } from "./gone.js";\n')
    collect()
    assert staticfiles_storage.url("app.js") == "/static/app.js"
    assert folders(small.parent) == set()


def test_with_debug_on_names_stay_plain(small: Path, settings: Any) -> None:
    settings.DEBUG = True
    collect()
    assert staticfiles_storage.url("app.js") == "/static/app.js"
    assert not (small.parent / ".static").exists()
