"""Where OpenCV's YuNet puts the point between the eyes, beside the model: only on what people marked.

YuNet labelled most of the other pictures (`teacher` in ``all_faces.csv``), so on those it would be compared with its
own answers, and a model taught from them with its teacher. Only pictures whose most prominent face was marked by people
allow a fair comparison. Even there the two differ in what an eye's centre is: people's marks go round the lids, and
their mean is taken, which is also what the model was taught from such pictures.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from training.command import progress
from training.data.pixels import read_bgr
from training.data.table import Picture
from training.errors import WorkshopError
from training.judging.answer import Answer, is_in_place, nearest_face
from training.judging.keypoint_error import keypoint_errors

#: A face counts from this score on. Low, so that YuNet is not judged by what it was too careful to say.
SCORE_THRESHOLD = 0.6


class YuNet:
    """The detector of a file such as ``face_detection_yunet_2023mar.onnx``; WorkshopError where it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        if not path.is_file():
            raise WorkshopError(f"{path}: no such file; give the ONNX file of OpenCV's YuNet face detector")
        with _quiet():
            try:
                self._detector = cv2.FaceDetectorYN.create(str(path), "", (320, 320), SCORE_THRESHOLD)
            except cv2.error as error:
                raise self._unfit(error) from None
        self.answer(np.zeros((32, 32, 3), np.uint8))

    def answer(self, pixels: NDArray[np.uint8]) -> tuple[float, tuple[float, float]] | None:
        """Score and middle between the eyes, pixels, of the surest face of (H, W, 3) BGR at its own size, or None."""
        height, width = pixels.shape[:2]
        with _quiet():
            try:
                self._detector.setInputSize((width, height))
                _, faces = self._detector.detect(pixels)
            except cv2.error as error:
                raise self._unfit(error) from None
        if faces is None or not len(faces):
            return None
        # Columns: box x, y, width, height, then x, y of right eye, left eye, nose and mouth's corners, then the score.
        best = faces[faces[:, 14].argmax()]
        return float(best[14]), (float(best[4] + best[6]) / 2, float(best[5] + best[7]) / 2)

    def _unfit(self, error: cv2.error) -> WorkshopError:
        return WorkshopError(
            f"{self._path}: OpenCV {cv2.__version__} cannot run it as a YuNet face detector ({_one_line(error)}); "
            "give the ONNX file of OpenCV's face_detection_yunet"
        )


def yunet_answers(path: Path, pictures: Sequence[Picture]) -> list[Answer]:
    """YuNet's answers to ``pictures``; one without a face has probability 0 and no place."""
    detector, answers = YuNet(path), []
    for picture in progress(pictures, "judging YuNet"):
        found = detector.answer(read_bgr(picture.path))
        answers.append(Answer(picture, *(found or (0.0, None))))
    return answers


def is_human_marked(picture: Picture) -> bool:
    """Whether people marked the picture's most prominent face."""
    return picture.positive and picture.faces[0].marked_by == "human"


def compare_keypoints(model: Sequence[Answer], threshold: float, yunet: Sequence[Answer]) -> dict[str, Any]:
    """Keypoint errors of both on the pictures where both found a human-marked face in place.

    ``model`` and ``yunet``: answers to the same human-marked pictures in the same order. A picture where either's place
    is nearest to another face of it (not marked by people) does not count for the errors.
    """
    both = [
        (a, b)
        for a, b in zip(model, yunet, strict=True)
        if a.probability >= threshold and _on_human_mark(a) and _on_human_mark(b)
    ]
    return {
        "pictures": len(model),
        "found_in_place": {
            "model": sum(a.probability >= threshold and is_in_place(a) for a in model),
            "yunet": sum(map(is_in_place, yunet)),
        },
        "both": len(both),
        "error": {
            "model": keypoint_errors([a for a, _ in both]),
            "yunet": keypoint_errors([b for _, b in both]),
        },
    }


def _on_human_mark(answer: Answer) -> bool:
    nearest = nearest_face(answer)
    return nearest is not None and nearest[0].marked_by == "human" and is_in_place(answer)


@contextmanager
def _quiet() -> Iterator[None]:
    """OpenCV's own messages kept off the terminal: what matters of them comes as an exception."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)


def _one_line(error: cv2.error) -> str:
    return str(error).strip().splitlines()[0]
