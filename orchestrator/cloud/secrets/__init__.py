"""Texts that nobody may see, in every form in which they may be quoted."""
