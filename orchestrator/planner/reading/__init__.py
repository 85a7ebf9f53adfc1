"""Reads YAML into checked values, each problem with its place. Knows no plan: only shapes, nodes and messages."""
