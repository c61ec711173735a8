#!/usr/bin/env bash
# An Azure Blob Storage for the tests: Azurite, in memory alone. It runs twice: over HTTP for keys, signatures and public containers, and
# over HTTPS for tokens, which it checks for audience, issuer and time. Needs node, npm and openssl; the first start installs.
#
#   tests/servers/azurite.sh start [FOLDER]   starts it and prints what the tests need:  eval "$(tests/servers/azurite.sh start)"
#   tests/servers/azurite.sh stop [FOLDER]    ends it
#
# FOLDER is /tmp/typedweights-azurite unless given, the ports AZURITE_PORT (10000 unless set) and the tenth after it.
set -euo pipefail
command=${1:-start}
folder=${2:-/tmp/typedweights-azurite}
port=${AZURITE_PORT:-10000}
tls=$((port + 10))
version=3.35.0

stop() {
    for name in plain tls; do
        [ -f "$folder/$name.pid" ] && kill "$(cat "$folder/$name.pid")" 2> /dev/null && rm "$folder/$name.pid"
    done
    return 0
}

install() {
    mkdir -p "$folder"
    (cd "$folder" && npm install --no-audit --no-fund --loglevel=error "azurite@$version" < /dev/null) > "$folder/install.log" 2>&1 &&
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=azurite \
            -addext subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:*.blob.core.windows.net -keyout "$folder/key.pem" -out "$folder/certificate.pem" \
            >> "$folder/install.log" 2>&1 && touch "$folder/installed"
}

answers() { (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null; }

run() { # NAME PORT OPTION...
    local name=$1 port=$2
    shift 2
    # In the folder: it writes a file or two into the current one.
    (cd "$folder" && exec node node_modules/azurite/dist/src/blob/main.js --blobHost 127.0.0.1 --blobPort "$port" \
        --inMemoryPersistence --skipApiVersionCheck --disableTelemetry --silent "$@" < /dev/null > "$folder/$name.log" 2>&1) &
    echo $! > "$folder/$name.pid"
    for _ in $(seq 300); do answers "$port" && return; sleep 0.1; done
    cat "$folder/$name.log" >&2
    return 1
}

case $command in
    stop) stop ;;
    start)
        [ -f "$folder/installed" ] || install || { cat "$folder/install.log" >&2; exit 1; }
        if answers "$port" || answers "$tls"; then
            echo "Port $port or $tls is taken: a server runs already. Its variables:" >&2
        else
            stop
            run plain "$port"
            run tls "$tls" --oauth basic --cert "$folder/certificate.pem" --key "$folder/key.pem"
        fi
        echo "export TYPEDWEIGHTS_TEST_AZURITE=http://127.0.0.1:$port/devstoreaccount1"
        echo "export TYPEDWEIGHTS_TEST_AZURITE_TLS=https://127.0.0.1:$tls/devstoreaccount1"
        echo "export TYPEDWEIGHTS_TEST_AZURITE_ROOT=$folder/certificate.pem"
        ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
