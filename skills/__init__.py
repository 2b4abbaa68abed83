"""Skills: executable, tested, edited by people. Not built yet; the floor is here so that the walls are."""
