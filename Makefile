# What a developer runs. The product needs Go alone; the oracles of its tests are real programs, which `make test`
# installs where it can.
.DEFAULT_GOAL := help
.PHONY: help build test golden lint fuzz bench e2e e2e-table bench-rig tools

GO      ?= go
FUZZ    ?= 60s
CHECKS  ?= 5000
DEVTOOL  = $(GO) tool -modfile=.tools/go.mod

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the program into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/etcdlbgen ./cmd/etcdlbgen

test: tools ## run all tests against the real tools
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...

e2e: tools ## prove what is built on real etcd clusters (Linux, root): minutes
	$(GO) vet -tags e2e ./golden/e2e
	$(GO) test -tags e2e -count=1 -timeout 20m ./golden/e2e

e2e-table: tools ## compare what is built with what guides show, on the same faults: golden/e2e/faults.md; ten minutes
	$(GO) test -tags e2e -count=1 -timeout 40m ./golden/e2e -run 'TestFaults$$' -table faults.md -hold 45s

bench-rig: tools ## state latency and throughput through the proxies against direct, and how soon HAProxy sees a member hang
	$(GO) test -tags e2e -count=1 -timeout 15m ./golden/e2e -run '^$$' -bench . -benchtime 1x

tools: ## install the programs that tests ask (Debian, root), or say which are missing
	@.ci/tools

golden: ## rewrite the golden files; read the diff
	$(GO) test ./golden -update

lint: ## run the linters over the code
	$(DEVTOOL) golangci-lint run
	shellcheck .ci/run .ci/tools

fuzz: ## fuzz each parser for FUZZ, then CHECKS random specs against the real tools
	@set -e; for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZ) -fuzzminimizetime 5x $$pkg; \
		done; \
	done
	$(GO) test ./golden -run 'RoundTrip|SelfLint|Oracles' -rapid.checks $(CHECKS) -timeout 0

bench: ## state speed and memory, of build against bare CUE evaluation, of lint against reading and parsing, as ratios, and on hostile files
	$(GO) test ./cmd/etcdlbgen -run '^$$' -bench . -benchtime 1x
