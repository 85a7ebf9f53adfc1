"""Upgrade the kernels of whole fleets of TaurusDB Database Proxy instances.

Data flows one way: plan file -> planner -> executor -> tracker. The contract between the parts is the set of
values in `orchestrator.model`.
"""

__version__ = "0.1.0"
