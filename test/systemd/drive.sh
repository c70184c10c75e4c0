# Inside the booted systemd: what an administrator does, and what must come of it. One `fact: value` a line.
mkdir -p /etc/weir/credentials
chmod -R go= /etc/weir/credentials
systemd-sysusers 2>/dev/null
systemd-tmpfiles --create /etc/tmpfiles.d/weir.conf
show() { systemctl show -p "$1" --value weir; }
systemctl start weir && echo "start: $(show ActiveState), $(show StatusText)"
cat /var/lib/weir/facts
before=$(show MainPID)
systemctl reload weir && sleep 1
[ "$(show MainPID)" = "$before" ] && echo "reload: $(show ActiveState), $(show StatusText)"
kill -USR2 "$before"
for _ in $(seq 40); do [ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ] && break; sleep 0.5; done
[ "$(show MainPID)" != "$before" ] && echo "watchdog: $(show ActiveState) after $(show NRestarts) restart"
systemctl stop weir && echo "stop: $(show ActiveState), $(show Result)"
systemctl poweroff -f -f
