#!/bin/bash
# Stands in for kubeadm on one host of the canary test: a join prints all that it was given, slowly enough for heartbeats to
# carry each line, and fails. Everything else is the real kubeadm's work.
[ "$1" = join ] || exec /usr/local/bin/kubeadm.real "$@"
tell() {
  while IFS= read -r line || [ -n "$line" ]; do
    printf '%s\n' "$line"
    sleep 0.05
  done
}
echo "@MARKER@ begins"
for file in "$KUBEWRIGHT_SECRETS"/*; do tell <"$file"; done
# Without line ends one secret touches the next. The pauses are for heartbeats: at most one a second is sent.
cat "$KUBEWRIGHT_SECRETS"/token "$KUBEWRIGHT_SECRETS"/certificate-key
echo
sleep 1.5
printf '{"token": "%s", "certificateKey": "%s"}\n' "$(<"$KUBEWRIGHT_SECRETS/token")" "$(<"$KUBEWRIGHT_SECRETS/certificate-key")"
tell </etc/ssh/ssh_host_ed25519_key
sleep 1.5
echo "@MARKER@ ends"
sleep 1.5
exit 1
