"""The verb `state`: tables made and looked at, runs carried between a folder and a database."""
