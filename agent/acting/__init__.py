"""Choosing one action: the policy over admissible actions, free tool calls, working memory."""
