"""Work that a command or a button starts: tracking inputs into session folders, rendering videos. No Qt."""
