"""Six real tasks, at least one for each pattern, on data that ships in packages: ``python -m reference.tasks TASK``.

A task holds its data, the sizes of its model, the variants that are compared, and the figures on the test part.
``train.py`` trains them on either backend.
"""

from collections.abc import Callable

from .letters_tagger import LettersTagger
from .names_classifier import NamesClassifier
from .names_generator import NamesGenerator
from .pronunciation import Pronunciation
from .reviews_classifier import ReviewsClassifier
from .words_tagger import WordsTagger

Task = NamesClassifier | NamesGenerator | LettersTagger | Pronunciation | ReviewsClassifier | WordsTagger
TASKS: dict[str, Callable[..., Task]] = {
    "names_classifier": NamesClassifier,
    "names_generator": NamesGenerator,
    "letters_tagger": LettersTagger,
    "pronunciation": Pronunciation,
    "reviews_classifier": ReviewsClassifier,
    "words_tagger": WordsTagger,
}
