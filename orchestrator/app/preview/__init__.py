"""The verb `plan`: preview, audit and forecast. Sends nothing and writes nothing."""
