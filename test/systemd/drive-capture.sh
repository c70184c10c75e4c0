# Inside the booted systemd: the daemon with the capture drop-in and a secret that only it may see. One `fact: value` a line.
systemd-sysusers 2>/dev/null
systemd-tmpfiles --create /etc/tmpfiles.d/weir.conf
mkdir -p /etc/weir/credentials
echo a-secret > /etc/weir/credentials/ops
chmod -R go= /etc/weir/credentials
cat > /etc/weir/weir.yaml <<'YAML'
version: 1
sources: [{name: lo, type: live, interface: lo, fallback: false}]
channels: [{name: hook, type: webhook, url: "http://127.0.0.1:9/", secret_file: ops}]
http: {listen: "127.0.0.1:8686"}
YAML
printf '[Service]\nStandardError=append:/out/err\n' > /etc/systemd/system/weir.service.d/err.conf
systemctl daemon-reload
show() { systemctl show -p "$1" --value weir; }
until_true() { for _ in $(seq 120); do eval "$1" && return 0; sleep 0.25; done; return 1; }
status() {
  exec 3<> /dev/tcp/127.0.0.1/8686 || return 1
  printf 'GET /api/status HTTP/1.0\r\nHost: 127.0.0.1:8686\r\n\r\n' >&3
  cat <&3
  exec 3>&-
} 2>/dev/null
packets() { status | grep -o '"packets":[0-9]*' | head -1 | cut -d: -f2; }
systemctl start weir && echo "start: $(show ActiveState), $(show StatusText)" || echo "error: $(tail -n 3 /out/err | tr '\n' ' ')"
pid=$(show MainPID)
echo "user: $(stat -c %U /proc/"$pid")"
echo "capabilities: $(grep CapEff /proc/"$pid"/status | cut -f2)"
echo "bounding: $(grep CapBnd /proc/"$pid"/status | cut -f2)"
runuser -u weir -- test -r /etc/weir/credentials/ops && echo "credential file: FAILED readable" || echo "credential file: root's alone"
found=$(find /run/credentials/weir.service -type f | head -1)
echo "credential given: $(basename "${found:-FAILED none}")"
runuser -u nobody -- test -r "$found" && echo "credential of others: FAILED readable" || echo "credential of others: refused"
for i in $(seq 50); do echo "datagram $i" > /dev/udp/127.0.0.1/9999; done
until_true '[ "$(packets)" -ge 50 ]' 2>/dev/null && echo "packets: 50 of loopback, read from the ring" || echo "packets: FAILED $(packets)"
systemctl stop weir && echo "stop: $(show ActiveState), $(show Result)"
systemctl poweroff -f -f
