# Two commands do everything: `make run` and `make test`. `make help` lists the
# rest. Each installs what it needs and says so.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN     := bin/teiten
TOOLS   := $(CURDIR)/.tools
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/teiten/teiten/app.Version=$(VERSION)

GOLANGCI := $(TOOLS)/golangci-lint-2.15.0
SQLC     := $(TOOLS)/sqlc-1.31.1
WITH_PG  := go run ./test/pgtest/serve

WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: run
run: build ## build, and start the example company
	$(BIN) demo

.PHONY: build
build: web/dist/index.html ## build the one binary with the web in it
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/teiten

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@echo "installing the web's packages"
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	@echo "building the web"
	cd web && npm run --silent build

test/browser/node_modules/.package-lock.json: test/browser/package.json test/browser/package-lock.json
	@echo "installing the browser tests' packages"
	cd test/browser && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: debian
debian: ## install the Debian packages that the tests use
	@scripts/debian-packages

.PHONY: test
test: debian build test-go test-web e2e ## run every test: Go on both databases, web, browser

.PHONY: test-go
test-go: build
	@# Some suites mostly wait, for a real Prometheus or for what was killed: they do so together.
	TEITEN_BIN=$(CURDIR)/$(BIN) $(WITH_PG) go test -p 4 -timeout 15m ./...

.PHONY: test-web
test-web: web/node_modules/.package-lock.json
	cd web && npm test --silent && npm run --silent check

.PHONY: e2e
e2e: debian build test/browser/node_modules/.package-lock.json ## run the browser tests against the example company
	cd test/browser && TEITEN_BIN=$(CURDIR)/$(BIN) npm test --silent

.PHONY: quick
quick: ## the inner loop: vet, and the tests that need no server
	go vet ./...
	go test -short ./...

.PHONY: bench
bench: build ## print the table of figures
	go run ./test/bench -teiten $(BIN)

.PHONY: lint
lint: $(GOLANGCI) generated web/node_modules/.package-lock.json ## run the linters, and check that generated files are fresh
	$(GOLANGCI) run ./...
	cd web && npm run --silent lint

.PHONY: vulnerabilities
vulnerabilities: ## look for known vulnerabilities in what is built in (asks the internet)
	go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 ./...
	cd web && npm audit --omit=dev

.PHONY: generate
generate: $(SQLC) web/node_modules/.package-lock.json ## write what is generated: SQL, API types, reference documents
	$(SQLC) generate
	go run ./cmd/teiten openapi > web/openapi.json
	cd web && npm run --silent generate
	go run ./cmd/teiten reference --folder docs/reference

.PHONY: generated
generated: generate
	@git diff --exit-code --stat -- '*/db/*.go' web/openapi.json web/src/api docs/reference \
	  || { echo "generated files were stale: commit what 'make generate' wrote"; exit 1; }

$(GOLANGCI):
	@echo "installing golangci-lint (about two minutes, once)"
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv $(TOOLS)/golangci-lint $@

$(SQLC):
	@echo "installing sqlc (once)"
	GOBIN=$(TOOLS) go install github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1
	@mv $(TOOLS)/sqlc $@

.PHONY: clean
clean: ## remove what was built; the data folder stays
	rm -rf bin web/node_modules test/browser/node_modules .tools
	find web/dist -mindepth 1 ! -name .gitkeep -delete
