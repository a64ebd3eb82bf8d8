"""The derivations, and what keeps them true: generated parts, the site, the explorers, the exercises."""
