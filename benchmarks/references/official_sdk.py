"""The reference: the official SDK with a pool of threads that makes the same calls as a run.

Usage: official_sdk.py PORT TARGETS THREADS.
"""

import sys
from concurrent.futures import ThreadPoolExecutor

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkgaussdb.v3 import (
    GaussDBClient,
    ProxyUpgradeProxyVersionRequest,
    ShowProxyVersionRequest,
    UpgradeProxyVersionRequest,
)


def main() -> None:
    port, targets, threads = map(int, sys.argv[1:4])
    credentials = BasicCredentials("AK", "SK", "a" * 32)
    builder = GaussDBClient.new_builder().with_credentials(credentials)
    client = builder.with_endpoints([f"http://127.0.0.1:{port}"]).build()

    def upgrade(number: int) -> None:
        names = {"instance_id": f"{number:032x}in07", "proxy_id": f"{number:032x}po01"}
        version = client.show_proxy_version(ShowProxyVersionRequest(engine_name="taurusproxy", **names))
        body = ProxyUpgradeProxyVersionRequest(version.current_version, "2.24.03.000")
        client.upgrade_proxy_version(UpgradeProxyVersionRequest(body=body, **names))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(upgrade, range(targets)))


if __name__ == "__main__":
    main()
