"""The terms of a model, as far as its origin tells them: nothing is claimed that nobody told."""

from training.fit.origin import Origin

#: How the licence of a model begins that may be used for research only; whoever begins with it inherits that.
RESEARCH_ONLY = "research use only"
#: The sources of the released weights (THIRD_PARTY_NOTICES.md): several of these sets allow research only.
RESEARCH_SOURCES = frozenset(
    (
        *("afw", "bsds", "camvid", "ccp", "ccp_body", "coco", "comp", "face_low", "helen", "imagenet", "lfw", "lspet"),
        *("lspet_crop", "mask", "profile", "scene_crop", "ytf"),
    )
)
RESEARCH_NOTICE = """\
> **Research use only.** Several of the picture sets behind these weights (300-W with HELEN and AFW, Leeds Sports Pose,
> LFW, ImageNet samples, BSDS, CamVid) allow research use only. Do not ship these weights in a commercial product:
> retrain on your own pictures with the command at the end of this page.
"""
_UNKNOWN = "not known: the run has no origin.json; ask who trained it"


def licence_of(origin: Origin | None) -> str:
    """One line for the file's metadata."""
    if origin is None:
        return _UNKNOWN
    restricted = _restricted(origin)
    if restricted:
        return f"{RESEARCH_ONLY} (terms of {', '.join(restricted)}); see the model card"
    untold = [weights.name for weights in origin.weights if weights.licence is None]
    if untold:
        return f"not known: it began with {', '.join(untold)}, whose terms are not told"
    return f"those of its training pictures ({', '.join(origin.sources)}); see the model card"


def notice_of(origin: Origin | None) -> str:
    """The paragraph at the head of the card."""
    if origin is None:
        return _quoted(
            "**Terms not known.** Beside the checkpoint there is no origin.json, so it is not known from which "
            "pictures and weights this network was made. Ask who trained it before you use it."
        )
    restricted = _restricted(origin)
    if set(origin.sources) <= RESEARCH_SOURCES and restricted and not origin.weights:
        return RESEARCH_NOTICE
    if restricted:
        return _quoted(
            f"**Research use only.** That holds for {', '.join(restricted)}, of which this network was made, and so "
            "for it. Do not ship these weights in a commercial product: train from scratch on your own pictures."
        )
    untold = [weights.name for weights in origin.weights if weights.licence is None]
    if untold:
        return _quoted(
            f"**Terms not known.** This network began with {', '.join(untold)}, whose terms are not told. Ask who made "
            "it."
        )
    told = "".join(f" It began with {weights.name}: {weights.licence}." for weights in origin.weights)
    return _quoted(
        f"**Terms.** This network was taught from pictures of {_counted(origin)}.{told} What may be done with it "
        "depends on your rights to those pictures; Nasion claims none and states none."
    )


def notice_of_licence(name: str, licence: str) -> str:
    """The same of a released file ``name``, whose terms are what it says itself."""
    if licence.startswith(RESEARCH_ONLY):
        return RESEARCH_NOTICE
    return _quoted(f"**Terms.** These are the weights of {name}, which says of its terms: {licence}.")


def _restricted(origin: Origin) -> list[str]:
    """What it was made of that allows research only."""
    weights = [w.name for w in origin.weights if w.licence is not None and w.licence.startswith(RESEARCH_ONLY)]
    weights += [
        w.name
        for w in origin.weights
        if w.licence is not None
        and w.licence.startswith("pictures of ")
        and RESEARCH_SOURCES & set(w.licence[len("pictures of ") :].split(", "))
    ]
    return [*weights, *(f"the pictures of {source}" for source in origin.sources if source in RESEARCH_SOURCES)]


def _counted(origin: Origin) -> str:
    return ", ".join(f"`{source}` ({count})" for source, count in origin.sources.items())


def _quoted(text: str) -> str:
    """A block quote of Markdown, wrapped."""
    words, lines = text.split(), [">"]
    for word in words:
        if len(lines[-1]) + 1 + len(word) > 120:
            lines.append(">")
        lines[-1] += f" {word}"
    return "\n".join(lines) + "\n"
