"""What the cloud's error codes mean, as data. How a status changes the meaning is `classify`'s business.

Sources: error code pages of TaurusDB (ErrorCode, api-taurusdb), of Open Telekom Cloud's TaurusDB (appendix
error_codes), of API Gateway (api-sign-errorcode) and of IAM; the retried codes of terraform-provider-huaweicloud
(services/taurusdb/common.go).
"""

from enum import Enum


class Meaning(Enum):
    """What one code says of the request that it answers."""

    REFUSED = "a person or a change is needed"
    BUSY = "the instance is in a state that must pass first"
    THROTTLED = "too many calls; decides under any status"
    CREDENTIALS = "token or signature refused; decides under any status"
    LOGIN = "credentials refused; under 4xx only"
    SERVER = "the server failed; whether it executed the request is unknown"


_BY_MEANING = {
    Meaning.REFUSED: """
        DBS.200001 DBS.200004 DBS.280001 DBS.290000 DBS.200006 DBS.200543 DBS.270024 DBS.270027 DBS.280204 DBS.212017
        DBS.280404 DBS.280439 DBS.280449 DBS.05000001 DBS.05000008 DBS.05000020 DBS.05000022
        DBS.200010 DBS.200604 DBS.200044 DBS.201003 DBS.280015
        DBS.200002 DBS.200045 DBS.200408 DBS.200602 DBS.201028 DBS.290005 DBS.290011
        DBS.200316 DBS.200932
        APIGW.0101 APIGW.0201 APIGW.0302 APIGW.0304 APIGW.0306 APIGW.0310 APIGW.0802
    """,
    Meaning.BUSY: """
        DBS.200086 DBS.201014 DBS.212033 DBS.200019 DBS.200011 DBS.200047 DBS.201202 DBS.212006 DBS.201015
        DBS.05000084 DBS.201205 DBS.280406
    """,
    Meaning.THROTTLED: "APIGW.0308 IAM.0012",
    Meaning.CREDENTIALS: "APIGW.0301 APIGW.0307 DBS.280056",
    Meaning.LOGIN: "APIGW.0303 APIGW.0305 IAM.0001 IAM.0061 IAM.0062 IAM.0066 IAM.0067",
    Meaning.SERVER: """
        DBS.05000000 DBS.108000 DBS.108002 DBS.108005 DBS.200005 DBS.200208 DBS.213002 DBS.213004 DBS.290006
        DBS.290015 DBS.111205 APIGW.0601 APIGW.0606 APIGW.0610 APIGW.0613
    """,
}

MEANINGS: dict[str, Meaning] = {code: meaning for meaning, codes in _BY_MEANING.items() for code in codes.split()}

#: "Already the latest version": seen for sibling engines, so the version is read before it is believed.
ALREADY_LATEST = frozenset({"DBS.05000008"})

#: The instance, proxy or job does not exist, whatever 4xx status they come with; so does any DBS code under 404.
NOT_FOUND = frozenset(
    [
        *("DBS.270024", "DBS.200543"),
        *("DBS.200002", "DBS.200045", "DBS.200408", "DBS.200602", "DBS.201028", "DBS.290005", "DBS.290011"),
    ]
)

#: The list of an instance's proxies answers so instead of with an empty list (terraform's parseMysqlProxyError).
NO_PROXY = frozenset({(400, "DBS.201028"), (409, "DBS.200932")})


def canonical(code: str) -> str:
    """The code as the table has it: some services say `APIG.` where others say `APIGW.`, with the same numbers."""
    upper = code.strip().upper()
    return "APIGW." + upper.removeprefix("APIG.") if upper.startswith("APIG.") else upper
