#!/usr/bin/env bash
# The floor that `npm run bench` compares `kubewright install` with: what a careful person would write by hand, once, for
# five fresh hosts. Everything that can be done at the same time is; there is no probe, no retry, no resume, no check of
# input, and a second run breaks. It uses the same bundle and the same settings as the install.
#
# Environment: KEY, KNOWN_HOSTS (SSH), BUNDLE (directory), VIP, CONTROL_PLANES and WORKERS ("name=address name=address").
set -euo pipefail
: "${KEY:?}" "${KNOWN_HOSTS:?}" "${BUNDLE:?}" "${VIP:?}" "${CONTROL_PLANES:?}"
WORKERS=${WORKERS:-}
version=$(sed -n 's/^  "kubernetesVersion": "\(.*\)",$/v\1/p' "$BUNDLE/bundle.json")
load_balancer=/opt/kubewright/load-balancer/$(sed -n 's/^    "load-balancer": "\(.*\)",\?$/\1/p' "$BUNDLE/bundle.json")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
options=(-i "$KEY" -o UserKnownHostsFile="$KNOWN_HOSTS" -o StrictHostKeyChecking=yes -o BatchMode=yes -o LogLevel=ERROR
  -o ControlMaster=auto -o ControlPath="$work/%C" -o ControlPersist=60)
start=$EPOCHREALTIME
seconds() { awk -v from="$start" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }
say() { printf 'floor %6s s  %s\n' "$(seconds)" "$*"; }
on() { local address=$1; shift; ssh "${options[@]}" "root@$address" "$@"; }
together() { local failed=0 pid; for pid in "$@"; do wait "$pid" || failed=1; done; return "$failed"; }

addresses=() control_planes=()
for host in $CONTROL_PLANES; do control_planes+=("${host#*=}"); addresses+=("${host#*=}"); done
for host in $WORKERS; do addresses+=("${host#*=}"); done
first=${control_planes[0]}
name_of() { local host; for host in $CONTROL_PLANES $WORKERS; do if [ "${host#*=}" = "$1" ]; then echo "${host%%=*}"; fi; done; }

