"""The TaurusDB and IAM API of Huawei Cloud over HTTP: the only package that knows either.

`open_clouds` gives one `Client` per scope. Everything that the network or the cloud may do comes back as one of the
closed result types of `orchestrator.model.reply.reply`.
"""
