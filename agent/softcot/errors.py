"""What can go wrong with soft thoughts, and whose fault it is."""

from ...envs.errors import LichenError


class WrongModels(LichenError):
    """A projection was trained between other models, tokenizers or templates than those at hand."""

    hint = "Load it with the models that it names, or train one: `lichen softcot train`."
