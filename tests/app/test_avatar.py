"""`avatar`: from a clip to a file and back, the collection, and everything that can go wrong on the way."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import app.jobs.avatar as jobs
from app.avatar_pictures import avatar_face, thumbnail
from app.avatar_preview import SIDE, picture_of_text, text_of_picture
from app.avatar_store import LIBRARY, AvatarStore, calibration_of
from app.avatar_work import kept_captures, load_work
from app.errors import CommandError
from app.jobs.avatar import CAPTURED, AvatarRequest, create_avatar, keep_capture
from app.jobs.track import Progress
from models.avatars.errors import AvatarFileError
from models.avatars.person_file import PersonAvatar, read_person, write_person
from models.avatars.person_identity import identity_for
from models.face_model import load_face_model
from models.face_model.hair_grid import RELIEF_COLUMNS, RELIEF_COUNT
from tests.app.conftest import Run
from tests.helpers.media import write_clip
from tests.models.avatars.test_person_file import avatar
from tracking import FaceTracker, TrackerSettings, open_source, track_frames
from tracking.person_capture import CaptureError, PersonCapture


@pytest.fixture
def store(tmp_path: Path) -> AvatarStore:
    return AvatarStore(tmp_path / "avatars")


def named(name: str) -> PersonAvatar:
    plain = avatar()
    return replace(plain, manifest=plain.manifest.model_copy(update={"name": name}))


@pytest.fixture(scope="module")
def made(face_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[AvatarStore, list[str]]:
    """An avatar of the 24 pictures, and what it said on the way."""
    store = AvatarStore(tmp_path_factory.mktemp("made"))
    stages: list[str] = []
    create_avatar(AvatarRequest("Sam", str(face_clip)), store, Progress(lambda name, total: stages.append(name)))
    return store, stages


def test_a_clip_becomes_an_avatar(made: tuple[AvatarStore, list[str]]) -> None:
    store, stages = made
    sam = store.load("sam")
    assert sam.texture.shape == (1024, 1024, 3) and sam.thumbnail.shape == (256, 256, 3)
    assert sam.manifest.kind == "person" and sam.manifest.consent and 0.4 < (sam.manifest.fov_rad or 0) < 1.6
    assert 0.1 < float(np.abs(sam.identity).max()) < 6
    assert sam.manifest.capture is not None and (sam.manifest.capture.held_out_error or 1) < 0.03
    assert store.find("Sam").stat().st_size < 3_000_000
    assert stages == [
        "looking at the face",
        "looking again",
        "comparing what was seen",
        "learning the shape",
        "painting the skin",
    ]
    assert not store.unfinished("Sam").exists()
    calibration = calibration_of(sam)
    assert calibration is not None and calibration.person == "Sam"


def test_its_skin_is_skin(made: tuple[AvatarStore, list[str]]) -> None:
    red, green, blue = np.median(made[0].load("Sam").texture[380:560, 300:720].reshape(-1, 3), axis=0)
    assert red > green > blue and 110 < red < 235


def test_its_hair_has_the_outline_of_the_clips(made: tuple[AvatarStore, list[str]]) -> None:
    hair = made[0].load("Sam").manifest.hair
    assert hair.visible and len(hair.relief_m) == RELIEF_COUNT
    # Short hair, which stands up a little on top.
    assert min(hair.relief_m) > 0.008 and max(hair.relief_m) < 0.03
    assert np.median(hair.relief_m[-2 * RELIEF_COLUMNS :]) > np.median(hair.relief_m[:-RELIEF_COLUMNS])


@pytest.mark.gl
@pytest.mark.parametrize("metres", [0.011, 0.04, 0.07])
def test_high_hair_stays_in_the_thumbnail(made: tuple[AvatarStore, list[str]], metres: float) -> None:
    sam, model = made[0].load("Sam"), load_face_model()
    hair = sam.manifest.hair.model_copy(update={"relief_m": (metres,) * RELIEF_COUNT})
    picture = thumbnail(replace(sam, manifest=sam.manifest.model_copy(update={"hair": hair})), model, 128).astype(int)
    # The background hardly changes along a row; hair would stand out.
    assert np.abs(np.diff(picture[0], axis=0)).max() < 6
    assert np.abs(np.diff(picture[30], axis=0)).max() > 20


def test_it_can_be_posed(made: tuple[AvatarStore, list[str]]) -> None:
    sam, model = made[0].load("Sam"), load_face_model()
    still, open_ = avatar_face(sam, model), avatar_face(sam, model, {"jawOpen": 1.0})
    assert still.vertices is not None and open_.vertices is not None
    assert float(np.abs(open_.vertices - still.vertices).max()) > 0.01
    other = replace(sam, manifest=sam.manifest.model_copy(update={"face_model": "flame"}))
    with pytest.raises(AvatarFileError, match="face model"):
        identity_for(other, model)


def test_cancelled_work_goes_on_where_it_was(
    store: AvatarStore, face_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = AvatarRequest("Sam", str(face_clip))

    def cancel_in(stage: str) -> Progress:
        current: list[str] = []

        def step() -> None:
            if current[-1] == stage:
                raise KeyboardInterrupt

        return Progress(lambda name, total: current.append(name), step)

    for stage, kept in (
        ("looking at the face", False),
        ("looking again", True),
        ("learning the shape", True),
        ("painting the skin", True),
    ):
        with pytest.raises(KeyboardInterrupt):
            create_avatar(request, store, cancel_in(stage))
        assert store.unfinished("Sam").exists() is kept
        assert not store.path("Sam").exists()

    def not_again(*_: object) -> None:
        raise AssertionError("done before")

    monkeypatch.setattr(jobs, "_captured", not_again)
    monkeypatch.setattr(jobs, "fit_person", not_again)
    outcome = create_avatar(request, store)
    assert outcome.resumed and outcome.path.is_file()
    assert [path.suffix for path in store.folder.iterdir()] == [".mien"]


def test_unfinished_work_of_another_source_or_damaged_is_not_used(store: AvatarStore, face_clip: Path) -> None:
    path = store.unfinished("Sam")
    assert load_work(path, "x") is None
    path.parent.mkdir(parents=True)
    for content in (b"", b"PK\x03\x04 cut", b"\x80\x04pickle"):
        path.write_bytes(content)
        assert load_work(path, "x") is None and kept_captures(path.parent) == []


def test_a_full_disk_is_one_sentence(store: AvatarStore, face_clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(AvatarFileError, match=r"No space left on device.*make room"):
        create_avatar(AvatarRequest("Sam", str(face_clip)), store)
    assert list(store.folder.iterdir()) == []


def test_two_people_are_refused(store: AvatarStore, face_pictures: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    clip = write_clip(
        tmp_path / "two.mp4", [np.asarray(np.hstack([p, p[:, ::-1]]), np.uint8) for p in face_pictures[:14]], 25
    )
    with pytest.raises(CaptureError, match="several people"):
        create_avatar(AvatarRequest("Sam", str(clip)), store)


def test_small_dark_and_missing_faces_are_refused(
    run: Run, face_pictures: list[NDArray[np.uint8]], tmp_path: Path, tiny_clip: Path
) -> None:
    small = [np.asarray(cv2.resize(p, (200, 150), interpolation=cv2.INTER_AREA), np.uint8) for p in face_pictures[:10]]
    dark = [(p * 0.12).astype(np.uint8) for p in face_pictures[:10]]
    for name, pictures, word in (("small", small, "pixels wide"), ("dark", dark, "dark")):
        result = run("avatar", "create", "Sam", "--from", write_clip(tmp_path / f"{name}.mp4", pictures, 25))
        assert result.status == 2
        assert word in result.sentence() or "No face" in result.sentence()
    result = run("avatar", "create", "Sam", "--from", tiny_clip)
    assert result.status == 2 and "No face" in result.sentence()


def test_photographs_of_a_folder(store: AvatarStore, face_pictures: list[NDArray[np.uint8]], tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for n in (10, 20):
        cv2.imwrite(str(folder / f"{n}.png"), cv2.cvtColor(face_pictures[n], cv2.COLOR_RGB2BGR))
    outcome = create_avatar(AvatarRequest("Photos", str(folder)), store)
    assert outcome.avatar.manifest.capture is not None and outcome.avatar.manifest.capture.frames == 2
    assert any("plain" in sentence or "Not seen" in sentence for sentence in outcome.advice)


def test_a_folder_without_pictures(run: Run, tmp_path: Path) -> None:
    result = run("avatar", "create", "Sam", "--from", tmp_path)
    assert result.status == 2 and "neither pictures" in result.sentence()


def test_the_collection_by_command(run: Run, tmp_path: Path) -> None:
    write_person(named("Ada"), tmp_path / "given.mien")
    assert run("avatar", "import", tmp_path / "given.mien").status == 0
    again = run("avatar", "import", tmp_path / "given.mien")
    assert again.status == 2 and "already" in again.sentence()
    assert run("avatar", "import", tmp_path / "given.mien", "--name", "Bob").status == 0
    assert run("avatar", "rename", "ada", "Émilie").status == 0
    listed = run("avatar", "list", "--thumbnails", tmp_path / "list.png").out
    assert re.findall(r"^(\S+)", listed, re.M)[:2] == ["Bob", "Émilie"]
    assert cv2.imread(str(tmp_path / "list.png")) is not None
    assert run("avatar", "export", "Émilie", tmp_path).status == 0
    assert read_person(tmp_path / "Émilie.mien").manifest.name == "Émilie"
    assert run("avatar", "export", "Émilie", tmp_path).status == 2
    assert run("avatar", "delete", "Bob").status == 0
    missing = run("avatar", "delete", "Bob")
    assert missing.status == 2 and "no avatar called 'Bob'" in missing.sentence()


def test_damaged_files_are_listed_with_their_problem_and_harm_nothing(store: AvatarStore) -> None:
    store.save(named("Ada"))
    (store.folder / "avatar-eve.mien").write_bytes(b"PK nothing")
    entries = {entry.name: entry.problem for entry in store.entries() if not entry.shipped}
    assert entries["Ada"] == "" and entries["eve"].endswith(".")


@pytest.mark.parametrize("name", ["CON", "a/b", "..", "ナイン", "x" * 100, "semi;colon", "a:b*?"])
def test_any_visible_name_is_possible(store: AvatarStore, name: str) -> None:
    path = store.save(named(name))
    assert path.parent == store.folder and len(path.name) < 200
    assert re.fullmatch(r"[A-Za-z0-9 %._~-]+", path.name)
    assert store.load(name).manifest.name == name
    store.delete(name)
    assert not path.exists()


@pytest.mark.parametrize("name", ["", " a", "x" * 101, "a\u0007b"])
def test_other_names_are_refused(store: AvatarStore, name: str) -> None:
    with pytest.raises(AvatarFileError, match="visible characters"):
        store.refuse_taken(name)


def test_names_that_differ_in_case_alone_are_one(store: AvatarStore) -> None:
    store.save(named("Ada"))
    with pytest.raises(AvatarFileError, match="already"):
        store.save(named("ADA"))
    store.rename("ada", "ADA")
    assert store.load("Ada").manifest.name == "ADA"


def test_import_keeps_nothing_that_was_not_read(store: AvatarStore, tmp_path: Path) -> None:
    write_person(named("Ada"), tmp_path / "a.mien")
    content = (tmp_path / "a.mien").read_bytes()
    (tmp_path / "a.mien").write_bytes(b"MZ" + b"\0" * 100 + content)
    store.import_file(tmp_path / "a.mien")
    assert store.path("Ada").read_bytes()[:2] == b"PK"


def test_the_people_that_ship(store: AvatarStore) -> None:
    shipped = [entry for entry in store.entries() if entry.shipped]
    assert len(shipped) >= 3 and not any(entry.problem for entry in shipped)
    model = load_face_model()
    for entry in shipped:
        person = store.load(entry.name)
        assert entry.path.stat().st_size < 5_000_000
        assert person.manifest.kind == "synthetic" and "CC0" in person.manifest.licence
        assert len(identity_for(person, model)) == model.identity_count
        with pytest.raises(AvatarFileError, match="ships with Mien"):
            store.delete(entry.name)
        with pytest.raises(AvatarFileError, match="ships with Mien"):
            store.rename(entry.name, "Mine")
        with pytest.raises(AvatarFileError, match="ship with Mien"):
            store.save(named(entry.name))
    assert {entry.path.parent for entry in shipped} == {LIBRARY}


@pytest.mark.slow
def test_a_sheet_shows_the_avatar(made: tuple[AvatarStore, list[str]], run: Run, tmp_path: Path) -> None:
    store, _ = made
    store.export("Sam", tmp_path)
    assert run("avatar", "import", tmp_path / "Sam.mien").status == 0
    assert run("avatar", "sheet", "Sam", "--out", tmp_path / "sheet.png").status == 0
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None and sheet.shape == (840, 2100, 3)


def test_a_capture_without_a_source_becomes_an_avatar_and_goes_on_after_cancelling(
    store: AvatarStore, face_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "TEXTURE_SIZE", 256)
    with pytest.raises(CommandError, match="no guided capture of 'Sam'"):
        create_avatar(AvatarRequest("Sam", CAPTURED), store)
    capture = PersonCapture()
    with open_source(face_clip) as source, FaceTracker(TrackerSettings(), load_face_model()) as tracker:
        for face in track_frames(source, tracker):
            capture.add(face)
    assert keep_capture(capture, "Sam", store, "CC0").usable == 24
    assert kept_captures(store.folder) == ["Sam"]
    assert store.unfinished("Sam").is_file() and not store.path("Sam").exists()
    request = AvatarRequest("Sam", CAPTURED)
    stages: list[str] = []
    pictures: list[NDArray[np.uint8]] = []

    def cancel() -> None:
        if stages[-1] == "painting the skin":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        create_avatar(request, store, Progress(lambda name, total: stages.append(name), cancel, pictures.append))
    assert stages == ["looking again", "comparing what was seen", "learning the shape", "painting the skin"]
    monkeypatch.setattr(jobs, "fit_person", None)
    assert create_avatar(request, store, Progress(picture=pictures.append)).resumed
    assert store.load("Sam").manifest.licence == "CC0" and not store.unfinished("Sam").exists()
    assert kept_captures(store.folder) == []
    # What emerges was shown: a photograph, the shape, the skin, in pictures that differ.
    assert len(pictures) > 5 and {picture.shape for picture in pictures} == {(SIDE, SIDE, 3)}
    assert all(picture.std() > 10 for picture in pictures)
    assert np.abs(pictures[1].astype(float) - pictures[-1]).mean() > 5
    with pytest.raises(AvatarFileError, match="already"):
        keep_capture(capture, "Sam", store)


def test_pictures_of_what_emerges_travel_as_text() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30] = 200, 40, 40
    found = picture_of_text(text_of_picture(picture))
    assert found is not None and found.shape == picture.shape
    assert np.abs(found.astype(float) - picture).mean() < 6
    for text in ("", "no base64 at all", "AAAA"):
        assert picture_of_text(text) is None
