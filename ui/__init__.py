"""The web page, with one package per section. It calls ``deftx`` and trains nothing itself."""
