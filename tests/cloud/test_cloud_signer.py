import string
from typing import Any

import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cloud.wire.signer import authorization, canonical_query, canonical_request

ACCESS_KEY = "EXAMPLEAK0000000000A"
SECRET_KEY = "exampleSecretKey00000000000000000000000A"
DATE = "20260102T030405Z"
HOST = "gaussdb.cn-north-4.myhuaweicloud.com"
PROJECT = "0123456789abcdef0123456789abcdef"
INSTANCE = "11112222333344445555666677778888in07"
PROXY = "aaaabbbbccccddddeeeeffff00001111po01"

VECTORS = {
    "post": (
        "POST",
        f"/v3/{PROJECT}/instances/{INSTANCE}/proxy/{PROXY}/upgrade-version",
        [],
        [("content-type", "application/json;charset=UTF-8")],
        b'{"source_version":"2.23.12.000","target_version":"2.24.03.000"}',
        "b923cb524c8dbec53aaab17042e3720ae9286dac90ee36733598cfd802f03595",
    ),
    "temporary key": (
        "GET",
        f"/v3/{PROJECT}/jobs",
        [("id", "375ac6a4-2788-4e45-83bf-8a9d2324317f")],
        [("content-type", "application/json"), ("x-security-token", "FAKE+SECURITY/TOKEN==")],
        b"",
        "125c2a5357549319a5f7a89110aa1fdce42e0c3e5fc61800cc3d745687e5c2a5",
    ),
    "query to sort and encode": (
        "GET",
        f"/v3.1/{PROJECT}/instances",
        [("offset", "0"), ("limit", "100"), ("name", "*prod db"), ("tags", "env=prod,tier=a b")],
        [("content-type", "application/json")],
        b"",
        "afd04fbdc61af83b64833e167e560ff892e6b38252fa22284573a8df558e35ec",
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vectors(name: str) -> None:
    method, path, query, headers, body, signature = VECTORS[name]
    signed = [*headers, ("host", HOST), ("x-project-id", PROJECT), ("x-sdk-date", DATE)]
    value = authorization(method, path, query, signed, body, access_key=ACCESS_KEY, secret_key=SECRET_KEY, date=DATE)
    names = ";".join(sorted(name for name, _ in signed))
    assert value == f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={names}, Signature={signature}"


def test_canonical_query_of_the_documentation() -> None:
    query = [("offset", "0"), ("limit", "100"), ("name", "*prod db"), ("tags", "env=prod,tier=a b")]
    assert canonical_query(query) == "limit=100&name=%2Aprod%20db&offset=0&tags=env%3Dprod%2Ctier%3Da%20b"


def test_the_canonical_path_alone_ends_in_a_slash() -> None:
    assert canonical_request("GET", "/v3/a", [], [("host", "h")], b"").split("\n")[:2] == ["GET", "/v3/a/"]


segments = st.lists(
    st.text(st.characters(exclude_characters="/?#%", exclude_categories=["Cs"]), min_size=1), max_size=4
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
headers = st.dictionaries(
    st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=12).filter(
        lambda name: name not in {"host", "authorization", "x-sdk-date", "content-type", "x-sdk-content-sha256"}
    ),
    st.text(string.ascii_letters + string.digits + " =+/;,.", max_size=20),
    max_size=4,
)


@settings(deadline=None, max_examples=100)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=segments.map(lambda parts: "/v3/" + "/".join(parts)),
    query=st.lists(st.tuples(texts, texts), max_size=5),
    extra=headers,
    body=st.binary(max_size=200),
    secret=st.text(string.ascii_letters + string.digits, min_size=1, max_size=40),
)
def test_equal_to_the_official_signer(method: str, path: str, query: Any, extra: Any, body: Any, secret: str) -> None:
    signed = {**extra, "content-type": "application/json", "host": HOST, "x-sdk-date": DATE}
    request = SdkRequest(
        method=method,
        schema="https",
        host=HOST,
        resource_path=path,
        query_params=list(query),
        body=body,
        header_params={**signed, "X-Sdk-Date": signed["x-sdk-date"]} | {},
    )
    del request.header_params["x-sdk-date"]
    Signer(BasicCredentials(ACCESS_KEY, secret, PROJECT)).sign(request)
    ours = authorization(
        method, path, query, list(signed.items()), body, access_key=ACCESS_KEY, secret_key=secret, date=DATE
    )
    assert ours == request.header_params["Authorization"]
    assert request.uri == (f"{path}?{canonical_query(query)}" if query else path)
