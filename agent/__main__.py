"""`lichen` and `python -m lichen.agent`."""

from .cli.main import main

if __name__ == "__main__":
    main()
