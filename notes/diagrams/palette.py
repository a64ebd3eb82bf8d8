"""The colours of every picture and explorer, by name, light and dark, as CSS variables.

``style(".figure")`` goes into an SVG file of its own: there the reader's system decides, as in an <img>.  The same rules hold
where the file is put into a page whose <body> says data-theme, as the site's does.
"""

# name: (light, dark)
COLOURS = {
    "page": ("#fbfaf7", "#15171a"),
    "card": ("#ffffff", "#1d2024"),
    "ink": ("#1f2328", "#e3e5e8"),
    "quiet": ("#5f6770", "#a0a7b0"),
    "line": ("#d9d6cf", "#363b42"),
    "accent": ("#0b63c5", "#7ab7ff"),
    "lit": ("#fff1c2", "#4a3d14"),
    "hold": ("#e4effc", "#1f3350"),
    "small": ("#c9d7e6", "#33445a"),  # a gradient along an arrow: from small
    "large": ("#c2410c", "#ff9a5c"),  # to large
    # Lines of a plot: Okabe and Ito's in the light, lighter where it is dark.
    "blue": ("#0072b2", "#5ab4ee"),
    "vermilion": ("#d55e00", "#ff8f4d"),
    "green": ("#009e73", "#3fcf9f"),
    "purple": ("#b0568a", "#e59cc6"),
    "orange": ("#b97c00", "#f0b429"),
    "sky": ("#3b93c4", "#8ccbf0"),
}


def variables(dark: bool) -> str:
    return " ".join(f"--{name}: {both[dark]};" for name, both in COLOURS.items())


def style(selector: str) -> str:
    """CSS that gives an element its colours, by the reader's system or by the page's data-theme."""
    light, dark = variables(False), variables(True)
    return (
        f"{selector} {{ {light} }}\n"
        f"@media (prefers-color-scheme: dark) {{ {selector} {{ {dark} }} }}\n"
        f'body[data-theme="light"] {selector} {{ {light} }}\n'
        f'body[data-theme="dark"] {selector} {{ {dark} }}\n'
    )
