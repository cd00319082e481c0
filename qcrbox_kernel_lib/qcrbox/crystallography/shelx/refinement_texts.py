"""What the texts of a CIF say about a refinement, in terms of SHELX: weights and extinction."""

from __future__ import annotations

import re

# a b c d e f of w = q / [σ²(Fo²) + (aP)² + bP + d + e sin θ/λ], P = f max(Fo², 0) + (1 - f) Fc²;
# q = 1 (c = 0), exp[c (sin θ/λ)²] (c > 0), 1 - exp[c (sin θ/λ)²] (c < 0). SHELXL, instruction WGHT.
Weights = tuple[float, ...]
THIRD = 1 / 3
DEFAULT: Weights = (0.1, 0.0, 0.0, 0.0, 0.0, THIRD)
SIGMA: Weights = (0.0, 0.0, 0.0, 0.0, 0.0, THIRD)
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def complete(weights: Weights) -> Weights:
    """All six numbers, the missing ones by SHELXL's defaults."""
    return (*(float(x) for x in weights[:6]), *DEFAULT[len(weights) :])


def weight_card(weights: Weights | None) -> str:
    """WGHT with as many numbers as matter; unit weights have no instruction in SHELXL."""
    if weights is None:
        return "REM unit weights, w = 1"
    numbers = complete(weights)
    if numbers[2:] == DEFAULT[2:] or (not any(numbers[2:5]) and abs(numbers[5] - THIRD) < 1e-4):
        return f"WGHT {numbers[0]:10.6f} {numbers[1]:10.6f}"
    return "WGHT " + " ".join(f"{number:.6g}" for number in numbers)


def details(weights: Weights | None) -> str:
    """The scheme as `_refine_ls_weighting_details` wants it; `parse_details` reads it back."""
    if weights is None:
        return "w=1"
    a, b, c, d, e, f = complete(weights)
    terms = [r"\s^2^(Fo^2^)"]
    terms += [f"({a:.4f}P)^2^"] if a else []
    terms += [f"{b:.4f}P"] if b else []
    terms += [f"{d:.4f}"] if d else []
    terms += [rf"{e:.4f}sin\q/\l"] if e else []
    q = "1" if not c else rf"exp[{c:.4f}(sin\q/\l)^2^]" if c > 0 else rf"(1-exp[{c:.4f}(sin\q/\l)^2^])"
    p = "(Fo^2^+2Fc^2^)/3" if abs(f - THIRD) < 1e-4 else f"{f:.4f}Fo^2^+{1 - f:.4f}Fc^2^"
    return f"w={q}/[{'+'.join(terms)}]" + (f" where P={p}" if a or b else "")


def parse_details(text: str | None) -> Weights | str | None:
    """The scheme of a published `_refine_ls_weighting_details`: six numbers, None for w = 1, or "" when not understood.

    Read are the texts of SHELXL, Olex2, JANA, CRYSTALS and of this program: σ²(F²) with terms in P, Fo² or I.
    """
    plain = re.sub(r"\s+", "", (text or "").replace("~", "").replace("{", "[").replace("}", "]"))
    plain = (
        plain.replace("\\s", "σ")
        .replace("\\sigma", "σ")
        .replace("\\q", "θ")
        .replace("\\l", "λ")
        .replace("sigma", "σ")
    )
    plain = plain.replace("σ(Fo)^2^", "σ^2^(Fo)").replace("|", "").replace("^", "")
    head, _, rest = plain.partition("where")
    if re.fullmatch(r"(?:w=)?1(?:\.0*)?|unit(?:weights)?", head, re.IGNORECASE):
        return None
    match = re.match(
        r"(?:calc|Method=.{0,20}Sheldrick)?w=(?P<q>1(?:\.0*)?|exp\[.*?\]|\(1-exp\[.*?\]\))/[\[(]*(?:σ2|\(?σ\)?2)(?P<of>\([FI]o?(?:bs)?2?\))?(?P<terms>.*)",
        head,
        re.IGNORECASE,
    )
    if match is None:
        return ""
    amplitude = (match["of"] or "(F2)").strip("()").lower().removesuffix("bs") in ("f", "fo")
    found = _terms(match["terms"])
    if found is None or amplitude:
        return ""
    a, b, d, e, f = found
    c = re.search(NUMBER, match["q"][4:]) if "exp" in match["q"] else None
    if "P=" in rest and (a or b):
        share = _share_of_fo(rest.partition("P=")[2])
        if share is None:
            return ""
        f = share
    return (a, b, float(c[0]) if c else 0.0, d, e, f)


def _share_of_fo(text: str) -> float | None:
    """f of P = f max(Fo², 0) + (1 - f) Fc²; None for another P."""
    plain = re.sub(r"MAX|,0(?:\.0*)?|(?<![\d.])0,|[()\[\]*]", "", text.upper().replace("F2", "FO2")).rstrip(
        ".,;"
    )
    stated = re.match(rf"({NUMBER})FO2", plain)
    if stated and "/" not in plain:
        return float(stated[1])
    known = {
        "FO2": 1.0,
        "FC2": 0.0,
        "FO2+FC2/2": 0.5,
        "FO2+2FC2/3": THIRD,
        "2FC2+FO2/3": THIRD,
        "1/3FO2+2/3FC2": THIRD,
    }
    return known.get(plain, known.get(plain.split("AND")[0]))


def _terms(text: str) -> tuple[float, float, float, float, float] | None:
    """a, b, d, e and f of the terms after σ², or None for a term that is not known."""
    a = b = d = e = 0.0
    f = THIRD
    text = text.split("]")[0] if "]" in text else text.rstrip(".,;")
    depth = 0
    for i, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth < 0:
            text = text[:i]
            break
    if text.endswith("P=(Fo2+2Fc2)/3"):
        text = text.removesuffix("P=(Fo2+2Fc2)/3").rstrip(",;")
    for term in filter(None, text.split("+")):
        number = re.search(NUMBER, term)
        value = float(number[0]) if number else 1.0
        shape = (term.replace(number[0], "", 1) if number else term).replace("*", "").upper()
        if shape in ("(P)2", "[P]2", "(P)"):
            a = value
        elif shape == "P2":
            a = value**0.5
        elif shape == "P":
            b = value
        elif shape in ("I2", "(I)2", "F4", "FO4", "(FO2)2", "(F2)2", "IO2"):
            a, f = (value if shape.startswith("(") else value**0.5), 1.0
        elif shape == "":
            d = value
        elif shape in ("SINΘ/Λ", "SIN(Θ)/Λ", "(SINΘ/Λ)"):
            e = value
        else:
            return None
    return a, b, d, e, f


def is_shelx_extinction(method: str | None, expression: str | None) -> bool:
    """Whether the texts of a CIF mean this formula. A bare coefficient is taken for it."""
    text = f"{method or ''} {expression or ''}"
    if re.search(r"shelx|0\.001", text, re.IGNORECASE):
        return True
    return not re.search(
        r"zachariasen|larson|becker|coppens|b-c|sabine|gaussian|lorentz|type", text, re.IGNORECASE
    )
