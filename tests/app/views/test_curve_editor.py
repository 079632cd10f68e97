"""Response curves under the mouse and the keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.views.curve_editor import CurveEditor, Points
from app.views.retarget_dialog import RetargetDialog
from app.window.style import Style
from tracking.retarget.settings import ChannelCurve, RetargetSettings

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def style(qapp: QApplication) -> Style:
    return Style(qapp)


@pytest.fixture
def editor(style: Style) -> CurveEditor:
    editor = CurveEditor(style)
    editor.resize(260, 260)
    editor.show()
    return editor


def at(editor: CurveEditor, x: float, y: float) -> QPoint:
    return editor.place_of(x, y).toPoint()


def drag(editor: CurveEditor, start: tuple[float, float], *through: tuple[float, float]) -> None:
    QTest.mousePress(editor, LEFT, pos=at(editor, *start))
    for place in through:
        QTest.mouseMove(editor, at(editor, *place))
    QTest.mouseRelease(editor, LEFT, pos=at(editor, *through[-1]))


def close(found: Points, wanted: Points) -> bool:
    return len(found) == len(wanted) and all(
        abs(a - b) < 0.02 for p, q in zip(found, wanted, strict=True) for a, b in zip(p, q, strict=True)
    )


def test_pressing_beside_the_line_adds_a_point_that_follows_the_mouse(editor: CurveEditor) -> None:
    told: list[Points] = []
    editor.changed.connect(told.append)
    assert editor.points == ()
    drag(editor, (0.5, 0.2), (0.5, 0.5), (0.4, 0.8))
    assert close(editor.points, ((0, 0), (0.4, 0.8), (1, 1)))
    assert told[-1] == editor.points and len(told) >= 2


def test_a_point_stays_between_its_neighbours_and_inside(editor: CurveEditor) -> None:
    editor.show_points(((0.0, 0.0), (0.5, 0.5), (1.0, 1.0)))
    drag(editor, (0.5, 0.5), (1.4, 1.7))
    assert close(editor.points, ((0, 0), (0.99, 1), (1, 1)))
    drag(editor, (0.0, 0.0), (-0.5, 0.3))
    assert close(editor.points[:1], ((0, 0.3),))


def test_a_double_click_removes_a_point_and_the_last_ones_leave_a_straight_line(editor: CurveEditor) -> None:
    editor.show_points(((0.0, 0.2), (0.5, 0.9), (1.0, 1.0)))
    QTest.mouseDClick(editor, LEFT, pos=at(editor, 0.5, 0.9))
    assert editor.points == ((0.0, 0.2), (1.0, 1.0))
    QTest.mouseDClick(editor, LEFT, pos=at(editor, 0.0, 0.2))
    assert len(editor.points) == 0


def test_keys_do_all_that_the_mouse_does(editor: CurveEditor) -> None:
    QTest.keyClick(editor, Qt.Key.Key_Insert)
    assert close(editor.points, ((0, 0), (0.5, 0.5), (1, 1)))
    QTest.keyClick(editor, Qt.Key.Key_Up)
    QTest.keyClick(editor, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert close(editor.points, ((0, 0), (0.49, 0.55), (1, 1)))
    QTest.keyClick(editor, Qt.Key.Key_PageDown)
    QTest.keyClick(editor, Qt.Key.Key_Down)
    assert close(editor.points[2:], ((1, 0.95),))
    QTest.keyClick(editor, Qt.Key.Key_PageUp)
    QTest.keyClick(editor, Qt.Key.Key_Delete)
    assert close(editor.points, ((0, 0), (1, 0.95)))


def test_no_more_points_than_can_be_kept(editor: CurveEditor) -> None:
    for _ in range(40):
        QTest.keyClick(editor, Qt.Key.Key_Insert)
    assert len(editor._points) == 16
    ChannelCurve(points=editor._points)


def test_bending_in_the_dialog_is_one_step_back(style: Style) -> None:
    told: list[RetargetSettings] = []
    dialog = RetargetDialog(RetargetSettings(), style)
    dialog.changed.connect(told.append)
    dialog.show()
    QTest.mouseClick(dialog.curves["browInnerUp"], LEFT)
    drag(dialog.editor, (0.5, 0.2), (0.5, 0.6), (0.4, 0.7), (0.3, 0.9))
    assert close(told[-1].channels["browInnerUp"].points, ((0, 0), (0.3, 0.9), (1, 1)))
    drag(dialog.editor, (0.3, 0.9), (0.3, 0.4))
    QTest.mouseClick(dialog.undo, LEFT)
    assert close(told[-1].channels["browInnerUp"].points, ((0, 0), (0.3, 0.9), (1, 1)))
    assert close(dialog.editor.points, ((0, 0), (0.3, 0.9), (1, 1)))
    QTest.mouseClick(dialog.undo, LEFT)
    assert told[-1].channels == {}
    dialog.close()


def test_the_curve_of_the_left_goes_to_the_right(style: Style) -> None:
    told: list[RetargetSettings] = []
    dialog = RetargetDialog(RetargetSettings(), style)
    dialog.changed.connect(told.append)
    dialog.show()
    dialog.choose_curve("mouthSmileLeft")
    drag(dialog.editor, (0.5, 0.9), (0.5, 0.8))
    QTest.mouseClick(dialog.copy, LEFT)
    channels = told[-1].channels
    assert channels["mouthSmileRight"] == channels["mouthSmileLeft"] and channels["mouthSmileLeft"].points
    dialog.choose_curve("mouthSmileRight")
    assert dialog.editor.points == channels["mouthSmileLeft"].points
    QTest.mouseClick(dialog.straighten, LEFT)
    assert told[-1].channels["mouthSmileRight"].points == ()
    dialog.close()
