# Starts a monitor, one object store in memory and the gateway; ceph.sh runs it inside its folder. PORT, KEY and SECRET are given.
set -e
base=/srv/ceph
rm -rf $base
mkdir -p $base/mon $base/osd0 $base/run $base/rgw
fsid=$(cat /proc/sys/kernel/random/uuid)
cat > $base/ceph.conf <<CONF
[global]
fsid = $fsid
mon_host = 127.0.0.1:6789
ms_bind_msgr2 = false
ms_bind_ipv6 = false
public_network = 127.0.0.0/8
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_insecure_global_id_reclaim = false
auth_allow_insecure_global_id_reclaim = true
run_dir = $base/run
admin_socket = $base/run/\$name.asok
log_file = $base/\$name.log
mon_data = $base/mon
osd_data = $base/osd0
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_max_object_name_len = 460
# The object store would report its place and class at its start, at times before it knows the cluster's id, be answered "wrong fsid" and end.
osd_crush_update_on_start = false
osd_class_update_on_start = false
[client]
rgw_frontends = beast endpoint=127.0.0.1:$PORT
rgw_enable_apis = s3, admin
rgw_thread_pool_size = 64
rgw_data = $base/rgw
keyring = $base/keyring
CONF
conf="-c $base/ceph.conf"
ceph-authtool --create-keyring $base/keyring --gen-key -n mon. --cap mon 'allow *'
monmaptool --create --addv a [v1:127.0.0.1:6789] --fsid $fsid --clobber $base/monmap
ceph-mon $conf --mkfs -i a --monmap $base/monmap --keyring $base/keyring
ceph-mon $conf -i a -f --public-addr 127.0.0.1:6789 < /dev/null > $base/mon.out 2>&1 &
echo $! > $base/mon.pid
for i in $(seq 50); do timeout 5 ceph $conf mon stat > /dev/null 2>&1 && break; sleep 0.2; done
osd=$(cat /proc/sys/kernel/random/uuid)
ceph $conf osd new $osd
# Its place, which it does not report itself (see above).
ceph $conf osd crush add osd.0 1 root=default host=tw
ceph-osd $conf -i 0 --mkfs --osd-uuid $osd
ceph-osd $conf -i 0 -f < /dev/null > $base/osd.out 2>&1 &
echo $! > $base/osd.pid
up=
for i in $(seq 100); do
    [[ $(timeout 5 ceph $conf osd stat 2> /dev/null) == *"1 up"* ]] && up=yes && break
    kill -0 "$(cat $base/osd.pid)" 2> /dev/null || break
    sleep 0.2
done
[ -n "$up" ] || { echo "the object store did not come up"; tail -n 20 $base/osd.out $base/osd.0.log; exit 1; }
radosgw $conf -n client.rgw.tw -f --no-mon-config < /dev/null > $base/rgw.out 2>&1 &
echo $! > $base/rgw.pid
# The caps let the tests make keys and take them away in the middle of a load.
radosgw-admin $conf --no-mon-config user create --uid=tw --display-name=tw --access-key=$KEY --secret-key=$SECRET --caps='users=*'
for i in $(seq 200); do (exec 3<> /dev/tcp/127.0.0.1/$PORT) 2> /dev/null && exit 0; sleep 0.1; done
echo "the gateway does not listen"
exit 1
