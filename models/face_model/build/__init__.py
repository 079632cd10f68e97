"""Builds the shipped head from CC0 MakeHuman data: `python -m models.face_model.build --help`.

A development-time tool: the program itself only reads the file that this writes.
"""
