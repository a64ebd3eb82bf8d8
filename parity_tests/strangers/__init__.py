"""Implementations by others, each behind the ``load`` and ``declines`` that any outsider writes."""
