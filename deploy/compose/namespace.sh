#!/bin/sh
# Registers the namespace and the search attributes that Kubewright writes. Safe to repeat.
set -eu
namespace=${KUBEWRIGHT_NAMESPACE:-kubewright}
# 90 days: with Temporal's default of three, the history of an install is gone before anybody asks about it.
temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$namespace" --retention 2160h
existing=$(temporal operator search-attribute list --namespace "$namespace")
for attribute in KubewrightCluster=Keyword KubewrightOperation=Keyword KubewrightState=Keyword KubewrightPhase=Keyword KubewrightBlockedSteps=KeywordList; do
  name=${attribute%%=*}
  case "$existing" in
    *"$name"*) ;;
    *) temporal operator search-attribute create --namespace "$namespace" --name "$name" --type "${attribute#*=}" ;;
  esac
done
