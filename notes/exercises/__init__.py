"""The exercises: what each asks for, and how an answer is judged.

The texts are in notes/exercises/exercises.md; no answer is here.
"""
