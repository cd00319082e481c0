"""Weights of the least squares: the scheme of SHELXL and the search for its parameters."""

from __future__ import annotations

import re

import numpy as np
from qcrbox.contract.errors import UserInputError

# a b c d e f of w = q / [σ²(Fo²) + (aP)² + bP + d + e sin θ/λ], P = f max(Fo², 0) + (1 - f) Fc²;
# q = 1 (c = 0), exp[c (sin θ/λ)²] (c > 0), 1 - exp[c (sin θ/λ)²] (c < 0). SHELXL, instruction WGHT.
Weights = tuple[float, ...]
THIRD = 1 / 3
DEFAULT: Weights = (0.1, 0.0, 0.0, 0.0, 0.0, THIRD)
SIGMA: Weights = (0.0, 0.0, 0.0, 0.0, 0.0, THIRD)
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"


def complete(weights: Weights) -> Weights:
    """All six numbers, the missing ones by SHELXL's defaults."""
    return (*(float(x) for x in weights[:6]), *DEFAULT[len(weights) :])


def same(first: Weights, second: Weights) -> bool:
    """Whether two schemes agree to the four decimals of a CIF."""
    return all(abs(a - b) < 6e-5 for a, b in zip(complete(first), complete(second), strict=True))


def weights_of(
    weights: Weights | None, fo_sq: np.ndarray, sigma: np.ndarray, fc_sq: np.ndarray, stol_sq: np.ndarray
) -> np.ndarray:
    """w of every reflection, (n,). fo_sq, sigma, fc_sq: (n,) on the scale of Fc²; stol_sq: (sin θ/λ)² in Å⁻².

    weights None: w = 1.
    """
    if weights is None:
        return np.ones(len(fo_sq))
    a, b, c, d, e, f = complete(weights)
    p = f * np.maximum(fo_sq, 0) + (1 - f) * fc_sq
    variance = sigma**2 + (a * p) ** 2 + b * p + d
    if e:
        variance = variance + e * np.sqrt(stol_sq)
    q = 1.0
    if c > 0:
        q = np.exp(c * stol_sq)
    elif c < 0:
        q = np.maximum(1 - np.exp(c * stol_sq), 1e-12)
    return q / np.maximum(variance, 1e-300)


def parse_weighting(text: str) -> tuple[str, Weights | None]:
    """`optimise`, `unit`, `keep`, `sigma`, or up to six numbers → (kind, numbers). Raises UserInputError."""
    word = (text or "optimise").strip().lower()
    if word in ("optimise", "optimize"):
        return "optimise", None
    if word in ("unit", "keep"):
        return word, None
    if word in ("sigma", "statistical"):
        return "fixed", SIGMA
    plain = re.sub(r"[abcdef]\s*=|shelxl?|wght", " ", word)
    numbers = re.findall(_NUMBER, plain)
    if 1 <= len(numbers) <= 6 and not re.sub(rf"{_NUMBER}|[\s,;]", "", plain):
        found = complete(tuple(float(number) for number in numbers))
        if 0 <= found[0] <= 5 and 0 <= found[1] <= 1e6:
            return "fixed", found
    raise UserInputError(
        f"weighting must be optimise, keep, unit, sigma, or up to six numbers a, b, c, d, e, f; you gave {text!r}.",
        where="weighting",
        next='For example weighting="0.05, 0.3" for w = 1/[σ²(Fo²) + (0.05P)² + 0.3P].',
    )


def scheme(weights: Weights | None) -> str:
    """`unit`, `sigma` or `calc`, as `_refine_ls_weighting_scheme` knows them."""
    if weights is None:
        return "unit"
    return "calc" if any(complete(weights)[:5]) else "sigma"


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

    Read are the texts of SHELXL, Olex2, JANA and of this program: σ²(F²) with terms in P, Fo² or I.
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
        r"(?:calc)?w=(?P<q>1(?:\.0*)?|exp\[.*?\]|\(1-exp\[.*?\]\))/[\[(]*(?:σ2|\(?σ\)?2)(?P<of>\([FI]o?(?:bs)?2?\))?(?P<terms>.*)",
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
    c = re.search(_NUMBER, match["q"][4:]) if "exp" in match["q"] else None
    stated = re.match(rf"P=({_NUMBER})F[o]?2", rest)
    if stated:
        f = float(stated[1])
    return (a, b, float(c[0]) if c else 0.0, d, e, f)


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
        number = re.search(_NUMBER, term)
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


def optimise(fo_sq: np.ndarray, sigma: np.ndarray, fc_sq: np.ndarray, n_parameters: int) -> Weights:
    """a and b that make the variance flat: goodness of fit near 1 in ten bins of equal size by Fc.

    fo_sq, sigma, fc_sq: (n,) on the scale of Fc². Search on a grid that narrows six times.
    """
    order = np.argsort(fc_sq)
    fo, su, fc = fo_sq[order], sigma[order], fc_sq[order]
    p = (np.maximum(fo, 0) + 2 * fc) / 3
    delta = (fo - fc) ** 2
    edges = np.linspace(0, len(fo), 11).astype(int)[:-1]
    sizes = np.diff([*edges, len(fo)])
    freedom = len(fo) / max(len(fo) - n_parameters, 1)
    noise = float(np.median(su**2) / max(np.median(p), 1e-9))
    a_mid, b_mid, a_step, b_step = 0.1, 5 * noise, 0.025, 1.25 * noise
    best = (np.inf, a_mid, b_mid)
    for _ in range(7):
        for a in np.maximum(a_mid + a_step * np.arange(-4, 5), 0):
            for b in np.maximum(b_mid + b_step * np.arange(-4, 5), 0):
                terms = delta / (su**2 + (a * p) ** 2 + b * p)
                goof = np.sqrt(np.add.reduceat(terms, edges) * freedom / sizes)
                total = np.sqrt(terms.sum() * freedom / len(fo))
                spread = float(((goof - 1) ** 2).sum() + (total - 1) ** 2)
                if spread < best[0]:
                    best = (spread, float(a), float(b))
        _, a_mid, b_mid = best
        a_step, b_step = a_step / 2, b_step / 2
    return complete((round(min(a_mid, 0.2), 4), round(b_mid, 4)))
