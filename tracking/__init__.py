"""From pictures to animated faces: sources, landmarks, fit, smoothing, calibration and the threaded pipeline."""
