"""The notes' diagrams: SVG with text as text, drawn by hand-placed shapes; ``python -m notes.diagrams`` writes them."""
