"""HTTP: the agent as a chat model of OpenAI's form, and REST over what it remembers."""
