"""SoftCoT: a frozen assistant's states, projected into a frozen LLM's embedding space (arXiv:2502.12134).

Written from the paper's formulas. Files that need torch import it; nothing here does.
"""

from ..llm.errors import SlotError
from .errors import WrongModels
from .soft_config import Example, ProjectionConfig, TrainConfig

__all__ = ["Example", "ProjectionConfig", "SlotError", "TrainConfig", "WrongModels"]
