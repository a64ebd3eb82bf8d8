"""The whole suite under every interpreter that this machine has, with the newest pins and with the oldest.

table     which combinations there are
places    an interpreter of each, and an environment with what it needs
running   the suite in one, and what came of it, which parity_tests/platforms/results.json keeps
narrow    a plugin for pytest: longdouble is float64, as on Windows and on Apple silicon
locked    requirements.lock: every pin with the hashes of its files
"""
