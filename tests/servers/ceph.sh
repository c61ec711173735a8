#!/usr/bin/env bash
# An S3 server for the tests: Ceph's RADOS Gateway on 127.0.0.1:7480, in a folder of its own (0.5 GB), in memory alone. Needs root,
# mmdebstrap and the Debian mirror that apt uses; the first start installs (half a minute), a later one takes a quarter of one.
#
#   tests/servers/ceph.sh start [FOLDER]   starts it and prints what the tests need:  eval "$(tests/servers/ceph.sh start)"
#   tests/servers/ceph.sh stop [FOLDER]    ends it
#
# FOLDER is /tmp/typedweights-ceph unless given. One server on a machine: its ports are fixed.
set -euo pipefail
command=${1:-start}
folder=${2:-/tmp/typedweights-ceph}
root=$folder/root
port=7480
key=TYPEDWEIGHTSTESTKEY0 secret=typedweights/test+secret/typedweights0000
cd "$(dirname "$0")"

stop() {
    # One that still shuts down would disturb the next: they are waited for, and ended in the end.
    local name pid
    for name in rgw osd mon; do
        [ -f "$root/srv/ceph/$name.pid" ] || continue
        pid=$(cat "$root/srv/ceph/$name.pid")
        rm "$root/srv/ceph/$name.pid"
        grep -qs /srv/ceph/ceph.conf "/proc/$pid/cmdline" || continue
        kill "$pid" 2> /dev/null || continue
        for _ in $(seq 50); do kill -0 "$pid" 2> /dev/null || continue 2; sleep 0.1; done
        kill -9 "$pid" 2> /dev/null || true
    done
    mountpoint -q "$root/proc" && umount -l "$root/proc"
    return 0
}

install() {
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' | head -n 1)
    mkdir -p "$folder"
    mmdebstrap --quiet --variant=extract --dpkgopt=force-unsafe-io --aptopt='Apt::Install-Recommends "false"' \
        --include=radosgw,ceph-mon,ceph-osd,ceph-common,bash,coreutils,python3-minimal \
        trixie "$root" "${mirror%/}" < /dev/null > "$folder/install.log" 2>&1
    echo 'root:x:0:0:root:/root:/bin/bash' > "$root/etc/passwd"
    echo 'root:x:0:' > "$root/etc/group"
    touch "$folder/installed"
}

case $command in
    stop) stop ;;
    start)
        if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then
            echo "Port $port is taken: a server runs already. Its variables:" >&2
        else
            [ -f "$folder/installed" ] || { rm -rf "$root" && install; } || { cat "$folder/install.log" >&2; exit 1; }
            stop

            # The monitor of another folder, which still shuts down, would be taken for this one's.
            for _ in $(seq 50); do (exec 3<> /dev/tcp/127.0.0.1/6789) 2> /dev/null || break; sleep 0.2; done
            mkdir -p "$root/proc" "$root/dev"
            mount -t proc proc "$root/proc"
            for device in null zero urandom random; do
                [ -e "$root/dev/$device" ] || cp -a "/dev/$device" "$root/dev/$device"
            done
            cp ceph-inside.sh "$root/ceph-inside.sh"
            setsid --wait chroot "$root" /usr/bin/env PORT=$port KEY=$key SECRET=$secret bash /ceph-inside.sh < /dev/null > "$folder/start.log" 2>&1 ||
                { cat "$folder/start.log" >&2; exit 1; }
        fi
        echo "export TYPEDWEIGHTS_TEST_S3=http://127.0.0.1:$port"
        echo "export TYPEDWEIGHTS_TEST_S3_KEY=$key"
        echo "export TYPEDWEIGHTS_TEST_S3_SECRET=$secret"
        ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