prepare() {
  local address=$1
  tar -C "$BUNDLE" -cf - bin cni images manifests load-balancer 2>/dev/null | on "$address" 'mkdir -p /root/bundle /opt/cni/bin && tar -C /root/bundle -xf - &&
    gzip -d /root/bundle/bin/*.gz /root/bundle/cni/*.gz /root/bundle/load-balancer/*.gz &&
    install -m 755 /root/bundle/bin/* /usr/local/bin/ && install -m 755 /root/bundle/cni/* /opt/cni/bin/'
  on "$address" 'bash -s' <<'REMOTE'
set -euo pipefail
printf 'net.ipv4.ip_forward=1\nnet.ipv4.ip_nonlocal_bind=1\nnet.bridge.bridge-nf-call-iptables=1\n' > /etc/sysctl.d/99-kubernetes.conf
sysctl -q -p /etc/sysctl.d/99-kubernetes.conf || true
mkdir -p /etc/containerd
cat > /etc/containerd/config.toml <<'TOML'
version = 3
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "PAUSE"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
      SystemdCgroup = true
TOML
pause=$(echo /root/bundle/images/pause-*.tar); pause=${pause##*/pause-}
sed -i "s|PAUSE|registry.k8s.io/pause:${pause%.tar}|" /etc/containerd/config.toml
cat > /etc/systemd/system/containerd.service <<'UNIT'
[Service]
ExecStart=/usr/local/bin/containerd
Type=notify
Delegate=yes
KillMode=process
Restart=always
[Install]
WantedBy=multi-user.target
UNIT
systemctl daemon-reload
systemctl -q enable --now containerd
for image in /root/bundle/images/*; do ctr -n k8s.io images import "$image" >/dev/null; done
rm -rf /root/bundle/images
mkdir -p /etc/systemd/system/kubelet.service.d
cat > /etc/systemd/system/kubelet.service <<'UNIT'
[Unit]
After=containerd.service
[Service]
ExecStart=/usr/local/bin/kubelet
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
UNIT
cat > /etc/systemd/system/kubelet.service.d/10-kubeadm.conf <<'UNIT'
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
ExecStart=
ExecStart=/usr/local/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
UNIT
systemctl daemon-reload
systemctl -q enable kubelet
REMOTE
}

balance() {
  local address=$1 index=$2 card peers="" servers="" peer
  card=$(on "$address" "ip -o -4 addr show to $address | awk '{print \$2}'")
  for peer in "${control_planes[@]}"; do
    servers+="  server $(name_of "$peer") $peer:6443 check check-ssl verify none inter 500ms fastinter 200ms fall 2 on-marked-down shutdown-sessions"$'\n'
    [ "$peer" = "$address" ] || peers+="    $peer"$'\n'
  done
  on "$address" "mkdir -p ${load_balancer%/*} /etc/haproxy /etc/keepalived && mv /root/bundle/load-balancer $load_balancer &&
    chmod 755 $load_balancer/*
    printf '[Service]\nType=notify\nExecStart=%s -Ws -f /etc/haproxy/haproxy.cfg\n' $load_balancer/haproxy > /etc/systemd/system/haproxy.service
    printf '[Service]\nType=notify\nNotifyAccess=all\nExecStart=%s --dont-fork\n' $load_balancer/keepalived > /etc/systemd/system/keepalived.service
    systemctl daemon-reload"
  on "$address" 'cat > /etc/haproxy/haproxy.cfg' <<EOF
defaults
  mode tcp
  timeout connect 2s
  timeout client 4h
  timeout server 4h
frontend api
  bind *:8443
  default_backend api
backend api
  option httpchk GET /readyz
  http-check expect status 200
$servers
EOF
  on "$address" 'cat > /etc/keepalived/keepalived.conf && systemctl restart haproxy keepalived' <<EOF
global_defs {
  vrrp_version 3
}
vrrp_instance api {
  state BACKUP
  interface $card
  virtual_router_id 77
  priority $((150 - index))
  advert_int 0.2
  unicast_src_ip $address
  unicast_peer {
$peers
  }
  virtual_ipaddress {
    $VIP
  }
}
EOF
}

pids=()
for address in "${addresses[@]}"; do prepare "$address" & pids+=($!); done
together "${pids[@]}"
say 'hosts prepared'
pids=()
for index in "${!control_planes[@]}"; do balance "${control_planes[$index]}" "$index" & pids+=($!); done
together "${pids[@]}"
say 'load balancers up'

on "$first" 'bash -s' <<EOF
set -euo pipefail
cat > /root/kubeadm.yaml <<'YAML'
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: { advertiseAddress: $first }
nodeRegistration:
  criSocket: unix:///run/containerd/containerd.sock
  ignorePreflightErrors: [SystemVerification]
  kubeletExtraArgs: [{ name: node-ip, value: $first }]
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: $version
controlPlaneEndpoint: $VIP:8443
networking: { podSubnet: 10.244.0.0/16 }
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
conntrack: { maxPerCore: 0, min: 0 }
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: systemd
failCgroupV1: false
imageGCHighThresholdPercent: 100
YAML
kubeadm init --config /root/kubeadm.yaml --upload-certs >/root/init.log 2>&1 || { tail -20 /root/init.log; exit 1; }
kubectl --kubeconfig /etc/kubernetes/admin.conf apply -f /root/bundle/manifests/kube-flannel.yml >/dev/null
EOF
say 'kubeadm init and flannel done'
worker_join=$(on "$first" 'kubeadm token create --print-join-command 2>/dev/null')
key=$(on "$first" 'kubeadm init phase upload-certs --upload-certs 2>/dev/null | tail -1')
pids=()
for host in $WORKERS; do
  on "${host#*=}" "$worker_join --ignore-preflight-errors=SystemVerification" >/dev/null 2>&1 & pids+=($!)
done
# etcd takes one learner at a time, so control planes join one after the other while the workers join beside them.
for address in "${control_planes[@]:1}"; do
  on "$address" "$worker_join --control-plane --certificate-key $key --apiserver-advertise-address $address --ignore-preflight-errors=SystemVerification" \
    >"$work/join" 2>&1 || { tail -20 "$work/join"; exit 1; }
  say "control plane $address joined"
done
[ "${#pids[@]}" -eq 0 ] || together "${pids[@]}"
on "$first" 'bash -s' <<'REMOTE'
set -euo pipefail
export KUBECONFIG=/etc/kubernetes/admin.conf
kubectl wait --for=condition=Ready nodes --all --timeout=300s >/dev/null
kubectl -n kube-system rollout status deployment/coredns --timeout=300s >/dev/null
image=$(ctr -n k8s.io images ls -q | grep agnhost | head -1)
for node in $(kubectl get nodes -o jsonpath='{.items[*].metadata.name}'); do
  kubectl apply -f - >/dev/null <<POD
apiVersion: v1
kind: Pod
metadata: { name: dns-$node, labels: { run: dns } }
spec:
  nodeName: $node
  restartPolicy: OnFailure
  tolerations: [{ operator: Exists }]
  containers:
    - { name: ask, image: $image, args: [connect, --timeout=5s, "kubernetes.default.svc.cluster.local:443"] }
POD
done
kubectl wait --for=jsonpath='{.status.phase}'=Succeeded pods -l run=dns --timeout=120s >/dev/null
kubectl delete pods -l run=dns --now >/dev/null
REMOTE
say 'all nodes ready, DNS answers'
printf 'floor-seconds %s\n' "$(seconds)"
