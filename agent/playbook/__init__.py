"""The playbook: instructions that are searched for on remembered tasks, and kept where held-out tasks gain."""
