"""How fast: the pace of a scope, fixed or found, and who goes next. Sends nothing."""
