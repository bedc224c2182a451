#!/bin/sh
# Registers the namespace and the search attributes that Kubewright writes. Safe to repeat.
set -eu
namespace=${KUBEWRIGHT_NAMESPACE:-kubewright}

# The server's port opens before it answers, and a new namespace is known to all of it only some seconds later.
patiently() {
  left=60
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || return 1
    sleep 1
  done
}

# 90 days: with Temporal's default of three, the history of an install is gone before anybody asks about it.
register_namespace() {
  temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
    temporal operator namespace create --namespace "$namespace" --retention 2160h
}

register_attribute() {
  existing=$(temporal operator search-attribute list --namespace "$namespace") || return 1
  case "$existing" in
    *"$1"*) ;;
    *) temporal operator search-attribute create --namespace "$namespace" --name "$1" --type "$2" ;;
  esac
}

patiently register_namespace
for name in KubewrightCluster KubewrightOperation KubewrightState KubewrightPhase KubewrightHealth; do
  patiently register_attribute "$name" Keyword
done
patiently register_attribute KubewrightBlocked Int
patiently register_attribute KubewrightBlockedSteps KeywordList
