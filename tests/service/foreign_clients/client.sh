#!/bin/sh
# Adds a fact and asks for it, with curl as it comes.
set -eu
post() {
    curl --silent --show-error --fail-with-body -H "Authorization: Bearer $key" -H "Content-Type: application/json" \
        -d "$2" "$url$1"
}
url=$1 key=$2
post /triples/add "$3" >&2
post /query "$4"
