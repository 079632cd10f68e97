"""Which of MediaPipe's 478 points is which of the 68 points of the iBUG convention.

The 17 contour points have no fixed place on a face that turns; theirs serve as names for frontal views and are replaced
by silhouette vertices where it matters. Left and right of the comments are the subject's.
"""

MEDIAPIPE_OF_68: tuple[int, ...] = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152),  # contour, right ear to chin
    *(400, 379, 365, 288, 361, 323, 454, 356),  # contour, chin to left ear
    *(70, 63, 105, 66, 107),  # right brow
    *(336, 296, 334, 293, 300),  # left brow
    *(168, 197, 5, 4),  # bridge of the nose
    *(75, 97, 2, 326, 305),  # under the nose
    *(33, 160, 158, 133, 153, 144),  # right eye
    *(362, 385, 387, 263, 373, 380),  # left eye
    *(61, 39, 37, 0, 267, 269, 291),  # upper lip, outer
    *(405, 314, 17, 84, 181),  # lower lip, outer
    *(78, 82, 13, 312, 308),  # upper lip, inner
    *(317, 14, 87),  # lower lip, inner
)
