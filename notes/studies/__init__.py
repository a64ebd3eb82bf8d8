"""The experiments behind the notes, one file each."""
