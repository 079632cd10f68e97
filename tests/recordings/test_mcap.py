"""records.mcap: other programs open it, it gives back what went in, and bad files do no harm."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import zstandard
from mcap.reader import make_reader
from mcap.records import Chunk
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType, Writer
from mcap_protobuf.decoder import DecoderFactory

from models.channels import CHANNEL_INDEX
from models.geometry.rotations import HEAD_TO_CAMERA, from_quaternion, to_quaternion
from recordings import records
from recordings.face_records import BadRecordError, detail_map, detail_record, face_of_record, face_record
from recordings.manifest import SessionFileError
from recordings.mcap_reader import RecordFile, read_details, read_faces, read_marks, read_mcap
from recordings.mcap_writer import RecordWriter
from recordings.records import RecordTimes
from recordings.takes import takes_of
from tests.helpers.recordings import face_in, frame_at, relief
from tracking.types import TrackedFace

WALL_NS = 1_800_000_000_000_000_000


def times_at(index: int) -> RecordTimes:
    time_ns = index * 1_000_000_000 // 30
    return RecordTimes(time_ns, time_ns + 5, 3.0 + index / 30, WALL_NS + time_ns)


def face_at(index: int, **options: Any) -> TrackedFace:
    face = face_in(frame_at(index), **options)
    return replace(face, frame=replace(face.frame, time_s=times_at(index).time_ns / 1e9))


def recording(count: int = 60, *, flush_every: int = 10, finish: bool = True, reliefs: bool = False) -> bytes:
    """A file of so many frames; every seventh is without a face."""
    file = io.BytesIO()
    writer = RecordWriter(file, manifest='{"kept": 1}', face_model="tiny head")
    for index in range(count):
        shown = relief(index // 3) if reliefs and index % 3 == 0 else None
        writer.face(face_at(index, seen=index % 7 != 3, displacement=shown), index, times_at(index))
        if index % flush_every == flush_every - 1:
            writer.flush()
    if finish:
        writer.finish()
    return file.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records.mcap"


def test_values_come_back(path: Path) -> None:
    path.write_bytes(recording())
    track, raw = read_mcap(path), read_mcap(path, raw=True)
    assert len(track) == 60 and track.index.tolist() == list(range(60))
    assert track.time_s == pytest.approx([n / 30 for n in range(60)], abs=1e-9)
    assert track.valid.tolist() == [n % 7 != 3 for n in range(60)]
    seen, jaw = track.valid, CHANNEL_INDEX["jawOpen"]
    assert track.expression[seen, jaw] == pytest.approx(np.arange(60)[seen] / 200, abs=1e-6)
    assert raw.expression[seen, jaw] == pytest.approx(np.arange(60)[seen] / 100, abs=1e-6)
    for values in (track.expression, track.quaternion, track.translation, track.gaze):
        assert np.isnan(values[~seen]).all() and np.isfinite(values[seen]).all()
    expected = face_at(0).parameters
    assert expected is not None
    assert track.quaternion[0] == pytest.approx(to_quaternion(expected.rotation), abs=1e-12)
    assert track.translation[0] == pytest.approx([0.01, -0.02, 0.6], abs=1e-12)
    assert track.fov_degrees == pytest.approx(np.degrees(expected.camera.fov)) and track.image_size == (640, 480)
    assert track.identity.tolist() == [0.0] * 10
    assert track.stage_ms["landmarks"][0] == 4.0 and np.isnan(track.stage_ms["landmarks"][3])


def test_other_programs_decode_it_with_the_descriptors_inside(path: Path) -> None:
    path.write_bytes(recording(reliefs=True))
    with path.open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        found = [(channel.topic, schema, message, decoded) for schema, channel, message, decoded in _decoded(reader)]
    counts = Counter(topic for topic, *_ in found)
    assert counts == {"/face/state": 60, "/face/transform": 51, "/camera": 1, "/face/identity": 1, "/detail": 20 - 3}
    names = {topic: schema.name for topic, schema, *_ in found}
    assert names["/face/state"] == "mien.FaceState" and names["/face/transform"] == "foxglove.FrameTransform"
    assert names["/camera"] == "foxglove.CameraCalibration"
    message, state = next((message, decoded) for topic, _, message, decoded in found if topic == "/face/state")
    assert message.log_time == WALL_NS and state.timestamp.ToNanoseconds() == WALL_NS
    assert (state.time_ns, state.capture_ns, state.media_time_s) == (0, 5, 3.0)
    transform = next(decoded for topic, *_, decoded in found if topic == "/face/transform")
    parameters = face_at(0).parameters
    assert parameters is not None
    turned = transform.rotation
    assert from_quaternion([turned.w, turned.x, turned.y, turned.z]) == pytest.approx(
        HEAD_TO_CAMERA @ parameters.rotation
    )
    camera = next(decoded for topic, *_, decoded in found if topic == "/camera")
    assert camera.width == 640 and camera.K[0] == pytest.approx(parameters.camera.focal)


def _decoded(reader: Any) -> Any:
    return reader.iter_decoded_messages()


def test_what_rarely_changes_is_written_when_it_changes(path: Path) -> None:
    file = io.BytesIO()
    writer = RecordWriter(file)
    face = face_at(0)
    assert face.parameters is not None
    other = replace(face.parameters, identity=np.full(10, 0.5, np.float32))
    for index, parameters in enumerate((face.parameters, face.parameters, other, other)):
        writer.face(replace(face, parameters=parameters), index, times_at(index))
    writer.finish()
    path.write_bytes(file.getvalue())
    assert [record.coefficients[0] for _, record in RecordFile(path).messages(records.IDENTITY)] == [0.0, 0.5]
    assert read_mcap(path).identity.tolist() == [0.5] * 10


def test_relief_is_stored_when_there_is_another_one(path: Path) -> None:
    file = io.BytesIO()
    writer = RecordWriter(file)
    first, second = relief(1, 64), relief(2, 64)
    second[0, :3] = (np.nan, 99.0, -99.0)
    for index, shown in enumerate((None, first, first, first, second, None, second)):
        writer.face(face_at(index, displacement=shown), index, times_at(index))
    writer.finish()
    path.write_bytes(file.getvalue())
    (time_a, a), (time_b, b) = read_details(path)
    assert (time_a, time_b) == pytest.approx((1 / 30, 4 / 30))
    assert np.abs(a - first).max() <= 0.00051 and a.dtype == np.float32
    assert b[0, :3] == pytest.approx([0.0, 10.0, -10.0])
    assert np.abs(b - second)[1:].max() <= 0.00051


def test_marks_and_takes(path: Path) -> None:
    file = io.BytesIO()
    writer = RecordWriter(file)
    writer.marker("take_start", "Ünï\U0001f600", "00:00:00:00", times_at(0))
    writer.marker("marker", "here", "00:00:01:00", times_at(30))
    writer.finish()
    path.write_bytes(file.getvalue())
    marks = read_marks(path)
    assert [(mark.name, mark.time_s) for mark in marks] == [("Ünï\U0001f600", 0.0), ("here", 1.0)]
    assert takes_of(marks)[0].end_s is None


def test_a_crash_loses_only_what_was_not_flushed(path: Path) -> None:
    path.write_bytes(recording(25, flush_every=10, finish=False))
    with pytest.raises(SessionFileError, match="recover"):
        read_mcap(path)
    file = RecordFile(path, recover=True)
    assert len(list(read_faces(file))) == 20
    assert file.cut_short and not file.damaged


def test_chunks_are_small() -> None:
    content = recording(6000, flush_every=10_000)
    chunks = [r for r in StreamReader(io.BytesIO(content), emit_chunks=True).records if isinstance(r, Chunk)]
    assert len(chunks) > 3 and max(chunk.uncompressed_size for chunk in chunks) <= 288 * 1024


def test_a_file_cut_anywhere_gives_what_came_before(path: Path) -> None:
    content = recording(60)
    counts = []
    for cut in [0, 1, 7, 8, 20, *range(50, len(content), 211)]:
        path.write_bytes(content[:cut])
        with pytest.raises(SessionFileError) as caught:
            read_mcap(path)
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
        counts.append(len(read_mcap(path, recover=True)))
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] == 60


@pytest.mark.parametrize("what", ["data", "header"])
def test_damage_in_the_middle_costs_one_chunk(path: Path, what: str) -> None:
    content = bytearray(recording(60, flush_every=10))
    starts = [at - 37 for at in _places(bytes(content), b"\x04\x00\x00\x00zstd") if content[at - 37] == 6]
    assert len(starts) >= 6
    begin = starts[2]
    if what == "data":
        content[begin + 80] ^= 0xFF
    else:
        content[begin : begin + 9] = struct.pack("<BQ", 99, 1 << 60)
    path.write_bytes(content)
    with pytest.raises(SessionFileError):
        read_mcap(path)
    track = read_mcap(path, recover=True)
    assert track.index.tolist() == [*range(20), *range(30, 60)]


def test_losing_the_start_does_not_lose_the_rest(path: Path) -> None:
    content = bytearray(recording(60, flush_every=10))
    content[0:400] = bytes(400)
    path.write_bytes(content)
    assert len(read_mcap(path, recover=True)) >= 50


def _places(content: bytes, pattern: bytes) -> list[int]:
    found, at = [], content.find(pattern)
    while at >= 0:
        found.append(at)
        at = content.find(pattern, at + 1)
    return found


def test_mutated_files_never_do_more_than_refuse(path: Path) -> None:
    content = recording(40, reliefs=True)
    chance = random.Random(3)
    for _ in range(150):
        mutated = bytearray(content)
        for _ in range(chance.randint(1, 6)):
            mutated[chance.randrange(len(mutated))] = chance.randrange(256)
        path.write_bytes(mutated)
        try:
            read_mcap(path)
            list(read_details(path))
        except SessionFileError:
            pass
        try:
            track = read_mcap(path, recover=True)
        except SessionFileError as error:
            assert "newer version" in str(error)
        else:
            assert np.isfinite(track.expression[track.valid]).all()


@pytest.mark.parametrize("content", [b"", b"\x00", b"not an mcap file at all", bytes(5000)])
def test_files_of_another_kind(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SessionFileError, match=r"damaged, cut short or none at all: `recover` .*\.$"):
        read_mcap(path)
    assert len(read_mcap(path, recover=True)) == 0


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.mcap", tmp_path):
        with pytest.raises(SessionFileError, match="There is no recording"):
            read_mcap(path)


def _foreign(metadata: dict[str, str] | None = None) -> tuple[Writer, io.BytesIO]:
    file = io.BytesIO()
    writer = Writer(cast(Any, file))
    writer.start()
    if metadata is not None:
        writer.add_metadata("mien", metadata)
    return writer, file


def test_another_programs_mcap(path: Path) -> None:
    writer, file = _foreign()
    schema = writer.register_schema("sensor_msgs/Imu", "ros2msg", b"float64 x")
    channel = writer.register_channel("/face/state", "cdr", schema)
    writer.add_message(channel, 0, b"\x00\x01", 0)
    writer.finish()  # type: ignore[no-untyped-call]
    path.write_bytes(file.getvalue())
    with pytest.raises(SessionFileError, match="no recording of Mien"):
        read_mcap(path)
    assert len(read_mcap(path, recover=True)) == 0


@pytest.mark.parametrize("recover", [False, True])
def test_a_newer_version(path: Path, recover: bool) -> None:
    writer, file = _foreign({"schema_version": "99"})
    writer.finish()  # type: ignore[no-untyped-call]
    path.write_bytes(file.getvalue())
    with pytest.raises(SessionFileError, match=r"newer version of Mien: update Mien\.$"):
        read_mcap(path, recover=recover)


def test_a_chunk_that_unpacks_to_gigabytes_is_not_unpacked(path: Path) -> None:
    bomb = zstandard.compress(bytes(200 << 20))
    assert len(bomb) < 100_000
    for claimed in (1000, 200 << 20):
        body = struct.pack("<QQQI", 0, 0, claimed, 0) + struct.pack("<I", 4) + b"zstd" + struct.pack("<Q", len(bomb))
        _, file = _foreign({"schema_version": "1"})
        file.write(struct.pack("<BQ", 6, len(body) + len(bomb)) + body + bomb)
        path.write_bytes(file.getvalue())
        reader = RecordFile(path, recover=True)
        assert not list(reader.messages(*records.TOPICS)) and reader.damaged == 1


def test_lengths_beyond_the_file_take_no_memory(path: Path) -> None:
    _, file = _foreign({"schema_version": "1"})
    file.write(struct.pack("<BQ", 6, 1 << 62))
    path.write_bytes(file.getvalue())
    with pytest.raises(SessionFileError, match="damaged"):
        read_mcap(path)
    assert len(read_mcap(path, recover=True)) == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: setattr(record.smoothed.expression, "jawOpen", float("nan")),
        lambda record: setattr(record.smoothed.expression, "jawOpen", 7.0),
        lambda record: setattr(record.smoothed.translation, "x", float("inf")),
        lambda record: setattr(record.raw.gaze, "left_yaw", float("nan")),
        lambda record: setattr(record.smoothed.rotation, "w", 9.0),
        lambda record: record.smoothed.rotation.Clear(),
        lambda record: setattr(record.camera, "focal", -1.0),
        lambda record: setattr(record, "state", "asleep"),
        lambda record: setattr(record, "valid", False),
        lambda record: setattr(record, "confidence", float("nan")),
        lambda record: record.ClearField("smoothed"),
        lambda record: setattr(record.stages[0], "ms", float("inf")),
    ],
)
def test_frames_with_impossible_numbers_are_refused(path: Path, spoil: Any) -> None:
    record = face_record(face_at(0), 0, times_at(0))
    face_of_record(record)
    spoil(record)
    with pytest.raises(BadRecordError):
        face_of_record(record)
    file = io.BytesIO()
    writer = RecordWriter(file)
    writer.append(records.FACE, record, times_at(0))
    writer.face(face_at(1), 1, times_at(1))
    writer.finish()
    path.write_bytes(file.getvalue())
    with pytest.raises(SessionFileError, match="damaged"):
        read_mcap(path)
    assert read_mcap(path, recover=True).index.tolist() == [1]


def test_relief_that_lies_about_its_size_is_refused() -> None:
    good = detail_record(relief(1), times_at(0))
    for change in (
        {"height": 1 << 30},
        {"height": 0},
        {"height": 8},
        {"encoding": "other"},
        {"data": b"nothing"},
        {"data": zlib.compress(bytes(50 << 20))},
    ):
        record = records.DetailMap()
        record.CopyFrom(good)
        for name, value in change.items():
            setattr(record, name, value)
        with pytest.raises(BadRecordError):
            detail_map(record)


def test_chunks_of_other_compressions_are_refused(path: Path) -> None:
    file = io.BytesIO()
    writer = Writer(cast(Any, file), compression=CompressionType.LZ4)
    writer.start()
    writer.add_metadata("mien", {"schema_version": "1"})
    schema = writer.register_schema("mien.FaceState", "protobuf", b"")
    writer.add_message(writer.register_channel("/face/state", "protobuf", schema), 0, b"", 0)
    writer.finish()  # type: ignore[no-untyped-call]
    path.write_bytes(file.getvalue())
    with pytest.raises(SessionFileError, match="damaged"):
        read_mcap(path)
