"""The figures of a benchmark as rows for people."""

from __future__ import annotations

from typing import Any

__all__ = ["rows"]


def rows(report: dict[str, Any]) -> list[tuple[str, str]]:
    """(what, value) for each figure of `app.benchmarking.run.benchmark`."""
    found = [
        ("pictures a second", f"{report['fps']:.1f}"),
        ("latency", _ms(report["latency_ms"])),
        *((f"  {name}", _ms(values)) for name, values in report["stages_ms"].items()),
        ("MediaPipe alone, Mien in turns", _pair(report["baseline"])),
        ("peak memory", f"{report['peak_memory_mb']:.0f} MB"),
        ("first face after", f"{report['startup_s']:.1f} s"),
    ]
    if "render" in report:
        found.append(("drawn", f"{report['render']['fps']:.1f} pictures a second, {_ms(report['render'])}"))
    if (coarse := report.get("coarse")) is not None:
        led = f", led {100 * coarse['led_share']:.0f} % of the pictures" if coarse["mode"] == "lead" else ""
        found += [
            (f"coarse network ({coarse['mode']}, {coarse['preset']})", _optional_ms(coarse, "ms") + led),
            *_engine("  engine", coarse["engine"]),
        ]
    if (detail := report.get("detail")) is not None:
        small = "faces of any size encoded" if not detail["smallest_face"] else f"{detail['smallest_face']} px or wider"
        live = f"live in {100 * detail['live_share']:.0f} % of the results"
        found += [
            (f"detail ({detail['preset']})", f"{detail['hz']:.1f} decodes a second, {live}; {small}"),
            ("  encode", _optional_ms(detail, "encode_ms")),
            *_engine("  encoder", detail["encoder"]),
            ("  decode", _optional_ms(detail, "decode_ms")),
            *_engine("  decoder", detail["decoder"]),
            ("driving a person's avatar instead", _optional_ms(detail, "driving_ms")),
        ]
    if (outputs := report.get("outputs")) is not None:
        recording, camera, stream = (outputs[name] for name in ("recording", "virtual_camera", "stream"))
        size = " x ".join(map(str, camera["size"]))
        found += [
            ("recorded", f"{recording['stored_frames']} of {recording['frames']} pictures"),
            ("virtual camera", f"{camera['sent_per_s']:.1f} pictures a second of {size}, {camera['drawn']} drawn"),
            ("stream", f"{stream['packets']} packets, {stream['received']} received"),
        ]
    return found


def _ms(values: dict[str, float]) -> str:
    return f"{values['p50']:.1f} ms, 95 % under {values['p95']:.1f} ms"


def _optional_ms(part: dict[str, Any], key: str) -> str:
    return _ms(part[key]) if key in part else "did not run"


def _pair(baseline: dict[str, float]) -> str:
    return f"{baseline['mediapipe_fps']:.1f}, {baseline['mien_fps']:.1f} pictures a second"


def _engine(name: str, facts: dict[str, Any]) -> list[tuple[str, str]]:
    off = f", off by {100 * facts['difference']:.1f} %" if facts["difference"] is not None else ""
    took = f", self-test {facts['self_test_ms']:.1f} ms" if facts["self_test_ms"] is not None else ""
    passed = [(f"{name} passed over", f"{kind}: {reason}") for kind, reason in facts["passed_over"].items()]
    return [(name, f"{facts['name']}{off}{took}"), *passed]
