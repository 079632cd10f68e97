"""Asks which phone or program to take a face from."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from app.views.form_dialog import FormDialog
from app.window.texts import tr
from app.window_settings import SourceSettings
from tracking.streams.base import StreamError
from tracking.streams.receivers.choose import RECEIVERS, make_receiver


class ReceiverDialog(FormDialog):
    """Protocol and addresses.

    Args:
        source: what is open, whose values are offered.
    """

    def __init__(self, source: SourceSettings, parent: QWidget | None = None) -> None:
        hint = tr(
            "A phone reaches this computer only where it listens to the network: 0.0.0.0, or its own address."
            " Anyone there can then send a face."
        )
        super().__init__(tr("A face from a phone or another program"), hint, tr("Receive"), 480, parent)
        known = source.kind == "receiver"
        self.protocol = QComboBox()
        for key, (name, _) in RECEIVERS.items():
            self.protocol.addItem(name, key)
        self.protocol.setCurrentIndex(max(0, self.protocol.findData(source.name if known else "live_link")))
        self.listen_on = QLineEdit(source.listen_on if known else "127.0.0.1")
        self.listen_on.setToolTip(tr("0.0.0.0 listens to the whole network, 127.0.0.1 to this computer alone"))
        self.port = QLineEdit(str(source.port or "") if known else "")
        self.phone = QLineEdit(source.path if known else "")
        self.phone.setPlaceholderText(tr("Address of the phone, if it is to be asked to start"))
        self.form.addRow(tr("From"), self.protocol)
        self.form.addRow(tr("Listen on"), self.listen_on)
        self.form.addRow(tr("Port"), self.port)
        self.form.addRow(tr("Phone"), self.phone)
        self.protocol.currentIndexChanged.connect(self._on_protocol)
        self._on_protocol()

    def _on_protocol(self) -> None:
        key = self.protocol.currentData()
        self.port.setPlaceholderText(str(RECEIVERS[key][1]))
        self.form.setRowVisible(self.phone, key == "ifacialmocap")

    def _on_act(self) -> None:
        key, port = self.protocol.currentData(), self.port.text().strip()
        phone = self.phone.text().strip() if key == "ifacialmocap" else ""
        try:
            if port and not (port.isdecimal() and 1 <= int(port) <= 65535):
                raise StreamError(tr("A port is a number from 1 to 65535."))
            number = int(port) if port else None
            make_receiver(key, self.listen_on.text().strip(), number, phone)
        except StreamError as error:
            self._complain(str(error))
            return
        self._done(
            SourceSettings(kind="receiver", name=key, listen_on=self.listen_on.text().strip(), port=number, path=phone)
        )
