"""The settings' page of tracking: who is in front of the camera, and what the coarse network does."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from app.state.avatars import AvatarsState
from app.state.coarse import CoarseStage, CoarseState
from app.state.preferences import Preferences
from app.views.widgets import Segmented, muted
from app.window.texts import tr


class CoarsePage(QWidget):
    """Every change can be undone; it holds once the network is ready.

    Args:
        preferences: changed.
        avatars: who there is to choose from.
        state: how the network stands.
    """

    def __init__(
        self, preferences: Preferences, avatars: AvatarsState, state: CoarseState, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._preferences, self._avatars, self._state = preferences, avatars, state
        self.mode = Segmented(
            [
                ("off", tr("Off"), tr("Landmarks and their fit alone")),
                ("opinion", tr("Second opinion"), tr("It weighs in on every picture")),
                ("lead", tr("Leads"), tr("It follows the face; the landmarks look after it every few pictures")),
            ],
            tr("Coarse network"),
        )
        self.mode.chosen.connect(lambda value: self._edit(tr("coarse network"), mode=value))
        self.preset = Segmented(
            [
                ("lite", tr("Small"), tr("Runs on a processor, and sees more exactly so far")),
                ("paper", tr("As in the paper"), tr("Several times slower: for a graphics card")),
            ],
            tr("Size of the coarse network"),
        )
        self.preset.chosen.connect(self._choose_preset)
        self.person = QComboBox()
        self.person.setAccessibleName(tr("Who is in front of the camera"))
        self.person.setToolTip(
            tr("Somebody with an avatar is tracked with its face, known from the first picture; anybody's is learned")
        )
        self.person.activated.connect(self._choose)
        self.stands = QLabel()
        self.stands.setWordWrap(True)
        self.wrinkles = QLabel()
        self.wrinkles.setWordWrap(True)
        form = QFormLayout()
        form.setVerticalSpacing(16)
        form.setHorizontalSpacing(24)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow(tr("In front of the camera"), self.person)
        form.addRow(tr("Coarse network"), self.mode)
        form.addRow(tr("Its size"), self.preset)
        form.addRow(tr("Now"), self.stands)
        form.addRow(tr("Wrinkles"), self.wrinkles)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 18, 8, 8)
        column.setSpacing(18)
        column.addLayout(form)
        column.addWidget(
            muted(
                tr(
                    "Somebody with an avatar is tracked with its face, known from the first picture on. Anybody else's"
                    " is learned in the first seconds."
                )
            )
        )
        column.addWidget(
            muted(
                tr(
                    "The coarse network is a vision transformer that reads the whole face off the picture. It makes"
                    " weak expressions and the head's rotation somewhat surer and costs time in every picture. While it"
                    " is on, avatars that are made from pictures teach it their face, a minute or two each."
                )
            )
        )
        column.addStretch(1)
        preferences.changed.connect(self._on_settings)
        avatars.list_changed.connect(self._on_avatars)
        state.changed.connect(self._on_state)
        self._on_avatars()
        self._on_state()

    def disconnect_models(self) -> None:
        """The dialog closes."""
        self._preferences.changed.disconnect(self._on_settings)
        self._avatars.list_changed.disconnect(self._on_avatars)
        self._state.changed.disconnect(self._on_state)

    def _edit(self, text: str, **values: object) -> None:
        before = self._preferences.settings.tracker.coarse
        self._preferences.edit_coarse(text, before.model_copy(update=values))

    def _choose(self, index: int) -> None:
        person = self.person.itemData(index)
        self._preferences.edit_person(tr("person in front of the camera"), person, adapted=self._adapted(person))

    def _choose_preset(self, preset: str) -> None:
        tracker = self._preferences.settings.tracker
        # A person's adapters belong to the small network.
        person = tracker.person if preset == "lite" and self._adapted(tracker.person) else None
        self._edit(tr("size of the coarse network"), preset=preset, person=person)

    def _adapted(self, person: Path | None) -> bool:
        return any(c.adapted and c.path == person for c in self._avatars.choices)

    def _on_settings(self, *_: object) -> None:
        tracker = self._preferences.settings.tracker
        self.mode.show_choice(tracker.coarse.mode)
        self.preset.show_choice(tracker.coarse.preset)
        # Settings of earlier versions name a person to the network alone.
        person = tracker.person or tracker.coarse.person
        # Qt compares what it does not know by identity, and paths are made anew.
        known = [self.person.itemData(index) for index in range(self.person.count())]
        if person not in known:
            assert person is not None
            self.person.addItem(person.stem, person)
            known.append(person)
        self.person.setCurrentIndex(known.index(person))

    def _on_avatars(self) -> None:
        self.person.clear()
        self.person.addItem(tr("Anybody"), None)
        for choice in self._avatars.choices:
            if choice.can_be_renamed and choice.path is not None:
                self.person.addItem(choice.name, Path(choice.path))
        self._on_settings()

    def _on_state(self) -> None:
        texts = {
            CoarseStage.OFF: tr("Off"),
            CoarseStage.PREPARING: tr("Being prepared; the first time takes half a minute"),
            CoarseStage.ON: tr("On: {engine}", engine=self._state.engine),
        }
        self.stands.setText(texts[self._state.stage])
        self.wrinkles.setText(self._state.detail_engine or tr("No view has shown any yet"))
