"""`lichen bench middleware`."""

from typing import Annotated

import typer

from ....envs.errors import UsageError
from ...cli.options import BaseUrl, Json, Model, out, progress_console, write_json


def middleware(
    model: Model = None,
    base_url: BaseUrl = None,
    tickets: Annotated[
        int, typer.Option("--tickets", min=1, help="Held-out tickets to solve.")
    ] = 12,
    demonstrations: Annotated[
        int, typer.Option("--demonstrations", min=1, help="Solved tickets in memory.")
    ] = 60,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of every random choice.")] = 0,
    json_path: Json = None,
) -> None:
    """Solve tickets of `support` by a stock agent of LangChain, with LichenMiddleware and without, paired.

    The model is `llamacpp:FILE.gguf`, or `openai:NAME` with --base-url.
    """
    import asyncio
    import os
    from pathlib import Path

    from ...llm.llamacpp_llm import LlamaCppLLM
    from ..bench.middleware_gain import bench_middleware

    scheme, _, name = (model or "").partition(":")
    llm = LlamaCppLLM(Path(name)) if scheme == "llamacpp" else None
    if llm is not None:
        name, base_url, key = llm.name, llm.address, llm.key
    else:
        key = os.environ.get("LICHEN_API_KEY") or os.environ.get("OPENAI_API_KEY") or "none"
    if scheme not in ("llamacpp", "openai") or not base_url:
        raise UsageError(
            "a model that LangChain can ask is needed",
            hint="--model llamacpp:FILE.gguf, or --model openai:NAME --base-url URL.",
        )
    try:
        found = bench_middleware(
            model=name,
            base_url=base_url,
            api_key=key,
            tickets=tickets,
            demonstrations=demonstrations,
            seed=seed,
            say=lambda text: progress_console.print(text, markup=False),
        )
    finally:
        if llm is not None:
            asyncio.run(llm.close())
    write_json(found, json_path)
    if json_path == "-":
        return
    console = out(json_path)
    for side, said in found["sides"].items():
        console.print(
            f"{side} the middleware: {said['mean']:.2f} [{said['low']:.2f}, {said['high']:.2f}]"
        )
    low, high = found["difference"]["ci95"]
    console.print(
        f"difference: {found['difference']['mean']:+.2f} [{low:+.2f}, {high:+.2f}]", markup=False
    )
    if found["unknown"]:
        console.print(f"{found['unknown']} tickets are unknown: the model did not answer")
