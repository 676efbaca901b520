//go:build tools

// Names the modules whose files cluster-up.sh reads but whose code it does not build.
package main

import _ "sigs.k8s.io/gateway-api/apis/v1"
