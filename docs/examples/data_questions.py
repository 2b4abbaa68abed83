"""Questions about a table: pandas as a tool, a check of answers, and a second question that profits.

The replies are recorded (the packaged model is too small for pandas); give `model=` in the place of `llm=`.
"""

import pandas as pd

from lichen.agent import Agent, ScriptedLLM

SALES = pd.DataFrame(
    {"city": ["Oslo", "Bergen", "Oslo", "Bergen"], "pieces": [3, 5, 4, 1], "price": [10, 8, 9, 8]}
)
RECORDED = ScriptedLLM(
    [
        '{"tool": "total", "arguments": {"column": "peices", "city": "Oslo"}}',
        '{"tool": "total", "arguments": {"column": "pieces", "city": "Oslo"}}',
        "7 pieces were sold in Oslo.",
        '{"tool": "total", "arguments": {"column": "pieces", "city": "Bergen"}}',
        "6 pieces were sold in Bergen.",
    ]
)


def total(column: str, city: str) -> int:
    "Add up a column of the sales (pieces, price) in one city."
    if column not in SALES.columns:
        raise ValueError(f"there is no column {column!r}; there are: {', '.join(SALES.columns)}")
    return int(SALES.loc[SALES["city"] == city, column].sum())


def right(request: str, answer: str) -> bool:
    "Check an answer against the table."
    city = "Oslo" if "Oslo" in request else "Bergen"
    return str(SALES.loc[SALES["city"] == city, "pieces"].sum()) in answer


with Agent.from_config(store="sales", llm=RECORDED, tools=[total], judge=right) as agent:
    for question in ("How many pieces were sold in Oslo?", "How many pieces were sold in Bergen?"):
        answer = agent.ask(question)
        print(answer.text, answer.outcome, [call for call, _ in answer.calls])
    told = RECORDED.prompts[3]
    print("The first question was told:", "(it was solved)" in told)
    print("Its mistake was told too:", "there is no column 'peices'" in told)
