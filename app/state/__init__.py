"""What the window shows and changes, as models with events and without Qt: one view class in `app/views` for each.

Models belong to the GUI thread. What other threads find out waits in plain attributes until the window's own timer
fetches it (`poll`), so that no event is ever sent from one thread to another.
"""
