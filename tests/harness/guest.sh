#!/busybox sh
# The first process of the guest that harness/guest.py starts: runs each job in a folder of its own and
# sends that folder, with its output and status, over the second serial line. Called by the kernel,
# and once more by itself, with a root that can be left as any machine's can (the kernel's first
# one is nobody's mount).
busybox=/busybox
if [ "$1" != second ]; then
    $busybox mkdir /new
    $busybox mount -t tmpfs -o mode=755,size=90% none /new
    $busybox cp -a /busybox /init /tree/. /new
    exec $busybox switch_root /new /init second
fi

$busybox mkdir -p /applets /proc /sys /dev /tmp /run /mnt
$busybox --install -s /applets
export PATH=/usr/bin:/usr/sbin:/bin:/sbin:/applets LC_ALL=C HOME=/
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs -o mode=1777 none /tmp
ln -s /proc/self/fd /dev/fd
ip link set lo up
stty -F /dev/ttyS1 raw

for job in /jobs/*; do
    name=$(basename "$job")
    mkdir -m 777 "/tmp/$name"
    cd "/tmp/$name"
    timeout -s KILL "$(cat /job-limit)" sh "$job" > out 2> err < /dev/null
    echo $? > status
    cut -d' ' -f1 /proc/uptime > ended
    cd /
    tar -c -z -C /tmp "$name" > /dev/ttyS1
    rm -rf "/tmp/$name"
done
poweroff -f
