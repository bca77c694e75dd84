"""What a library says of its failure, brought to one line for people: the cause, not the place in its own source."""

import re

#: So much of a library's text is shown.
LONGEST = 300

#: ONNX Runtime begins with its own name and codes, as often as one part of it calls another.
_CODES = re.compile(r"\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : ")
#: Then the line of its source and the C++ signature of the function: balanced brackets, one in another at most twice.
_SIGNATURE = re.compile(
    r"\S*\.(?:cc|cpp|h|hpp):\d+ (?:[^()]*?\w\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)(?: const)?|[A-Z]\w+)(?= )"
)
_IR = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
_OPSET = re.compile(r"Opset (\d+) is under development .* support for domain (\S+) is till opset (\d+)")


def one_line(error: Exception) -> str:
    """The text of ``error`` without line breaks, codes and C++ signatures, at most LONGEST characters.

    Of a longer one the beginning and the end are kept: libraries say at the end what is wrong.
    """
    text = _without_places(error)
    if len(text) <= LONGEST:
        return text
    begin = LONGEST // 3
    return f"{text[:begin]} … {text[begin + 3 - LONGEST :]}"


def why_not_opened(error: Exception) -> str:
    """What is wrong with a model that ONNX Runtime does not open, and what to do where that is known."""
    text = _without_places(error)
    too_new = _IR.search(text)
    if too_new:
        return (
            f"its IR version is {too_new[1]}, this ONNX Runtime reads up to {too_new[2]}; "
            "export it again with an older onnx, or update onnxruntime"
        )
    too_new = _OPSET.search(text)
    if too_new:
        return (
            f"its opset of {too_new[2]} is {too_new[1]}, this ONNX Runtime knows up to {too_new[3]}; "
            "export it again for an older opset, or update onnxruntime"
        )
    return one_line(error)


def _without_places(error: Exception) -> str:
    text = " ".join(str(error).split())
    return " ".join(_SIGNATURE.sub("", _CODES.sub("", text)).split())
