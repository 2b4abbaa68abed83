"""What a finished stream says for the certificate: of the arms that leave the model frozen, from its report."""

from ..certificate.certificate import Claim, State
from .stream_report import ArmReport, ContinualReport

FROZEN = ("memory", "softcot")
"""LoRA changes weights by intention: nothing is certified of it."""


def lines(report: ContinualReport, now: str, *, tolerance: float) -> list[Claim]:
    """Return the claims that a stream's report bears out or does not.

    Args:
        report: Of the stream.
        now: The model's fingerprint as it is now.
        tolerance: Share of negative flips that is none.
    """
    same: State = "holds" if report.fingerprint == now else "does not hold"
    found = [
        Claim(
            claim="the LLM's weights are those of the run",
            state=same,
            says=f"SHA-256 {report.fingerprint[:16]}... then, {now[:16]}... now",
            numbers={"then": report.fingerprint, "now": now},
        )
    ]
    arms = [arm for arm in report.arms if arm.name in FROZEN]
    if not arms:
        says = "no arm but those that change weights: `--arms none,memory,softcot`"
        return [*found, Claim(claim="what was known stays", state="not measured", says=says)]
    return found + [line for arm in arms for line in _of(arm, tolerance)]


def _of(arm: ArmReport, tolerance: float) -> list[Claim]:
    worst, forced = max(arm.drift), [kl for kl in arm.drift_forced if kl is not None]
    says = f"{worst:g} nats a token at most, silent"
    if forced:
        says += f"; {max(forced):.3g} where it is made to speak"
    quiet = Claim(
        claim=f"off-stream text is read as by the LLM alone ({arm.name})",
        state="holds" if worst == 0 else "does not hold",
        says=says,
        numbers={"silent": arm.drift, "forced": arm.drift_forced},
    )
    found, flips = arm.measures, arm.measures.negative_flips
    back = found.backward
    says = f"BWT {back.mean:+.3f} [{back.low:+.3f}, {back.high:+.3f}]"
    lost = back.high < 0
    if flips is not None:
        says += f"; negative flips {flips.mean:.3f} [{flips.low:.3f}, {flips.high:.3f}]"
        lost = lost or flips.low > tolerance
    kept = Claim(
        claim=f"backward transfer and negative flips over the stream ({arm.name})",
        state="does not hold" if lost else "holds",
        says=says,
        numbers={"backward": back.model_dump(), "flips": flips and flips.model_dump()},
    )
    return [quiet, kept]
