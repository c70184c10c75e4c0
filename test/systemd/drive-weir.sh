# Inside the booted systemd: the daemon itself, with a capture in its spool. One `fact: value` a line.
systemd-sysusers 2>/dev/null
systemd-tmpfiles --create /etc/tmpfiles.d/weir.conf
cp /out/capture.pcapng /var/spool/weir/ && chmod 644 /var/spool/weir/capture.pcapng
show() { systemctl show -p "$1" --value weir; }
until_true() { for _ in $(seq 120); do eval "$1" && return 0; sleep 0.25; done; return 1; }
systemctl start weir && echo "start: $(show ActiveState), $(show StatusText)"
until_true 'ls /var/lib/weir/checkpoint/* >/dev/null 2>&1'
echo "state: $(ls /var/lib/weir | tr '\n' ' ')"
before=$(show MainPID)
systemctl reload weir
until_true '[ "$(show ActiveState)" = active ]' && [ "$(show MainPID)" = "$before" ] && echo "reload: $(show ActiveState), $(show StatusText)"
kill -STOP "$before"
until_true '[ "$(show NRestarts)" = 1 ] && [ "$(show ActiveState)" = active ]'
[ "$(show MainPID)" != "$before" ] && echo "watchdog: $(show ActiveState) after $(show NRestarts) restart, $(show StatusText)"
systemctl stop weir && echo "stop: $(show ActiveState), $(show Result)"
systemctl poweroff -f -f
