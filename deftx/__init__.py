"""DeFT-X: denoised sparse fine-tuning for classifiers in languages with little text and no labels (arXiv 2505.15090).

The names in ``__init__.pyi`` are the library's contract; they load torch and transformers only when they are first used.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
