"""Requests as an application asks them: in words, by users, in conversations, judged later or never."""
