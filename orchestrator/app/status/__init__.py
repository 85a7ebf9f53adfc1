"""The verb `status`: where a run stands, and the history of one proxy. Reads only."""
