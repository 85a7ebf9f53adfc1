"""The regions in which TaurusDB is known to answer, and where: a table, as data.

Three host names stand for one service, and none follows from the region's id, so the table is written out. Sources:
`huaweicloudsdkgaussdb.v3.region.gaussdb_region`, `huaweicloudsdkcore.auth.endpoint` (3.1.219) and the help page
"Endpoints" of TaurusDB (taurusdb_00_0003).
"""

from collections.abc import Mapping

#: Region -> host of TaurusDB.
SERVICES = {
    "af-south-1": "gaussdb-mysql.af-south-1.myhuaweicloud.com",
    "ap-southeast-1": "gaussdbformysql.ap-southeast-1.myhuaweicloud.com",
    "ap-southeast-2": "gaussdbformysql.ap-southeast-2.myhuaweicloud.com",
    "ap-southeast-3": "gaussdb.ap-southeast-3.myhuaweicloud.com",
    "ap-southeast-4": "gaussdb.ap-southeast-4.myhuaweicloud.com",
    "cn-east-3": "gaussdb.cn-east-3.myhuaweicloud.com",
    "cn-east-5": "gaussdb-mysql.cn-east-5.myhuaweicloud.com",
    "cn-north-2": "gaussdb.cn-north-2.myhuaweicloud.com",
    "cn-north-4": "gaussdb.cn-north-4.myhuaweicloud.com",
    "cn-north-9": "gaussdb.cn-north-9.myhuaweicloud.com",
    "cn-north-11": "gaussdbformysql.cn-north-11.myhuaweicloud.com",
    "cn-south-1": "gaussdb.cn-south-1.myhuaweicloud.com",
    "cn-south-4": "gaussdb.cn-south-4.myhuaweicloud.com",
    "cn-southwest-2": "gaussdb.cn-southwest-2.myhuaweicloud.com",
    "cn-southwest-3": "gaussdb-mysql.cn-southwest-3.myhuaweicloud.com",
    "la-north-2": "gaussdb-mysql.la-north-2.myhuaweicloud.com",
    "me-east-1": "gaussdbformysql.me-east-1.myhuaweicloud.com",
    "ru-northwest-2": "gaussdb.ru-northwest-2.myhuaweicloud.com",
    "sa-brazil-1": "gaussdb.sa-brazil-1.myhuaweicloud.com",
    "tr-west-1": "gaussdbformysql.tr-west-1.myhuaweicloud.com",
}

REGION_HINT = "for any other region set endpoint: https://…"


def service_host(region: str | None, environ: Mapping[str, str]) -> str | None:
    """Host of TaurusDB in a region; None when it is not known.

    The SDK's override comes first, `HUAWEICLOUD_SDK_REGION_GAUSSDB_CN_NORTH_4`; of several with commas the first.
    """
    if region is None:
        return None
    name = "HUAWEICLOUD_SDK_REGION_GAUSSDB_" + region.upper().replace("-", "_")
    return environ.get(name, "").split(",")[0].strip() or SERVICES.get(region)


def unknown_region(region: str | None) -> str:
    """What is wrong with a scope of which no host is known, and which regions would do."""
    problem = "has neither region nor endpoint" if region is None else f"unknown region {region!r}"
    return f"{problem}; known regions: {', '.join(SERVICES)}"
