"""Every page of the tutorial as a Jupyter notebook beside it, run from top to bottom.

jupytext makes cells of the page's blocks of Python.  Links lead to the site's pages, pictures are in the notebook, so that
it can be taken elsewhere.
"""

import base64
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import jupytext
import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from ..labels import NOTES, ROOT, pages, read
from .sources import FENCE, LINK, address, is_notebook

IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+\.svg)\)")
COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
NEEDS = {
    False: "> A page of the tutorial as a notebook. It needs `pip install -e '.[bench,apps]'` in a checkout of this project.",
    True: "> 教程的一页，笔记本版。请先在本项目的检出目录里运行 `pip install -e '.[bench,apps]'`。",
}


def markdown(note: str) -> str:
    """The page as a notebook holds it."""
    parts = FENCE.split(read(NOTES / f"{note}.md"))
    parts[::2] = [_prose(note, text) for text in parts[::2]]
    parts[1::2] = [re.sub(r"^```sh\b", "```console", block) for block in parts[1::2]]  # to be read: jupytext would run it
    title, _, rest = "".join(parts).partition("\n")
    return f"{title}\n\n{NEEDS[note.startswith('zh/')]}\n{rest}"


def _prose(note: str, text: str) -> str:
    folder = (NOTES / note).parent
    text = IMAGE.sub(lambda m: f"![{m[1]}]({data_of(folder / m[2])})", COMMENT.sub("", text))
    return LINK.sub(lambda m: f"{m[1]}({address(note, m[2], m[3] or '')})", text)


def data_of(file: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(file.read_bytes()).decode()


def unrun(note: str) -> NotebookNode:
    notebook = jupytext.reads(markdown(note), fmt="md")
    notebook.metadata = nbformat.from_dict({"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
    return notebook


def run(note: str) -> NotebookNode:
    """The notebook with what its cells print; an exception in a cell is raised."""
    notebook = unrun(note)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(ROOT)}})
    with TemporaryDirectory() as folder:
        kernel = client.create_kernel_manager()
        kernel.connection_file = f"{folder}/kernel.json"  # sockets are files beside it: no network, and none that two share
        kernel.transport = "ipc"
        client.execute()
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({})  # when each cell ran
    return notebook


def translated(note: str, ran: NotebookNode) -> NotebookNode:
    """The notebook of the page in Chinese, whose code is the same, with what the English one has printed."""
    notebook = unrun(note)
    for ours, theirs in zip(code(notebook), code(ran), strict=True):
        ours.outputs, ours.execution_count = theirs.outputs, theirs.execution_count
    return notebook


def code(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def write(out: Path) -> None:
    """All notebooks, in both languages."""
    names = [note for note in pages() if is_notebook(note) and not note.startswith("zh/")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, ran in zip(names, pool.map(run, names), strict=True):
            for note, notebook in ((name, ran), (f"zh/{name}", translated(f"zh/{name}", ran))):
                file = out / f"{note}.ipynb"
                file.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(notebook, file)
