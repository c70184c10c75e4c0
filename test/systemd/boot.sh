#!/bin/bash
# Boots a systemd of its own in namespaces, on an overlay of this machine's files that vanishes with it, and runs a script
# under it. Usage: boot.sh UNITS OUT SCRIPT, where UNITS is a staged root (weir install-service --prefix) and OUT gets `log`.
# Needs root and the namespaces of Linux; no network, no file of the machine is changed.
set -e
if [ -z "$WEIR_BOOT_INSIDE" ]; then
  group=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)/weir-boot-$$
  mkdir "$group"
  trap 'find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true' EXIT
  (echo $BASHPID > "$group/cgroup.procs"
   WEIR_BOOT_INSIDE=1 timeout -s KILL 90 unshare --mount --pid --uts --ipc --net --cgroup --fork --kill-child "$0" "$@") || true
  exit 0
fi
units=$(realpath "$1"); out=$(realpath "$2"); script=$3; repo=$(realpath "$(dirname "$0")/../..")
mount --make-rprivate /
base=$(mktemp -d); mount -t tmpfs tmpfs "$base"; mkdir "$base"/{up,work,root}
root=$base/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/up,workdir=$base/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mkdir -p "$root/out" "$root/old" "$root$repo"
mount --bind "$out" "$root/out"
mount --bind "$repo" "$root$repo"
ip link set lo up
rm -rf "$root"/etc/systemd/system/* "$root"/lib/systemd/system-generators/*
cp -r "$units/." "$root/"
cat > "$root/etc/systemd/system/try.target" <<'UNIT'
[Unit]
DefaultDependencies=no
Wants=try.service
UNIT
cat > "$root/etc/systemd/system/try.service" <<UNIT
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/bash $repo/test/systemd/$script
StandardOutput=append:/out/log
StandardError=append:/out/log
UNIT
cd "$root"
pivot_root . old
umount -l /old
cd /
# As on a machine: systemd makes credentials in a namespace of its own, whence they reach the others.
mount --make-rshared /
exec /usr/bin/env -i container=lxc PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=try.target --log-target=null
