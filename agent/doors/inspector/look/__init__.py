"""How the pages look: templates, styles, scripts, charts."""
