"""The folder of state behind the port `State`: files, locks and names. Nobody above the tracker imports from here."""
