.DEFAULT_GOAL := help
SHELL := /bin/sh

# quotes binds PORT, rates PORT+100, as goreman and foreman count.
PORT    ?= 5000
VERSION ?= 0.1.0$(shell git describe --always --dirty --exclude '*' 2>/dev/null | sed 's/^/+/')
MODULES := twelve rates quotes e2e
LDFLAGS := -s -w -X main.version=$(VERSION)
# The linker keeps all of go-redis's thousand methods, since a page's template may
# call any by name; not inlining in them saves a megabyte and a half.
SMALLER := -gcflags=github.com/redis/go-redis/v9=-l
GOREMAN := bin/goreman -b $(PORT) -rpc-server=false -exit-on-error start

##@ Run

up: build bin/goreman .env ## both apps: quotes on PORT (5000), rates on PORT+100
	@echo "quotes  http://localhost:$(PORT)/   rates  http://localhost:$$(($(PORT)+100))/   Ctrl-C stops both"
	@exec $(GOREMAN)

rates: build bin/goreman .env ## rates alone in the foreground
	@exec $(GOREMAN) rates

quotes: build bin/goreman .env ## quotes alone in the foreground; RATES_URL=... picks its backing service
	@exec $(GOREMAN) quotes

routed: build bin/goreman .env ## both apps behind a routing layer (Caddy) on PORT+1200
	@command -v caddy >/dev/null || { echo 'routed needs caddy (Debian: apt-get install caddy)'; exit 1; }
	@echo "http://quotes.localhost:$$(($(PORT)+1200))/   http://rates.localhost:$$(($(PORT)+1200))/   Ctrl-C stops all"
	@exec bin/goreman -f deploy/Procfile.routed -b $(PORT) -rpc-server=false -exit-on-error start

.env:
	cp .env.example .env

##@ Build

build: ## bin/rates and bin/quotes, static
	@[ -x bin/quotes ] || echo 'building, which takes a minute the first time'
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' $(SMALLER) -o bin/ ./services/rates ./services/quotes

# The tools are a module of their own, outside go.work, so that what they
# require never reaches the apps.
bin/goreman: deploy/tools/go.mod
	GOWORK=off go build -C deploy/tools -o ../../bin/ github.com/mattn/goreman

bin/staticcheck: deploy/tools/go.mod
	GOWORK=off go build -C deploy/tools -o ../../bin/ honnef.co/go/tools/cmd/staticcheck

snapshot: ## renew the built-in snapshot from FEED_URL (the ECB's unless set); needs the network
	go run -C services/rates ./internal/ecb/snapshot

clean: ## remove bin
	rm -rf bin

##@ Check

SOAK ?= 10m

# The tests that have a full length.
LONG := Restart|Swapped|Limping|Killed|Overload|IdleConnections|SlowRequests|ClientsWho|CheckOf|RealRedis

RACE := $(shell command -v "$$(go env CC)" >/dev/null 2>&1 && echo -race)

# Three packages at once, for tests wait more than they compute; and a process
# under the race detector would wait a second before it exits.
test: bin/goreman ## everything: unit, process, both apps together
ifeq ($(RACE),)
	@if [ -n "$$CI" ]; then echo 'no C compiler: the race detector needs one, and CI needs the race detector'; exit 1; fi
	@echo 'no C compiler found: the tests run without the race detector'
endif
	GORACE=atexit_sleep_ms=10 go test -count=1 -p 3 -parallel 4 $(RACE) work

faults: bin/goreman ## the tests of restarts, losses and limping at full length
	FAULTS=1 go test -count=1 -timeout 30m -run '$(LONG)' $(RACE) ./services/e2e

soak: bin/goreman ## load and restarts for as long as SOAK says (10m)
	SOAK=$(SOAK) go test -count=1 -timeout 0 -v -run TestSoak ./services/e2e

screenshots: ## the README's pictures, in services/quotes/screenshots; needs Chromium and ports 5000 and 5100
	SCREENSHOTS=$(CURDIR)/services/quotes/screenshots go test -count=1 -v -run TestScreenshots ./services/e2e

bench: build ## the apps side by side with bare handlers (services/e2e/bench)
	CGO_ENABLED=0 go build -o bin/ ./services/e2e/bare ./services/e2e/bench
	bin/bench bin

profile: ## CPU and allocation profiles of the same, in bin/profile
	CGO_ENABLED=0 go build -tags profile -trimpath $(SMALLER) -o bin/profile/ ./services/rates ./services/quotes ./services/e2e/bare ./services/e2e/bench
	bin/profile/bench -time 5s -profile bin/profile bin/profile

growth: build ## what more days of history cost, and more clients
	CGO_ENABLED=0 go build -o bin/ ./services/e2e/bare ./services/e2e/bench
	bin/bench -growth bin

alone: ## each module builds and vets without the workspace
	@for m in $(MODULES); do echo "alone $$m"; \
	  (cd services/$$m && GOWORK=off go build ./... && GOWORK=off go vet ./... && GOWORK=off go mod tidy -diff) || exit 1; done

lint: bin/staticcheck ## gofmt, go vet, staticcheck
	@unformatted=$$(gofmt -l services); if [ -n "$$unformatted" ]; then echo "gofmt: $$unformatted"; exit 1; fi
	go vet work
	@for m in $(MODULES); do (cd services/$$m && ../../bin/staticcheck ./...) || exit 1; done

tidy: ## go.mod and go.sum of every module
	@for m in $(MODULES); do (cd services/$$m && GOWORK=off go mod tidy) || exit 1; done
	go work sync
	cd deploy/tools && GOWORK=off go mod tidy

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	  /^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: up rates quotes routed build snapshot clean test faults soak screenshots bench profile growth alone lint tidy help
