#!/usr/bin/env bash
# The Kubernetes client against a real control plane (apiserver, controller-manager, scheduler) whose nodes are fake:
# server-side apply, conflicts, permissions, Pod Security, rollouts and every diagnosis of a failed one.
set -uo pipefail
# shellcheck source=kube/common.sh
source "$(dirname "${BASH_SOURCE[0]}")/kube/common.sh"
start_cluster
build_kube_test

k create namespace scenarios >/dev/null
k label namespace scenarios pod-security.kubernetes.io/{enforce,warn}=restricted >/dev/null
k -n scenarios create serviceaccount limited >/dev/null
k -n scenarios create role limited --verb=get,list,watch,patch,create --resource=deployments.apps >/dev/null
k -n scenarios create rolebinding limited --role=limited --serviceaccount=scenarios:limited >/dev/null

export WHERRY_TEST_KUBECONFIG=$KUBECONFIG WHERRY_TEST_NAMESPACE=scenarios
WHERRY_TEST_LIMITED_TOKEN=$(k -n scenarios create token limited)
export WHERRY_TEST_LIMITED_TOKEN
ends "API scenarios and rollouts" 0 "$KUBE_TEST" --gtest_filter='*/Real:FakeNodes.*' --gtest_brief=0
cat "$WORK/out"

# The command line. kubectl is the judge of what was rendered and what runs.
render() { "$WHERRY" render fraud --image "$1" --namespace shop; }
deploy() { "$WHERRY" deploy fraud --namespace shop --replicas 2 --timeout 60 "$@"; }
k create namespace shop >/dev/null
k label namespace shop pod-security.kubernetes.io/{enforce,warn}=restricted >/dev/null
render registry.example/fraud:1 >"$WORK/fraud.yaml"
claim "kubectl takes what is rendered, without a warning" '^serviceaccount/fraud serverside-applied .server dry run.
service/fraud .*
poddisruptionbudget.policy/fraud .*
networkpolicy.networking.k8s.io/fraud .*
deployment.apps/fraud serverside-applied .server dry run.$' k apply --server-side --dry-run=server -f "$WORK/fraud.yaml"
claim "deploy rolls out" "successfully rolled out" deploy --image registry.example/fraud:1
claim "kubectl agrees" "successfully rolled out" k -n shop rollout status deployment/fraud --timeout=5s
claim "a second deploy changes nothing" "unchanged" deploy --image registry.example/fraud:1 --output json
claim "deploy wrote what was rendered: no difference" '^$' k -n shop diff --server-side --field-manager wherry -f "$WORK/fraud.yaml"
claim "version 2 rolls out" "successfully rolled out" deploy --image registry.example/fraud:2
claim "status shows it" 'registry.example/fraud:2' "$WHERRY" status fraud --namespace shop
ends "a dry run is fine" 0 deploy --image registry.example/fraud:3 --dry-run
claim "and changes nothing" "fraud:2$" k -n shop get deployment fraud -o 'jsonpath={.spec.template.spec.containers[0].image}'
claim "a missing image is explained" "ImagePullBackOff" deploy --image registry.invalid/fraud:3
ends "with status 3" 3 deploy --image registry.invalid/fraud:3
claim "while version 2 serves" "^2$" k -n shop get deployment fraud -o 'jsonpath={.status.availableReplicas}'
deploy --image registry.example/fraud:2 >/dev/null 2>&1
k -n shop scale deployment/fraud --replicas=3 >/dev/null
claim "replicas of another manager are a conflict which names it" "spec.replicas .kubectl" deploy --image registry.example/fraud:2
claim "--force takes them" "successfully rolled out" deploy --image registry.example/fraud:2 --force
claim "a missing namespace is named" "namespace 'nowhere' does not exist" "$WHERRY" deploy fraud --namespace nowhere --image registry.example/fraud:1
claim "--create-namespace makes it, enforcing Pod Security" "successfully rolled out" "$WHERRY" deploy fraud --namespace nowhere --image registry.example/fraud:1 --create-namespace
claim "an unknown context gets the nearest name" "did you mean 'loopback'" deploy --image registry.example/fraud:1 --context loopbak
ends "with status 2" 2 deploy --image registry.example/fraud:1 --context loopbak
sed 's/server: .*/server: https:\/\/127.0.0.1:9/' "$KUBECONFIG" >"$WORK/gone"
claim "an unreachable server is named" "cannot reach the API server https://127.0.0.1:9" env KUBECONFIG="$WORK/gone" "$WHERRY" status fraud --namespace shop
ends "with status 3" 3 env KUBECONFIG="$WORK/gone" "$WHERRY" status fraud --namespace shop
printf 'apiVersion: v1\nkind: Config\ncurrent-context: a\ncontexts: [{name: a, context: {cluster: a, user: a, namespace: scenarios}}]\nusers: [{name: a, user: {token: %s}}]\nclusters: [{name: a, cluster: {server: "%s", certificate-authority: "%s/pki/ca.crt"}}]\n' \
  "$WHERRY_TEST_LIMITED_TOKEN" "$(sed -n 's/ *server: //p' "$KUBECONFIG")" "$WORK" >"$WORK/limited"
claim "missing rights name the rule to add" 'apiGroups: \[""\], resources: \["serviceaccounts"\]' env KUBECONFIG="$WORK/limited" "$WHERRY" deploy fraud --image registry.example/fraud:1
finish
