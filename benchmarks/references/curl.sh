#!/bin/sh
# The reference: a shell loop with one `curl` process per call. Usage: curl.sh PORT TARGETS
base="http://127.0.0.1:$1/v3/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/instances"
number=0
while [ "$number" -lt "$2" ]; do
  id=$(printf %032x "$number")
  proxy="$base/${id}in07/proxy/${id}po01"
  curl -sf -H 'X-Auth-Token: t' -o /dev/null "$proxy/taurusproxy/proxy-version" || exit 1
  curl -sf -H 'X-Auth-Token: t' -H 'Content-Type: application/json' -o /dev/null \
    -d '{"source_version":"2.23.12.000","target_version":"2.24.03.000"}' "$proxy/upgrade-version" || exit 1
  number=$((number + 1))
done
