"""What a person asks for: the plan, its targets, and the commands given while its run goes on. It knows no record."""
