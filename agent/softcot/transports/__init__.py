"""Ways by which soft thoughts reach a frozen LLM, each tested before it is used.

| transport | server | what travels |
|---|---|---|
| `transformers` | this process | vectors |
| `vllm-chat` | vLLM with `--enable-prompt-embeds`, chat route | the soft block as a content part |
| `vllm-completions` | the same, completions route | the whole prompt as vectors |
| `sglang` | SGLang with `--disable-radix-cache`, `/generate` | the whole prompt as vectors |
| `verbal` | every server | the assistant's words |
"""
